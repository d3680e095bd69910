/* SPDX-License-Identifier: MIT */
#ifndef MILTERS_H
#define MILTERS_H

/*
 * The milters of a daemon, by its options.
 */

#include <smtpd/milter.h>

#include "receiver_options.h"

struct log;

/* All zero: none. */
struct milters {
	struct smtpd_milter **list;
	size_t count;
	struct smtpd_resolver *resolver; /* for names of clients; or NULL */
};

/* What differs between daemons. */
struct milters_daemon {
	const char *program; /* its name */
	const char *mailer;  /* how mail goes on from there */
	struct log *log;
};

/* Make the milters of OPTIONS, and have SRV ask them, behind the filters that
 * it has.  Return 0, or an exit status after a complaint. */
int milters_add(struct milters *m, const struct receiver_options *options,
    const struct milters_daemon *daemon, struct smtpd_server *srv);

/* Free them, after the server. */
void milters_finish(struct milters *m);

#endif
