/* SPDX-License-Identifier: MIT */
#ifndef IDENTITY_H
#define IDENTITY_H

/*
 * The sender: the user who calls, and this host.
 */

#include <stdbool.h>

#include "hostname.h"

#define IDENTITY_TEXT 1024

struct identity {
	char host[HOSTNAME_SIZE]; /* as it calls itself, until asked for */
	bool unasked;             /* its full name was not asked for */
	char user[256];
	char home[IDENTITY_TEXT];     /* "" when there is none */
	char sender[IDENTITY_TEXT];   /* of the envelope; "" for the null one */
	char from[2 * IDENTITY_TEXT]; /* what From says */
};

/*
 * Find the identity of the caller.  SENDER (NULL: the user at this host) is
 * an address in any form, to which the host is added if it has no domain; NAME
 * (NULL: that of the user) goes into From.  Return 0, or an exit status after a
 * complaint.
 */
int identity_find(struct identity *id, const char *sender, const char *name);

/* The full name of this host, for which the resolver may be asked; NULL, after
 * a complaint, when it has none that mail can use. */
const char *identity_domain(struct identity *id);

/* Write the address ADDRESS, with this host if it has no domain, to BUF of SIZE
 * bytes.  Return 0, or an exit status after a complaint, when it does not fit,
 * or the host has no name. */
int identity_complete(
    struct identity *id, const char *address, char *buf, size_t size);

/* Write NAME as RFC 5322 has it before an address in From, a blank behind it,
 * to BUF of SIZE bytes: as atoms, as a quoted string, or where it has bytes
 * outside ASCII as an encoded word (RFC 2047); "" where that is too long. */
void identity_phrase(const char *name, char *buf, size_t size);

#endif
