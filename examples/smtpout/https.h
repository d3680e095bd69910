/* SPDX-License-Identifier: MIT */
#ifndef HTTPS_H
#define HTTPS_H

/*
 * As much of HTTPS as policies of MTA-STS and reports of TLS take, by libcurl:
 * nothing is redirected, and nothing comes from a cache.  Where it is not built
 * in, https_none.c stands in.
 */

#include <stdbool.h>
#include <stddef.h>

#include <smtpd/policy.h>

/* How long a request may take, in seconds. */
#define HTTPS_S 60

struct https {
	char *ca; /* authorities of web servers (PEM); NULL: the system's */
	bool ready;
};

/* Whether it is built in. */
bool https_is_available(void);

/* Before the first thread; return 0 or -1. */
int https_begin(struct https *h);
void https_end(struct https *h);

/* A smtpd_sts_fetch_fn, of a struct https. */
enum smtpd_sts_fetched https_fetch(struct smtpd_sts_fetch *fetch, void *https);

/*
 * Send LEN bytes at DATA, of TYPE, by POST to URL; a certificate that is not
 * good does not matter (RFC 8460, 3).  Return 0 when the server took it, or -1
 * with the reason in WHY of SIZE bytes.
 */
int https_post(const struct https *h, const char *url, const char *type,
    const void *data, size_t len, const struct smtpd_cancel *cancel, char *why,
    size_t size);

#endif
