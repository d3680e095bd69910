/* SPDX-License-Identifier: MIT */
#ifndef ROUTING_H
#define ROUTING_H

/*
 * Where mail goes, and how smtpout logs in there: the routes and the smarthost
 * with their passwords and tokens, read at the start and again on a signal.
 */

#include <stdatomic.h>

#include <smtpd/queue.h>

#include "log.h"
#include "logins.h"
#include "mail_routes.h"
#include "settings.h"

struct routing {
	const struct settings *settings;
	struct log *log;
	struct logins logins;
	struct mail_routes routes;

	struct token_source *token; /* of the smarthost; NULL: none */

	/* A route for "localhost" leads to what local users read here. */
	atomic_bool has_local;
};

/* Read the routes, and see that tokens can be had: as the user of --user, who
 * gets them later.  Return 0, or an exit status with the reason in WHY of SIZE
 * bytes. */
int routing_load(struct routing *r, char *why, size_t size);

/* Read the file of routes again, and the passwords if the user of --user may,
 * for Q; what is wrong changes nothing. */
void routing_reload(struct routing *r, struct smtpd_queue *q);

/* Free what R holds: after the queue. */
void routing_finish(struct routing *r);

#endif
