/* SPDX-License-Identifier: MIT */
#include "users_table.h"

#include <stdlib.h>
#include <string.h>

#include <smtpd/address.h>

int
users_table_init(struct users_table *t)
{
	*t = (struct users_table){
		.nslots = 1024,
		.text_size = 4096,
		.text_len = 1, /* 0 means none */
	};
	t->slots = calloc(t->nslots, sizeof(*t->slots));
	t->text = calloc(1, t->text_size);
	return t->slots != NULL && t->text != NULL ? 0 : -1;
}

void
users_table_finish(struct users_table *t)
{
	free(t->slots);
	free(t->text);
}

size_t
users_table_key(const char *local, const char *domain, char *key)
{
	int len = smtpd_address_local_key(local, key, USERS_KEY_SIZE);

	if (len < 0 || len + 2 > USERS_KEY_SIZE)
		return 0;
	key[len++] = '@';
	key[len] = '\0';
	if (smtpd_address_domain_key(
		domain, key + len, (size_t)(USERS_KEY_SIZE - len)) < 0)
		return 0;
	return (size_t)len;
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

/* Keep a copy of KEY; return where it begins, or 0. */
static uint32_t
add_text(struct users_table *t, const char *key)
{
	size_t len = strlen(key) + 1;
	size_t size = t->text_size;
	size_t at = t->text_len;
	char *text;

	while (len > size - at)
		size *= 2;
	if (size > UINT32_MAX)
		return 0;
	if (size > t->text_size) {
		text = realloc(t->text, size);
		if (text == NULL)
			return 0;
		t->text = text;
		t->text_size = size;
	}
	memcpy(t->text + at, key, len);
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
	slot->key = add_text(t, key);
	if (slot->key == 0)
		return NULL;
	slot->hash = hash;
	slot->user = user;
	t->used++;
	return slot;
}

const struct users_slot *
users_table_find(const struct users_table *t, const char *key)
{
	const struct users_slot *slot = slot_of(t, key, hash_of(key));

	return slot->key != 0 ? slot : NULL;
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
