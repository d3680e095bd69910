/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_TLSA_H
#define SMTPD_BASE_TLSA_H

/*
 * TLSA records (RFC 6698, 2.1): read with all lengths
 * checked, and chosen for SMTP.  Nothing is asked for, and no certificate is
 * looked at here.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* Records of one host that are kept, and octets of one. */
#define SMTPD_TLSA_MAX      32
#define SMTPD_TLSA_DATA_MAX 4096

enum smtpd_tlsa_usage {
	SMTPD_TLSA_PKIX_TA, /* of no use for SMTP (RFC 7672, 3.1.3) */
	SMTPD_TLSA_PKIX_EE, /* likewise */
	SMTPD_TLSA_DANE_TA, /* an authority of the server's chain */
	SMTPD_TLSA_DANE_EE, /* the server's own certificate or key */
};

enum smtpd_tlsa_selector {
	SMTPD_TLSA_CERTIFICATE,
	SMTPD_TLSA_KEY, /* SubjectPublicKeyInfo */
};

enum smtpd_tlsa_matching {
	SMTPD_TLSA_FULL, /* no digest */
	SMTPD_TLSA_SHA256,
	SMTPD_TLSA_SHA512,
};

struct smtpd_tlsa {
	unsigned char usage;
	unsigned char selector;
	unsigned char matching;
	const unsigned char *data; /* in the set */
	size_t len;
};

/* The records of one host that can be used, in one piece of memory. */
struct smtpd_tlsa_set {
	size_t count;
	size_t unusable; /* records besides, which mean that there is TLS */
	struct smtpd_tlsa list[SMTPD_TLSA_MAX];
	size_t used; /* of bytes */
	size_t room;
	unsigned char bytes[];
};

/* A set without records, with room for SIZE octets of data; the caller frees
 * it.  NULL without memory. */
struct smtpd_tlsa_set *smtpd__tlsa_create(size_t size);

/*
 * Add the record whose data are the LEN octets at DATA.  One that SMTP cannot
 * use counts as unusable: shorter than four octets, of another usage than
 * DANE-TA and DANE-EE, of an unknown selector or matching type, a digest of
 * another length, or more than a set has room for.
 */
void smtpd__tlsa_add(
    struct smtpd_tlsa_set *set, const unsigned char *data, size_t len);

/*
 * Drop each digest that a stronger one of the same usage and selector stands
 * beside (RFC 7671, 9), once all are added, and sort the rest, so that the same
 * records make the same set in whatever order they came.
 */
void smtpd__tlsa_finish(struct smtpd_tlsa_set *set);

/* Append RECORD to TEXT in the form of logs: "3 1 1 0123456789abcdef...". */
void smtpd__tlsa_write(
    const struct smtpd_tlsa *record, struct smtpd_text *text);

#endif
