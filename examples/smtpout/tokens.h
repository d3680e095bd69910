/* SPDX-License-Identifier: MIT */
#ifndef TOKENS_H
#define TOKENS_H

/*
 * The sources of tokens, that of the smarthost and those of routes.  They live
 * as long as the daemon, since an attempt may use one of routes that are no
 * more; those with the same file or command are one.
 */

#include <stddef.h>

#include "token.h"

struct tokens_item {
	struct token_source source;
	char *text; /* its file or command */
};

/* All zero: none. */
struct tokens {
	struct tokens_item **items;
	size_t count;
};

/* The source of FILE or COMMAND, of which one is NULL, and which is copied; it
 * is made if it is not there.  NULL without memory. */
struct token_source *tokens_find(
    struct tokens *t, const char *file, const char *command);

/* Forget all tokens. */
void tokens_finish(struct tokens *t);

#endif
