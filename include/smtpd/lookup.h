/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_LOOKUP_H
#define SMTPD_LOOKUP_H

/*
 * Questions to the DNS, for handlers that judge clients: addresses, texts, the
 * names of hosts.  Answers are kept by the resolver.
 *
 *	char name[256];
 *	bool confirmed;
 *
 *	if (smtpd_lookup_name(resolver, smtpd_session_peer(s), 2000,
 *		smtpd_session_cancel(s), name, &confirmed) == 0)
 *		smtpd_session_set_peer_name(s, name, confirmed);
 */

#include <smtpd/resolve.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The records that can be asked for. */
enum smtpd_lookup_type {
	SMTPD_LOOKUP_A,
	SMTPD_LOOKUP_AAAA,
	SMTPD_LOOKUP_TXT,
	SMTPD_LOOKUP_PTR,
};

/* The records of a name.  They belong to the caller. */
struct smtpd_records {
	/* FOUND; LATER, there is no clear answer; NEVER, there is no such
	 * record. */
	enum smtpd_resolve_outcome outcome;
	uint32_t ttl_s; /* how long this holds */
	size_t count;   /* for smtpd_records_get() */
};

/*
 * Ask R for the records of TYPE of NAME, a name without a last dot, always
 * absolute; for PTR an address, "192.0.2.1" or "2001:db8::1", does as well, and
 * for A and AAAA what smtpd_lookup_reverse() wrote.  Blocks, for TIMEOUT_MS at
 * most, or until CANCEL (or NULL) is triggered: LATER.  Return NULL with errno:
 * ENOMEM, or EINVAL when NAME can be none.  Any thread.  Since 0.2.
 */
SMTPD_API struct smtpd_records *smtpd_lookup(struct smtpd_resolver *r,
    const char *name, enum smtpd_lookup_type type, uint32_t timeout_ms,
    const struct smtpd_cancel *cancel);

/* Record I of RECORDS, counted from 0: an address as text, a name, or the
 * strings of a TXT joined, which may hold any byte but NUL.  NULL from count
 * on.  Since 0.2. */
SMTPD_API const char *smtpd_records_get(
    const struct smtpd_records *records, size_t i);

/* Free RECORDS; NULL is fine.  Since 0.2. */
SMTPD_API void smtpd_records_free(struct smtpd_records *records);

/*
 * Write ADDRESS backwards, and behind it a dot and ZONE, to BUF of SIZE bytes,
 * as lists in the DNS are asked (RFC 5782, 2.1): "1.2.0.192.ZONE", or 32
 * nibbles.  Return 0, or -1 with errno: EINVAL, it is no address; ERANGE.
 * Since 0.2.
 */
SMTPD_API int smtpd_lookup_reverse(
    const char *address, const char *zone, char *buf, size_t size);

/*
 * Write the name of the host at ADDRESS by the DNS to NAME of 256 bytes, and
 * into *CONFIRMED whether that name has the address.  One that has is preferred
 * where there are several, of which five are looked at.  Blocks, as
 * smtpd_lookup() does.  Return 0, or -1: none is known.  Any thread.  Since
 * 0.2.
 */
SMTPD_API int smtpd_lookup_name(struct smtpd_resolver *r, const char *address,
    uint32_t timeout_ms, const struct smtpd_cancel *cancel, char *name,
    bool *confirmed);

#ifdef __cplusplus
}
#endif

#endif
