/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_TOLD_H
#define SMTPD_SERVER_TOLD_H

/*
 * What the client that connected told of others, by XCLIENT and XFORWARD.
 */

#include "grammar/attributes.h"
#include "net/socket.h"

struct smtpd_session;

struct smtpd_told {
	struct smtpd_sockaddr origin; /* the one that connected */
	struct smtpd_attributes xclient;
	struct smtpd_attributes xforward; /* of the next message, or this */
};

/* See to it that S, whose client is the one that connected unless this was done
 * before, has a place for what it tells.  Return 0, or -1 without memory. */
int smtpd__told_begin(struct smtpd_session *s);

/* Forget what XFORWARD said. */
void smtpd__told_forget_message(struct smtpd_session *s);

#endif
