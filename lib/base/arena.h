/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_ARENA_H
#define SMTPD_BASE_ARENA_H

/*
 * The memory of one transaction: allocated piece by piece, freed all at once.
 * The first pieces come from a block that the owner lends, further ones from
 * the heap, up to a cap.
 */

#include <stddef.h>

struct smtpd_arena_chunk;
struct smtpd_budget;

struct smtpd_arena {
	char *first; /* the block that was lent */
	size_t first_size;
	char *at;                    /* where the next piece begins */
	size_t left;                 /* bytes left from there */
	size_t grown;                /* bytes taken from the heap */
	size_t cap;                  /* and how many there may be */
	struct smtpd_budget *budget; /* that others share; NULL: none */
	struct smtpd_arena_chunk *chunks;
};

/*
 * Begin with SIZE bytes at BLOCK, aligned or not, and up to CAP bytes from the
 * heap (0: none), what is needed to keep track of them included.  There is no
 * budget yet.
 */
void smtpd__arena_init(
    struct smtpd_arena *a, void *block, size_t size, size_t cap);

/* SIZE bytes, not cleared, aligned for any type; NULL when CAP or the budget is
 * reached, or there is no memory. */
void *smtpd__arena_alloc(struct smtpd_arena *a, size_t size);

/* A copy of LEN bytes at S with a NUL behind them, or NULL.  It takes LEN + 1
 * bytes, as it need not be aligned. */
char *smtpd__arena_text(struct smtpd_arena *a, const char *s, size_t len);

/* A moment in the life of an arena. */
struct smtpd_arena_mark {
	char *at;
	size_t left;
	size_t grown;
	struct smtpd_arena_chunk *chunks;
};

struct smtpd_arena_mark smtpd__arena_mark(const struct smtpd_arena *a);

/* Free the pieces that were allocated since MARK. */
void smtpd__arena_rewind(
    struct smtpd_arena *a, const struct smtpd_arena_mark *mark);

/* Free all pieces; the arena is as after smtpd__arena_init(). */
void smtpd__arena_reset(struct smtpd_arena *a);

#endif
