/* SPDX-License-Identifier: MIT */
#ifndef SENDER_OPTIONS_H
#define SENDER_OPTIONS_H

/*
 * The options that programs which send mail share: smarthost, security,
 * password.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smtpd/client.h>

/* A host that all mail is sent to, instead of the recipients' own hosts. */
struct smarthost {
	bool tls_first;
	const char *user; /* NULL: without AUTH */
	const char *host; /* NULL: no smarthost */
	uint16_t port;
};

/*
 * Divide TEXT, "[tls://][user@]host[:port]" where a host with colons is in
 * brackets, into OUT, which points into it.  The port is 25 if TEXT names none,
 * 587 with a user, 465 with tls://.  Return 0, or -1 when TEXT is wrong.
 */
int sender_options_smarthost(char *text, struct smarthost *out);

/* Read "opportunistic", "require" or "never".  Return 0 or -1. */
int sender_options_security(const char *text, enum smtpd_security *out);

/* Read a port from 1 on.  Return 0 or -1. */
int sender_options_port(const char *text, uint16_t *port);

/* Read the first line of FILE into BUF of SIZE bytes: a password, which no
 * command line should show.  Return 0, or -1 with errno. */
int sender_options_password(const char *file, char *buf, size_t size);

#endif
