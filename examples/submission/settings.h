/* SPDX-License-Identifier: MIT */
#ifndef SETTINGS_H
#define SETTINGS_H

/*
 * The settings of submission, from its command line and configuration file.
 */

#include <stdbool.h>
#include <stdint.h>

#include <smtpd/resolve.h>
#include <smtpd/server.h>

#include "receiver_options.h"

#define PROGRAM "submission"

struct settings {
	struct receiver_options in;
	struct text_list interfaces; /* none: that of the default route */
	char *accounts;              /* a file */
	bool no_scram;
	bool any_from;
	uint64_t user_hour, user_day; /* recipients; 0: no limit */
	char *smtpout;                /* where it is */

	/* Derived from that. */
	struct smtpd_target target;
	uint16_t port; /* of target */
};

/*
 * Read them.  Return OPTIONS_GO, or the exit status after --help, or after
 * complaining of a mistake.  To be finished in any case.
 */
int settings_read(int argc, char **argv, struct settings *s);

/* Free what they hold. */
void settings_finish(struct settings *s);

/* Set OUT to the settings of the library, without auth and the users of
 * callbacks; it shares the texts of S. */
void settings_for_server(const struct settings *s, struct smtpd_settings *out);

#endif
