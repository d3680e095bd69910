/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_DNS_H
#define SMTPD_RESOLVE_DNS_H

/*
 * Asking the DNS.  The sockets are our own: a question ends at its deadline
 * and can be cancelled, over TCP too, and a server's failure is told apart from
 * its silence.
 */

#include <smtpd/cancel.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "resolve/dns_message.h"

struct smtpd_dns_settings {
	const char *servers; /* as smtpd__dns_servers_parse() reads them; NULL:
	                      * those of the system */
	uint32_t timeout_ms; /* for one answer, over UDP and then over TCP */
	uint32_t tries;      /* rounds over all servers */
	bool trust;          /* believe the AD bit of every server */
};

/* The servers, and which of them were seen silent.  Any number of threads may
 * ask at a time. */
struct smtpd_dns;

/* Return NULL with errno: ENOMEM, or EINVAL when the servers cannot be read
 * or there are none. */
struct smtpd_dns *smtpd__dns_create(const struct smtpd_dns_settings *settings);

/* No thread may be asking.  NULL is fine. */
void smtpd__dns_destroy(struct smtpd_dns *d);

/* Append the servers that are asked at present to TEXT. */
void smtpd__dns_list_servers(
    const struct smtpd_dns *d, struct smtpd_text *text);

/*
 * Ask for the records of TYPE of NAME, which has no last dot and is absolute,
 * until the absolute DEADLINE at the latest.  Return the answer of the first
 * server that gave a clear one, or why there was none; the caller frees it.
 * NULL without memory.
 */
struct smtpd_dns_answer *smtpd__dns_ask(struct smtpd_dns *d, const char *name,
    enum smtpd_dns_type type, uint64_t deadline,
    const struct smtpd_cancel *cancel);

/* Whether a question that failed is answered once no signatures are checked:
 * they are wrong then, and not the servers of the domain. */
bool smtpd__dns_is_bogus(struct smtpd_dns *d, const char *name,
    enum smtpd_dns_type type, uint64_t deadline,
    const struct smtpd_cancel *cancel);

#endif
