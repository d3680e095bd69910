/* SPDX-License-Identifier: MIT */
#ifndef LOCAL_H
#define LOCAL_H

/*
 * The mail for this machine's own names: addresses in the domain of its mail
 * name, in that of its host name, and in "localhost".  Aliases say who gets it;
 * what is for an account of the machine that has none goes to the postmaster,
 * or by the route of "localhost", so that it is kept where a person can read
 * what the machine's programs write.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <smtpd/queue.h>

#include "aliases.h"
#include "log.h"
#include "settings.h"

struct local {
	struct log *log;
	const char *names[4];   /* the domains, the mail name first; NULL */
	const char *postmaster; /* NULL: who the aliases say is */
	const char *path;       /* of the aliases; NULL: there are none */
	pthread_rwlock_t lock;
	struct aliases *aliases;
	unsigned skipped;             /* mistakes in them, at the start */
	const atomic_bool *has_route; /* "localhost" has one; NULL: no */
};

/* Begin, as S say, which must last as long.  To be finished in any case. */
void local_init(struct local *l, const struct settings *s, struct log *log);
void local_finish(struct local *l);

/* Read the aliases, if there is a file of them.  What is wrong with one is an
 * error if CHECK; else it is left out, with a warning in the log, as one line
 * must not keep the mail of all after a reboot.  Return 0, or an exit status
 * with the reason in WHY of SIZE bytes. */
int local_load(struct local *l, bool check, char *why, size_t size);

/* Read them again; the old ones stay where that fails, and the log says why. */
void local_reload(struct local *l);

/* Warn in the log when mail for root reaches nobody that was named. */
void local_warn(struct local *l);

/* The smtpd_expand_fn; USER is the struct local. */
int local_expand(const char *address, struct smtpd_expansion *x, void *user);

#endif
