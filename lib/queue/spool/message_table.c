/* SPDX-License-Identifier: MIT */
#include "queue/spool/message_table.h"

#include <stdlib.h>
#include <string.h>

/* Pointers in a leaf, which makes it 2 KiB. */
#define LEAF_MAX 255

struct smtpd_message_table_leaf {
	size_t count;
	struct smtpd_queued_message *entries[LEAF_MAX];
};

/* The last leaf that begins with an id of at most ID, or the first. */
static size_t
find_leaf(const struct smtpd_message_table *t, uint64_t id)
{
	size_t low = 0, high = t->count;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (t->leaves[mid]->entries[0]->id <= id)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* Where in LEAF the first id stands that is at least ID; its count: nowhere. */
static size_t
find_slot(const struct smtpd_message_table_leaf *leaf, uint64_t id)
{
	size_t low = 0, high = leaf->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (leaf->entries[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct smtpd_queued_message *
smtpd__message_table_from(const struct smtpd_message_table *t, uint64_t id)
{
	const struct smtpd_message_table_leaf *leaf;
	size_t i, slot;

	if (t->count == 0)
		return NULL;
	i = find_leaf(t, id);
	leaf = t->leaves[i];
	slot = find_slot(leaf, id);
	if (slot < leaf->count)
		return leaf->entries[slot];
	return i + 1 < t->count ? t->leaves[i + 1]->entries[0] : NULL;
}

struct smtpd_queued_message *
smtpd__message_table_find(const struct smtpd_message_table *t, uint64_t id)
{
	struct smtpd_queued_message *e = smtpd__message_table_from(t, id);

	return e != NULL && e->id == id ? e : NULL;
}

/* Insert an empty leaf as number I.  NULL without memory. */
static struct smtpd_message_table_leaf *
add_leaf(struct smtpd_message_table *t, size_t i)
{
	struct smtpd_message_table_leaf *leaf = malloc(sizeof(*leaf));

	if (leaf != NULL && t->count == t->size) {
		size_t size = t->size > 0 ? 2 * t->size : 16;
		struct smtpd_message_table_leaf **leaves = realloc(t->leaves,
		    size * sizeof(struct smtpd_message_table_leaf *));

		if (leaves == NULL) {
			free(leaf);
			return NULL;
		}
		t->leaves = leaves;
		t->size = size;
	}
	if (leaf == NULL)
		return NULL;
	leaf->count = 0;
	memmove(t->leaves + i + 1, t->leaves + i,
	    (t->count - i) * sizeof(struct smtpd_message_table_leaf *));
	t->leaves[i] = leaf;
	t->count++;
	return leaf;
}

static void
remove_leaf(struct smtpd_message_table *t, size_t i)
{
	free(t->leaves[i]);
	t->count--;
	memmove(t->leaves + i, t->leaves + i + 1,
	    (t->count - i) * sizeof(struct smtpd_message_table_leaf *));
}

bool
smtpd__message_table_insert(
    struct smtpd_message_table *t, struct smtpd_queued_message *message)
{
	struct smtpd_message_table_leaf *leaf, *next;
	size_t i, slot, kept;

	if (t->count == 0 && add_leaf(t, 0) == NULL)
		return false;
	i = find_leaf(t, message->id);
	leaf = t->leaves[i];
	slot = find_slot(leaf, message->id);
	if (leaf->count == LEAF_MAX) {
		/* Move what is from the slot on, but at most half, to a new
		 * leaf. */
		next = add_leaf(t, i + 1);
		if (next == NULL)
			return false;
		kept = slot < LEAF_MAX / 2 ? LEAF_MAX / 2 : slot;
		next->count = leaf->count - kept;
		leaf->count = kept;
		memcpy(next->entries, leaf->entries + kept,
		    next->count * sizeof(struct smtpd_queued_message *));
		if (slot == LEAF_MAX) {
			leaf = next;
			slot = 0;
		}
	}
	memmove(leaf->entries + slot + 1, leaf->entries + slot,
	    (leaf->count - slot) * sizeof(struct smtpd_queued_message *));
	leaf->entries[slot] = message;
	leaf->count++;
	return true;
}

void
smtpd__message_table_remove(
    struct smtpd_message_table *t, const struct smtpd_queued_message *message)
{
	size_t i = find_leaf(t, message->id);
	struct smtpd_message_table_leaf *before, *leaf = t->leaves[i];
	size_t slot = find_slot(leaf, message->id);

	leaf->count--;
	memmove(leaf->entries + slot, leaf->entries + slot + 1,
	    (leaf->count - slot) * sizeof(struct smtpd_queued_message *));
	if (leaf->count == 0) {
		remove_leaf(t, i);
		return;
	}
	if (i == 0 || leaf->count >= LEAF_MAX / 4)
		return;
	/* Empty it into the one before, if both together are half full. */
	before = t->leaves[i - 1];
	if (before->count + leaf->count > LEAF_MAX / 2)
		return;
	memcpy(before->entries + before->count, leaf->entries,
	    leaf->count * sizeof(struct smtpd_queued_message *));
	before->count += leaf->count;
	remove_leaf(t, i);
}

struct smtpd_queued_message *
smtpd__message_table_take(struct smtpd_message_table *t)
{
	struct smtpd_message_table_leaf *leaf;
	struct smtpd_queued_message *e;

	if (t->count == 0) {
		free(t->leaves);
		*t = (struct smtpd_message_table){ 0 };
		return NULL;
	}
	leaf = t->leaves[t->count - 1];
	e = leaf->entries[--leaf->count];
	if (leaf->count == 0)
		remove_leaf(t, t->count - 1);
	return e;
}
