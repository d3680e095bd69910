/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_COUNTERS_H
#define SMTPD_SERVER_COUNTERS_H

/*
 * The counters of a server: any thread may change them, without a lock, and
 * smtpd_server_count() reads them.
 */

#include <smtpd/server.h>

#include <stdatomic.h>

/* One for each member of struct smtpd_server_counters but threads_now, which
 * the pool knows. */
enum smtpd_counter {
	SMTPD_COUNTER_CONNECTIONS,
	SMTPD_COUNTER_CONNECTIONS_NOW,
	SMTPD_COUNTER_MESSAGES,
	SMTPD_COUNTER_MESSAGES_REFUSED,
	SMTPD_COUNTER_RECIPIENTS,
	SMTPD_COUNTER_BYTES_IN,
	SMTPD_COUNTER_BYTES_OUT,
	SMTPD_COUNTER_COMMANDS,
	SMTPD_COUNTER_TLS,
	SMTPD_COUNTER_REFUSED_CONNECTIONS,
	SMTPD_COUNTER_REFUSED_SENDERS,
	SMTPD_COUNTER_REFUSED_RECIPIENTS,
	SMTPD_COUNTER_REFUSED_SIZE,
	SMTPD_COUNTER_REFUSED_CONTENT,
	SMTPD_COUNTER_REFUSED_SYNTAX,
	SMTPD_COUNTER_REFUSED_PROTOCOL,
	SMTPD_COUNTER_REFUSED_ABUSE,
	SMTPD_COUNTER_REFUSED_TLS,
	SMTPD_COUNTER_TIMEOUTS,
	SMTPD_COUNTER_DISCONNECTS,
	SMTPD_COUNTER_ERRORS,
	SMTPD_COUNTER_LONG_LINES,
	SMTPD_COUNTER_AUTHENTICATED,
	SMTPD_COUNTER_REFUSED_AUTH,
	SMTPD_COUNTER_SLOW_DELIVERIES,
	SMTPD_COUNTER_NONE, /* nothing is counted; and their number */
};

/* All zero at first. */
struct smtpd_counters {
	_Atomic uint64_t values[SMTPD_COUNTER_NONE];
};

/* Add N to counter WHICH, unless that is SMTPD_COUNTER_NONE. */
void smtpd__counters_add(
    struct smtpd_counters *c, enum smtpd_counter which, int64_t n);

/* Copy the values to OUT, whose other members stay. */
void smtpd__counters_read(
    const struct smtpd_counters *c, struct smtpd_server_counters *out);

#endif
