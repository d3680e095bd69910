/* SPDX-License-Identifier: MIT */
#ifndef TROUBLE_H
#define TROUBLE_H

/*
 * What client and log are told when a mailbox, or memory, is in trouble: it is
 * never the client's fault, and permanent only for a message that is larger
 * than the mailbox may be.
 */

#include <smtpd/session.h>

#include "log.h"
#include "quota.h"

/* A reply. */
struct trouble {
	int code;
	const char *status;
	const char *text;
};

/* What ERROR, an errno, means for the client. */
struct trouble trouble_for(int error);

/* Reply to the command by what ERROR means, and return the code. */
int trouble_reply(struct smtpd_session *s, int error);

/* A mailbox that a message cannot have. */
struct trouble_place {
	const char *path;
	const char *user;
	const struct quota_request *request; /* NULL: its quota was not asked */
};

/* Say in LOG that PLACE cannot be used for the transaction of S, because of
 * ERROR. */
void trouble_log(struct log *log, const struct smtpd_session *s,
    const struct trouble_place *place, int error);

#endif
