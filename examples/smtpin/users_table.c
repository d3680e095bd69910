/* SPDX-License-Identifier: MIT */
#include "users_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
users_table_init(struct users_table *t)
{
	*t = (struct users_table){
		.nslots = 1024,
		.text_size = 4096,
		.text_len = 1, /* 0 means none */
		.nusers = 1,   /* so it does here */
	};
	t->slots = calloc(t->nslots, sizeof(*t->slots));
	t->text = calloc(1, t->text_size);
	t->users = users_table_grow(NULL, &t->users_cap, 0, sizeof(*t->users));
	return t->slots != NULL && t->text != NULL && t->users != NULL ? 0 : -1;
}

void
users_table_finish(struct users_table *t)
{
	free(t->slots);
	free(t->users);
	free(t->members);
	free(t->text);
}

void *
users_table_grow(void *list, size_t *cap, size_t count, size_t size)
{
	size_t more = count < 16 ? 32 : 2 * count;

	if (count < *cap)
		return list;
	list = realloc(list, more * size);
	if (list != NULL)
		*cap = more;
	return list;
}

static uint32_t
hash_of(const char *key)
{
	uint32_t hash = 2166136261U;

	while (*key != '\0') {
		hash ^= (unsigned char)*key++;
		hash *= 16777619U;
	}
	return hash ^ hash >> 15;
}

/* The slot that has KEY, or the free one where it belongs. */
static struct users_slot *
slot_of(const struct users_table *t, const char *key, uint32_t hash)
{
	size_t mask = t->nslots - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct users_slot *slot = &t->slots[i];

		if (slot->key == 0 ||
		    (slot->hash == hash &&
			strcmp(t->text + slot->key, key) == 0))
			return slot;
	}
}

/* Double the table. */
static int
grow_table(struct users_table *t)
{
	struct users_slot *old = t->slots;
	size_t nold = t->nslots;
	struct users_slot *slots = calloc(nold * 2, sizeof(*slots));

	if (slots == NULL)
		return -1;
	t->slots = slots;
	t->nslots = nold * 2;
	for (size_t i = 0; i < nold; i++) {
		size_t at = old[i].hash;

		if (old[i].key == 0)
			continue;
		while (slots[at & (t->nslots - 1)].key != 0)
			at++;
		slots[at & (t->nslots - 1)] = old[i];
	}
	free(old);
	return 0;
}

uint32_t
users_table_text(struct users_table *t, const char *text)
{
	size_t len = strlen(text) + 1;
	size_t size = t->text_size;
	size_t at = t->text_len;
	char *grown;

	while (len > size - at)
		size *= 2;
	if (size > UINT32_MAX)
		return 0;
	if (size > t->text_size) {
		grown = realloc(t->text, size);
		if (grown == NULL)
			return 0;
		t->text = grown;
		t->text_size = size;
	}
	memcpy(t->text + at, text, len);
	t->text_len += len;
	return (uint32_t)at;
}

struct users_slot *
users_table_add(struct users_table *t, const char *key, uint32_t user)
{
	uint32_t hash = hash_of(key);
	struct users_slot *slot;

	if (t->used >= t->nslots / 8 * 5 && grow_table(t) == -1)
		return NULL;
	slot = slot_of(t, key, hash);
	if (slot->key != 0)
		return slot;
	slot->key = users_table_text(t, key);
	if (slot->key == 0)
		return NULL;
	slot->hash = hash;
	slot->user = user;
	t->used++;
	return slot;
}

uint32_t
users_table_user(struct users_table *t, const char *name, unsigned long line)
{
	char key[ADDRESS_KEY_SIZE];
	struct users_slot *slot;
	struct users_user *users;

	snprintf(key, sizeof(key), ":%s", name);
	slot = users_table_add(t, key, 0);
	if (slot == NULL)
		return 0;
	if (slot->user != 0)
		return slot->user;
	users = users_table_grow(
	    t->users, &t->users_cap, t->nusers, sizeof(*users));
	if (users == NULL)
		return 0;
	users[t->nusers] = (struct users_user){
		.name = slot->key + 1,
		.line = line,
		.quota = USERS_QUOTA_OPEN,
	};
	t->users = users;
	slot->user = (uint32_t)t->nusers++;
	return slot->user;
}

int
users_table_member(struct users_table *t, uint32_t user, uint32_t domain)
{
	struct users_member *members = users_table_grow(
	    t->members, &t->members_cap, t->nmembers, sizeof(*members));

	if (members == NULL)
		return -1;
	members[t->nmembers++] = (struct users_member){ user, domain };
	t->members = members;
	return 0;
}

struct users_slot *
users_table_find(const struct users_table *t, const char *key)
{
	struct users_slot *slot = slot_of(t, key, hash_of(key));

	return slot->key != 0 ? slot : NULL;
}

struct users_slot *
users_table_find_other(
    const struct users_table *t, const char *key, size_t domain)
{
	size_t local = domain - 1;
	size_t tag = strcspn(key, "+");
	struct users_slot *slot;
	char base[ADDRESS_KEY_SIZE];

	if (tag > 0 && tag < local) {
		snprintf(
		    base, sizeof(base), "%.*s%s", (int)tag, key, key + local);
		slot = users_table_find(t, base);
		if (slot != NULL)
			return slot;
	}
	return users_table_find(t, key + local);
}

const struct users_slot *
users_table_next(const struct users_table *t, size_t *at)
{
	while (*at < t->nslots) {
		const struct users_slot *slot = &t->slots[(*at)++];

		if (slot->key != 0)
			return slot;
	}
	return NULL;
}
