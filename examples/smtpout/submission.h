/* SPDX-License-Identifier: MIT */
#ifndef SUBMISSION_H
#define SUBMISSION_H

/* What smtpout does in a session: it takes mail for anybody into its queue. */

#include <smtpd/queue.h>
#include <smtpd/server.h>

#include "log.h"

/* What all sessions share. */
struct submission {
	const char *hostname;
	struct log *log;
	unsigned fix;              /* of enum smtpd_queue_fix */
	struct smtpd_queue *queue; /* set before the server starts */
};

/* Register it with SRV, which S must outlive.  Return 0, or -1 without
 * memory. */
int submission_register(struct submission *s, struct smtpd_server *srv);

#endif
