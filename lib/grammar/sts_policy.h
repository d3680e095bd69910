/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_STS_POLICY_H
#define SMTPD_GRAMMAR_STS_POLICY_H

/*
 * The policy of MTA-STS that a domain publishes by HTTPS: to which hosts its
 * mail may go, and that they have TLS (RFC 8461, 3.2).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is longer, in octets, is no policy (RFC 8461, 3.3 suggests it). */
#define SMTPD_STS_POLICY_MAX 65536

/* The longest time, in seconds, for which one may hold (RFC 8461, 3.2). */
#define SMTPD_STS_AGE_MAX 31557600

enum smtpd_sts_mode {
	SMTPD_STS_NONE,    /* it is as if there were no policy */
	SMTPD_STS_TESTING, /* what is against it is only counted */
	SMTPD_STS_ENFORCE, /* and gets no mail */
};

struct smtpd_sts_policy {
	enum smtpd_sts_mode mode;
	uint32_t max_age_s;
	const char *text; /* the caller's, of which the mx lines are read */
	size_t len;
};

/*
 * Read the LEN bytes at TEXT, which must live as long as OUT.  Return NULL, or
 * what is wrong with it: then it is no policy.
 */
const char *smtpd__sts_policy_read(
    const char *text, size_t len, struct smtpd_sts_policy *out);

/* Whether P allows HOST, a name in lower case and A-labels: by its own name, or
 * by "*.", which stands for one label (RFC 8461, 4.1). */
bool smtpd__sts_policy_allows(
    const struct smtpd_sts_policy *p, const char *host);

/* One line of P after the other, without its end: *AT begins with 0.  Return
 * the line with its length in *LEN, or NULL behind the last. */
const char *smtpd__sts_policy_line(
    const struct smtpd_sts_policy *p, size_t *at, size_t *len);

/* The name that the line of LEN bytes at S allows, with *NAME_LEN, if it is one
 * for mx; else NULL. */
const char *smtpd__sts_policy_mx(const char *s, size_t len, size_t *name_len);

/* "none", "testing", "enforce". */
const char *smtpd__sts_policy_word(enum smtpd_sts_mode mode);

#endif
