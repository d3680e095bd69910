/* SPDX-License-Identifier: MIT */
#ifndef RECEIVER_OPTIONS_H
#define RECEIVER_OPTIONS_H

/*
 * The options that both daemons share: where they listen, how they accept mail,
 * and which limits they keep.
 */

#include <stdbool.h>
#include <stdint.h>

#include <smtpd/server.h>

#include "hostname.h"
#include "options.h"
#include "text_list.h"

struct receiver_options {
	bool loopback;
	struct text_list listen;
	uint64_t port;
	struct text_list tls_certs;
	struct text_list tls_keys; /* as many */
	uint64_t tls_port;         /* 0: none */
	char *hostname;            /* NULL: name is that of the machine */
	char *log;                 /* NULL: stderr */
	int log_level;
	bool check;               /* read everything, and end */
	char *user;               /* NULL: do not change it */
	uint64_t max_connections; /* 0: no limit, as for the next four */
	uint64_t max_per_address;
	uint64_t max_message_size;
	uint64_t max_recipients;
	uint64_t idle_timeout; /* seconds */
	struct text_list milters;
	uint64_t milter_timeout; /* seconds */
	char *milter_failure;    /* NULL: tempfail */
	bool no_ptr;             /* clients have no names */

	char name[HOSTNAME_SIZE]; /* of this server */
};

/* A number that no option has set. */
#define RECEIVER_OPTIONS_UNSET UINT64_MAX

/* The largest value of options that count something. */
#define RECEIVER_OPTIONS_MANY 1000000

/* The rules that fill it in, to be shared by the table of a daemon. */
extern const struct option_table receiver_options_table;

/* Its values before options are read. */
extern const struct receiver_options receiver_options_defaults;

/*
 * Check the options and fill in the defaults.  Return 0, or an exit status
 * after the complaint of PROGRAM.
 */
int receiver_options_complete(struct receiver_options *r, const char *program);

/* A limit of the command line, where 0 means none, as the library has it. */
uint32_t receiver_options_limit(uint64_t n);

/* What a network may have where an address may have N, as the library has
 * either. */
uint32_t receiver_options_network_limit(uint64_t n);

/* Set OUT to the settings of the library, without log_user; it shares the texts
 * of R. */
void receiver_options_for_server(
    const struct receiver_options *r, struct smtpd_settings *out);

#endif
