/* SPDX-License-Identifier: MIT */
#ifndef TOKEN_H
#define TOKEN_H

/*
 * The source of the bearer tokens that smtpout logs in by: a file, which is
 * read again when it changes, or a command, which is run again before the token
 * ends.  All threads share one.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "file_stamp.h"
#include "token_text.h"

/* How long a token of a command is used that comes without a lifetime, in
 * seconds. */
#define TOKEN_LIFETIME_S 1800

/* How long a command that failed is not run again: 1 second, then twice as
 * long each time, and so long at most. */
#define TOKEN_WAIT_S 30

struct token_source {
	const char *file;    /* one of them is not NULL */
	const char *command; /* as token_command_run() has it */
	int command_s;       /* how long it may take */

	pthread_mutex_t lock; /* guards what follows; held while one is
	                       * fetched, and others wait for that one */
	struct token token;   /* the last; "": none */
	uint64_t until;       /* a command's: when to fetch another, by the
	                       * monotonic clock in seconds */
	struct file_stamp stamp;
	unsigned failures; /* in a row */
	uint64_t again;    /* when to run the command after a failure */
	char why[SMTPD_REASON_SIZE];
};

/* Begin with FILE or COMMAND, of which one is NULL, and which must live as
 * long. */
void token_source_init(
    struct token_source *s, const char *file, const char *command);

/* Forget the token. */
void token_source_finish(struct token_source *s);

/* Whether the source can be used, as far as is known without running anything:
 * 0, or -1 with the reason in WHY of SIZE bytes. */
int token_source_check(const struct token_source *s, char *why, size_t size);

/* How long a token that lives for LIFETIME seconds is used. */
uint64_t token_source_span(uint64_t lifetime);

/* For smtpd_route_target: SOURCE is a struct token_source. */
int token_source_get(void *source, struct smtpd_credentials *c);

#endif
