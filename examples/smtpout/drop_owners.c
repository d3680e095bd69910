/* SPDX-License-Identifier: MIT */
#include "drop_owners.h"

#include <stdlib.h>
#include <string.h>

#include "text_list.h"

/* Names kept of one owner; of all; and of one in any case. */
#define OWNER_MAX 5000
#define ALL_MAX   200000
#define OWNER_MIN 16

struct drop_owner {
	uid_t uid;
	struct text_list names;
	size_t at; /* the first of them that waits */
};

/* Where UID is in the list, or is to be. */
static size_t
find_place(const struct drop_owners *o, uid_t uid)
{
	size_t low = 0, high = o->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (o->list[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Put an owner UID at PLACE of the list.  Return 0, or -1 without memory. */
static int
insert_owner(struct drop_owners *o, size_t place, uid_t uid)
{
	struct drop_owner *more;
	size_t cap = o->cap * 2 + 16;

	if (o->count == o->cap) {
		more = realloc(o->list, cap * sizeof(*more));
		if (more == NULL)
			return -1;
		o->list = more;
		o->cap = cap;
	}
	memmove(o->list + place + 1, o->list + place,
	    (o->count - place) * sizeof(*o->list));
	o->list[place] = (struct drop_owner){ .uid = uid };
	o->count++;
	if (place < o->turn)
		o->turn++;
	return 0;
}

static void
remove_owner(struct drop_owners *o, size_t place)
{
	text_list_finish(&o->list[place].names);
	o->count--;
	memmove(o->list + place, o->list + place + 1,
	    (o->count - place) * sizeof(*o->list));
}

/* Make room of what stands before those that wait. */
static void
forget_taken(struct drop_owner *owner)
{
	owner->names.count -= owner->at;
	memmove(owner->names.items, owner->names.items + owner->at,
	    owner->names.count * sizeof(*owner->names.items));
	owner->at = 0;
}

int
drop_owners_add(struct drop_owners *o, uid_t uid, const char *name)
{
	size_t place = find_place(o, uid), waiting;
	struct drop_owner *owner;

	if ((place == o->count || o->list[place].uid != uid) &&
	    insert_owner(o, place, uid) == -1)
		return -1;
	owner = &o->list[place];
	waiting = owner->names.count - owner->at;
	if (waiting >= OWNER_MAX ||
	    (o->names >= ALL_MAX && waiting >= OWNER_MIN)) {
		o->cut = true;
		return 0;
	}
	if (owner->at >= OWNER_MAX)
		forget_taken(owner);
	if (text_list_add(&owner->names, name) == -1) {
		o->cut = true;
		return -1;
	}
	o->names++;
	return 0;
}

char *
drop_owners_next(struct drop_owners *o)
{
	struct drop_owner *owner;
	char *name = NULL;

	while (name == NULL && o->count > 0) {
		if (o->turn >= o->count)
			o->turn = 0;
		owner = &o->list[o->turn];
		if (owner->at == owner->names.count) {
			remove_owner(o, o->turn);
			continue;
		}
		name = owner->names.items[owner->at];
		owner->names.items[owner->at++] = NULL;
		o->names--;
		o->turn++;
	}
	return name;
}

void
drop_owners_clear(struct drop_owners *o)
{
	for (size_t i = 0; i < o->count; i++)
		text_list_finish(&o->list[i].names);
	free(o->list);
	*o = (struct drop_owners){ .list = NULL };
}
