/* SPDX-License-Identifier: MIT */
#ifndef SUBMISSION_H
#define SUBMISSION_H

/*
 * One message on its way to smtpout, or into its drop box.
 */

#include <smtpd/client.h>

#include "arguments.h"
#include "identity.h"
#include "message.h"

/* How often, and how many seconds apart, to try a smtpout that may be starting
 * or stopping. */
#define SUBMISSION_TRIES   10
#define SUBMISSION_PAUSE_S 1

struct submission {
	const struct arguments *arguments;
	const struct identity *identity;
	const struct message *message;
	struct smtpd_outgoing_rcpt *rcpts; /* those that are left */
	size_t nrcpts;
	struct text_list refused; /* those that were refused */
	int status;               /* to exit with because of these; 0 */
	const char *place;        /* that was tried last */
	char why[1024];           /* why others are left */
};

#endif
