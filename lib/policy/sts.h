/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_STS_H
#define SMTPD_POLICY_STS_H

/*
 * Which policy of MTA-STS a domain has (RFC 8461): found by its TXT record,
 * fetched, kept as long as it says, over restarts too, and refreshed by a
 * thread of its own before it ends.
 *
 * - Who needs a policy that is not known looks for it on its own thread, and
 *   those that need the same one wait; nobody else does.
 * - A policy that is kept holds until its end, whatever became of its TXT
 *   record or of its web server meanwhile (RFC 8461, 5.1).
 * - What failed is not tried again for some minutes.
 */

#include <smtpd/cancel.h>
#include <smtpd/policy.h>

#include <stdint.h>

#include "base/logger.h"
#include "client/tls_policy.h"
#include "grammar/sts_policy.h"
#include "grammar/sts_record.h"
#include "resolve/txt.h"

/* Look up the TXT record of DOMAIN's policy into OUT. */
typedef void smtpd_sts_txt_fn(void *user, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_txt *out);

struct smtpd_sts_settings {
	const char *directory; /* of sts_file.h; NULL: none */
	smtpd_sts_txt_fn *txt;
	void *txt_user;
	smtpd_sts_fetch_fn *fetch;
	void *fetch_user;
	struct smtpd_logger logger;
};

struct smtpd_sts;

/* Return NULL with errno. */
struct smtpd_sts *smtpd__sts_create(const struct smtpd_sts_settings *settings);

/* No thread may be using it, that of sts_thread.h neither; NULL is fine. */
void smtpd__sts_destroy(struct smtpd_sts *s);

/* The text of a policy, which all who use it share. */
struct smtpd_sts_text;

struct smtpd_sts_found {
	struct smtpd_sts_policy policy; /* of the text; mode NONE: there is no
	                                 * policy, or it asks for nothing */
	struct smtpd_sts_text *text;    /* a reference; NULL: there is none */
	char id[SMTPD_STS_ID_SIZE];
	uint64_t until_s; /* when it ends */

	/* Why none is known though there is a record; NONE: there is none. */
	enum smtpd_tls_failure failure;
};

/* Find the policy of DOMAIN, which is normalised, at the time NOW_S since 1970.
 * Blocks while it is not known, up to a minute and some seconds. */
void smtpd__sts_find(struct smtpd_sts *s, const char *domain,
    const struct smtpd_cancel *cancel, uint64_t now_s,
    struct smtpd_sts_found *out);

void smtpd__sts_release(struct smtpd_sts_found *found);

/* Mail could not be sent for the policy of DOMAIN: look whether there is a new
 * one, at NOW_S, before that is final (RFC 8461, 5.1). */
void smtpd__sts_doubt(struct smtpd_sts *s, const char *domain, uint64_t now_s);

/* Refresh all that is due at NOW_S: what the thread does. */
void smtpd__sts_refresh(struct smtpd_sts *s, uint64_t now_s);

#endif
