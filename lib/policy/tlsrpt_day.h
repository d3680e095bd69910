/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_TLSRPT_DAY_H
#define SMTPD_POLICY_TLSRPT_DAY_H

/*
 * How sessions of a day (in UTC) with the hosts of each domain went: what is
 * reported about TLS (RFC 8460, 4.2).  Bounded; it has no lock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/name_table.h"
#include "base/pack.h"
#include "base/ring.h"
#include "client/tls_policy.h"

/* Domains of a day, kinds of failure of each, and octets of a policy that are
 * remembered; what is beyond is counted without them. */
#define SMTPD_TLSRPT_DOMAINS_MAX  10000
#define SMTPD_TLSRPT_FAILURES_MAX 32
#define SMTPD_TLSRPT_POLICY_MAX   4096

enum smtpd_tlsrpt_kind {
	SMTPD_TLSRPT_NO_POLICY,
	SMTPD_TLSRPT_STS,
	SMTPD_TLSRPT_TLSA,
};

/* A session, or what kept one from being begun. */
struct smtpd_tlsrpt_session {
	const char *domain; /* of the recipients, normalised */
	enum smtpd_tlsrpt_kind kind;
	const char *policy; /* its text, in lines; "" or NULL: none */
	size_t policy_len;
	enum smtpd_tls_failure failure; /* NONE: it went well */
	const char *host;    /* the receiving one; "": none was come to */
	const char *address; /* its address, and ours; "": not known */
	const char *source;
};

/* Sessions that failed in the same way. */
struct smtpd_tlsrpt_failure {
	enum smtpd_tls_failure type;
	char *host, *address, *source;
	uint32_t count;
};

/* What a domain had under one policy. */
struct smtpd_tlsrpt_summary {
	struct smtpd_named node; /* by domain and kind */
	struct smtpd_ring ring;
	char *domain;
	enum smtpd_tlsrpt_kind kind;
	char *policy;
	uint32_t good, bad;
	struct smtpd_tlsrpt_failure failures[SMTPD_TLSRPT_FAILURES_MAX];
	size_t nfailures;
	char key[];
};

struct smtpd_tlsrpt_day {
	uint32_t day; /* since 1970 */
	struct smtpd_name_table table;
	struct smtpd_ring all; /* those of one domain side by side, or not */
};

/* Begin an empty day.  Return 0, or -1 without memory. */
int smtpd__tlsrpt_day_begin(struct smtpd_tlsrpt_day *d, uint32_t day);
void smtpd__tlsrpt_day_finish(struct smtpd_tlsrpt_day *d);

/* Count S. */
void smtpd__tlsrpt_day_count(
    struct smtpd_tlsrpt_day *d, const struct smtpd_tlsrpt_session *s);

/* Forget all of DOMAIN. */
void smtpd__tlsrpt_day_forget(struct smtpd_tlsrpt_day *d, const char *domain);

/* "no-policy-found", "sts", "tlsa". */
const char *smtpd__tlsrpt_day_kind(enum smtpd_tlsrpt_kind kind);

/* Append D to OUT, as a text that smtpd__tlsrpt_day_read() reads. */
void smtpd__tlsrpt_day_write(
    const struct smtpd_tlsrpt_day *d, struct smtpd_pack *out);

/* Add what the LEN bytes at TEXT, a NUL behind them, say to D, as far as they
 * can be read. */
void smtpd__tlsrpt_day_read(struct smtpd_tlsrpt_day *d, char *text, size_t len);

#endif
