/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"

/* What is taken from the heap at a time, if the cap allows it. */
#define CHUNK_SIZE 2048

struct smtpd_arena_chunk {
	struct smtpd_arena_chunk *next;
	max_align_t data[];
};

void
smtpd__arena_init(struct smtpd_arena *a, void *block, size_t size, size_t cap)
{
	*a = (struct smtpd_arena){
		.first = block,
		.first_size = size,
		.at = block,
		.left = size,
		.cap = cap,
	};
}

/* SIZE bytes, at least 1, from the present block; NULL if it has too few. */
static void *
carve_bytes(struct smtpd_arena *a, size_t size, size_t align)
{
	size_t pad = (size_t)(-(uintptr_t)a->at & (align - 1));
	char *p;

	if (pad >= a->left || size > a->left - pad)
		return NULL;
	p = a->at + pad;
	a->at = p + size;
	a->left -= pad + size;
	return p;
}

/* A chunk for N bytes of data, or NULL. */
static struct smtpd_arena_chunk *
make_chunk(struct smtpd_arena *a, size_t n)
{
	const size_t size = sizeof(struct smtpd_arena_chunk) + n;
	struct smtpd_arena_chunk *chunk;

	if (a->budget != NULL && !smtpd__budget_take(a->budget, size))
		return NULL;
	chunk = malloc(size);
	if (chunk == NULL && a->budget != NULL)
		smtpd__budget_give(a->budget, size);
	if (chunk == NULL)
		return NULL;
	chunk->next = a->chunks;
	a->chunks = chunk;
	a->grown += size;
	return chunk;
}

static void *
take_from_heap(struct smtpd_arena *a, size_t size)
{
	size_t room = a->cap - a->grown;
	struct smtpd_arena_chunk *chunk;
	size_t n;
	char *data;

	if (room < sizeof(*chunk) || size > room - sizeof(*chunk))
		return NULL;
	room -= sizeof(*chunk);
	n = size > CHUNK_SIZE ? size : CHUNK_SIZE;
	n = n > room ? room : n;
	chunk = make_chunk(a, n);
	if (chunk == NULL)
		return NULL;
	data = (char *)chunk->data;
	/* Go on with whichever block has more left. */
	if (n - size > a->left) {
		a->at = data + size;
		a->left = n - size;
	}
	return data;
}

static void *
allocate_bytes(struct smtpd_arena *a, size_t size, size_t align)
{
	void *p;

	if (size == 0)
		size = 1;
	p = carve_bytes(a, size, align);
	if (p == NULL)
		p = take_from_heap(a, size);
	return p;
}

void *
smtpd__arena_alloc(struct smtpd_arena *a, size_t size)
{
	return allocate_bytes(a, size, alignof(max_align_t));
}

char *
smtpd__arena_text(struct smtpd_arena *a, const char *s, size_t len)
{
	char *text;

	if (len == SIZE_MAX)
		return NULL;
	text = allocate_bytes(a, len + 1, 1);
	if (text == NULL)
		return NULL;
	if (len > 0)
		memcpy(text, s, len);
	text[len] = '\0';
	return text;
}

struct smtpd_arena_mark
smtpd__arena_mark(const struct smtpd_arena *a)
{
	return (struct smtpd_arena_mark){ a->at, a->left, a->grown, a->chunks };
}

void
smtpd__arena_rewind(struct smtpd_arena *a, const struct smtpd_arena_mark *mark)
{
	while (a->chunks != mark->chunks) {
		struct smtpd_arena_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
	if (a->budget != NULL)
		smtpd__budget_give(a->budget, a->grown - mark->grown);
	a->at = mark->at;
	a->left = mark->left;
	a->grown = mark->grown;
}

void
smtpd__arena_reset(struct smtpd_arena *a)
{
	const struct smtpd_arena_mark begin = { a->first, a->first_size, 0,
		NULL };

	smtpd__arena_rewind(a, &begin);
}
