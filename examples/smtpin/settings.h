/* SPDX-License-Identifier: MIT */
#ifndef SETTINGS_H
#define SETTINGS_H

/*
 * The settings of smtpin, from its command line and configuration file.
 */

#include <smtpd/server.h>

#include "receiver_options.h"

#define PROGRAM "smtpin"

/* So many for each address in each span of time; UINT32_MAX: no limit. */
struct rate {
	uint32_t count;
	uint32_t window_ms;
};

struct settings {
	struct receiver_options in;
	struct text_list interfaces; /* none: that of the default route */
	struct text_list lmtp;       /* addresses for LMTP */
	bool tls_tickets;            /* clients may resume sessions */
	char *dns;                   /* for --check; NULL: the system's */
	uint64_t min_free;           /* bytes of the mailboxes' disk */
	uint64_t quota;              /* bytes of a mailbox; 0: no limit */
	uint64_t slow_after;         /* refusals; 0: never, as the next */
	uint64_t close_after;
	uint64_t greet_delay;        /* seconds */
	struct text_list proxy_from; /* networks */
	struct text_list xclient_from;
	struct text_list dnsbl; /* zones of lists that refuse clients */
	struct text_list dnswl; /* and of those that except them */
	char *list_dns;         /* NULL: the DNS servers of the system */
	char *max_rate;         /* "10/s"; NULL: none, as the next */
	char *max_rcpt_rate;
	struct rate connect_rate, rcpt_rate; /* what these two say */
	char *users;
	char *maildir; /* a pattern */
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
