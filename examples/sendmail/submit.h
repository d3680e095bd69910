/* SPDX-License-Identifier: MIT */
#ifndef SUBMIT_H
#define SUBMIT_H

/* One message on its way to smtpout, or into its queue. */

#include <smtpd/client.h>

#include "arguments.h"
#include "identity.h"
#include "message.h"

struct submission {
	const struct arguments *arguments;
	const struct identity *identity;
	const struct message *message;
	struct smtpd_outgoing_rcpt *rcpts; /* that are not done yet */
	size_t nrcpts;
	struct text_list refused; /* of those that are done */
	int status;               /* because of these; 0 */
	char why[1024];           /* why the others are not */
};

/*
 * Submit the message by SMTP, or add it to the queue's directory: whoever is
 * done is taken out of s->rcpts, and what was refused is told.  Return whether
 * it may be worth to come again; s->why tells of those that are left.
 */
bool submit_smtp(struct submission *s);
bool submit_queue(struct submission *s);

#endif
