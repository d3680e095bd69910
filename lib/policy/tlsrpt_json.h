/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_TLSRPT_JSON_H
#define SMTPD_POLICY_TLSRPT_JSON_H

/* A report of TLS as JSON (RFC 8460, 4.4). */

#include "policy/tlsrpt_day.h"

/* The host that reports. */
struct smtpd_tlsrpt_reporter {
	const char *organization;
	const char *contact; /* an address */
	const char *host;    /* a name: makes ids unique */
};

/* Room for an id, with its NUL. */
#define SMTPD_TLSRPT_ID_SIZE 600

/* Write the id of the report about DOMAIN: the same each time it is made. */
void smtpd__tlsrpt_json_id(const struct smtpd_tlsrpt_reporter *who,
    const struct smtpd_tlsrpt_day *d, const char *domain,
    char id[SMTPD_TLSRPT_ID_SIZE]);

/* Append the report about DOMAIN, as far as D has it, to OUT. */
void smtpd__tlsrpt_json_write(const struct smtpd_tlsrpt_reporter *who,
    const struct smtpd_tlsrpt_day *d, const char *domain,
    struct smtpd_pack *out);

#endif
