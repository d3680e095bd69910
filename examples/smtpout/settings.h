/* SPDX-License-Identifier: MIT */
#ifndef SETTINGS_H
#define SETTINGS_H

/*
 * The settings of smtpout, from its command line and configuration file.
 */

#include <stdbool.h>
#include <stdint.h>

#include <smtpd/queue.h>
#include <smtpd/server.h>

#include "receiver_options.h"
#include "sender_options.h"
#include "site_limits.h"
#include "sources.h"
#include "text_list.h"

#define PROGRAM "smtpout"

struct settings {
	/* How mail comes in. */
	struct receiver_options in;
	uint64_t max_per_user; /* 0: no limit */
	uint64_t user_share;   /* octets in a day; 0: of the disk */
	bool default_socket;   /* listen on SMTPOUT_SOCKET if that can be */
	char *mailname;        /* the domain of local names */
	char *masquerade;      /* NULL: none */
	char *aliases;         /* NULL: there are none */
	bool remove_bcc;
	bool repair_cr;

	/* How it is kept, and goes out. */
	char *queue;
	char *drop_box; /* NULL: the usual one, if it is there */
	char *dns;      /* NULL: the system's */
	uint64_t remote_port;
	bool refuse_private;
	bool trust_resolver;
	bool no_dane;
	char *tls_lost; /* "plain" or "defer"; NULL: plain */
	struct text_list routes;
	char *route_file; /* NULL: none */
	char *smarthost;  /* as it was given; NULL: none */
	char *password_file;
	char *token_file;
	char *token_command;
	char
	    *auth_mechanisms; /* divided by commas or blanks; by blanks later */
	uint64_t retry_min;   /* seconds, as all times here */
	uint64_t retry_max;
	uint64_t lifetime;
	uint64_t delay_notice; /* 0: none */
	char *postmaster;      /* NULL: postmaster of this host */
	struct text_list source;
	struct text_list tls;
	char *tls_ca;
	char *mta_sts;     /* "on" or "off" */
	char *tls_report;  /* likewise */
	char *mta_sts_ca;  /* NULL: the system's */
	char *client_cert; /* with client_key, or both NULL */
	char *client_key;
	struct text_list dkim;
	char *dkim_fields; /* NULL: the library's */
	bool dkim_subdomains;
	bool dkim_as_is;
	uint64_t connect_timeout;
	uint64_t command_timeout; /* 0: those of RFC 5321 */
	uint64_t workers;
	uint64_t site_connections;
	struct text_list limit;
	uint64_t queue_segment;
	uint64_t min_free; /* 0: the library's default */

	/* Derived from these. */
	struct smarthost relay; /* of smarthost, which it points into */
	enum smtpd_security security;
	bool security_given;
	bool uses_sts, sends_reports;
	struct smtpd_security_rule *rules; /* point into tls, and names */
	size_t nrules;
	const char **names; /* point into tls */
	size_t nnames;
	struct site_limits *limits; /* point into limit; NULL: there are none */
	struct smtpd_source sources[SOURCES_MAX]; /* point into source */
	size_t nsources;
	char password[512];
};

/*
 * Read them.  Return OPTIONS_GO, or the exit status after --help, or after
 * complaining of a mistake.  To be finished in any case.
 */
int settings_read(int argc, char **argv, struct settings *s);

/* Free what they hold. */
void settings_finish(struct settings *s);

/* Set OUT to the settings of the library's server, without log_user; it shares
 * the texts of S. */
void settings_for_server(const struct settings *s, struct smtpd_settings *out);

#endif
