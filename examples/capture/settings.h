/* SPDX-License-Identifier: MIT */
#ifndef SETTINGS_H
#define SETTINGS_H

/*
 * The settings of capture, from its command line and configuration file.
 */

#include <smtpd/server.h>

#include "receiver_options.h"

#define PROGRAM "capture"

struct settings {
	struct receiver_options in;
	char *web;                  /* where the page is */
	struct text_list web_names; /* by which browsers may call it */
	bool tls;                   /* with a certificate made at the start */
	uint64_t max_messages;
	uint64_t max_memory; /* octets */
};

/*
 * Read them.  Return OPTIONS_GO, or the exit status after --help, or after
 * complaining of a mistake.  To be finished in any case.
 */
int settings_read(int argc, char **argv, struct settings *s);

/* Free what they hold. */
void settings_finish(struct settings *s);

/* Set OUT to the settings of the library, without log_user; it shares the texts
 * of S. */
void settings_for_server(const struct settings *s, struct smtpd_settings *out);

#endif
