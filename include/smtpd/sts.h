/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_STS_H
#define SMTPD_STS_H

/*
 * MTA-STS (RFC 8461): domains publish by HTTPS to which hosts their mail may
 * go, and that these have TLS.  The library finds, keeps, refreshes and applies
 * policies; it has no HTTPS, which the program brings along.
 */

#include <smtpd/cancel.h>
#include <smtpd/version.h>

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What came of fetching a policy. */
enum smtpd_sts_fetched {
	SMTPD_STS_FETCHED,
	SMTPD_STS_UNREACHABLE, /* there is none, or it could not be had */
	SMTPD_STS_UNTRUSTED,   /* the certificate of the web server is not
	                        * good */
};

/* A policy that is to be fetched.  It belongs to the library, and may grow. */
struct smtpd_sts_fetch {
	const char *url; /* "https://mta-sts.example.com/.well-known/..." */
	const struct smtpd_cancel *cancel; /* ends it; may be NULL */

	char *text;   /* to be filled with what is there, */
	size_t size;  /* which is no policy if it has more octets than this; */
	size_t len;   /* how many it has */
	char *reason; /* why it failed, a sentence for people, */
	size_t reason_size; /* of so many bytes with its NUL */
};

/*
 * Fetch a policy (RFC 8461, 3.3): by GET; over TLS with a certificate that is
 * good for the host in the URL, by the authorities of the system; redirects are
 * not followed, and nothing comes from a cache; what is there is status 200 and
 * text/plain.  Blocks, a minute at most.  Any thread, several at a time.
 */
typedef enum smtpd_sts_fetched smtpd_sts_fetch_fn(
    struct smtpd_sts_fetch *fetch, void *user) SMTPD_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
