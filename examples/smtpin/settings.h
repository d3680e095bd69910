/* SPDX-License-Identifier: MIT */
#ifndef SETTINGS_H
#define SETTINGS_H

/* What the command line and the configuration file of smtpin say. */

#include <stdbool.h>
#include <stdint.h>

#include <smtpd/server.h>

#include "hostname.h"
#include "text_list.h"

#define PROGRAM "smtpin"

struct settings {
	char *interface; /* NULL: that of the default route */
	bool loopback;
	struct text_list listen;
	uint64_t port;
	struct text_list tls_certs;
	struct text_list tls_keys; /* as many */
	uint64_t tls_port;         /* 0: none */
	char *hostname;            /* NULL: name is that of the machine */
	char *users;
	char *maildir; /* a pattern */
	char *log;     /* NULL: stderr */
	int log_level;
	char *user;               /* NULL: stay who we are */
	uint64_t max_connections; /* 0: no limit, as for the next four */
	uint64_t max_per_address;
	uint64_t max_message_size;
	uint64_t max_recipients;
	uint64_t idle_timeout; /* seconds */

	char name[HOSTNAME_SIZE]; /* of this server */
};

/*
 * Read them.  Return OPTIONS_GO, or the exit status after --help or a mistake
 * that was told.  To be finished in any case.
 */
int settings_read(int argc, char **argv, struct settings *s);

/* Free what they hold. */
void settings_finish(struct settings *s);

/* Set OUT to what the library is to do, but for the log's user; texts are
 * shared with S. */
void settings_for_server(const struct settings *s, struct smtpd_settings *out);

#endif
