/* SPDX-License-Identifier: MIT */
#ifndef IDENTITY_H
#define IDENTITY_H

/*
 * The sender: the user who calls, and this host.
 */

#include "hostname.h"

#define IDENTITY_TEXT 1024

struct identity {
	char host[HOSTNAME_SIZE]; /* as it calls itself */
	char user[256];
	char home[IDENTITY_TEXT];     /* "" when there is none */
	char sender[IDENTITY_TEXT];   /* of the envelope, perhaps without a
	                               * domain; "" for the null one */
	char from[2 * IDENTITY_TEXT]; /* what From says */
};

/*
 * Find the identity of the caller.  SENDER (NULL: the user) is an address in
 * any form; NAME (NULL: that of the user) goes into From.  smtpout adds its
 * mail name where there is no domain.  Return 0, or an exit status after a
 * complaint.
 */
int identity_find(struct identity *id, const char *sender, const char *name);

/* Write NAME as RFC 5322 has it before an address in From, a blank behind it,
 * to BUF of SIZE bytes: as atoms, as a quoted string, or where it has bytes
 * outside ASCII as an encoded word (RFC 2047); "" where that is too long. */
void identity_phrase(const char *name, char *buf, size_t size);

#endif
