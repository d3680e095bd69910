/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_TLSRPT_H
#define SMTPD_POLICY_TLSRPT_H

/*
 * Reports to domains of how TLS with their hosts went (RFC 8460): sessions are
 * counted by day, in a file for each day, and what a day had is reported to
 * those who ask for it, some hours after its end.  A kill forgets a minute.
 */

#include <smtpd/policy.h>

#include "base/logger.h"
#include "base/pack.h"
#include "policy/tlsrpt_day.h"
#include "policy/tlsrpt_json.h"
#include "resolve/txt.h"

/* Reports go out at a random time within so many seconds of a day's end; what
 * fails is tried again so much later, and given up so long after that end. */
#define SMTPD_TLSRPT_SPREAD_S 14400
#define SMTPD_TLSRPT_AGAIN_S  3600
#define SMTPD_TLSRPT_END_S    172800

struct smtpd_tlsrpt_settings {
	const char *directory; /* of the files; made when it is not there */

	/* Looks up the TXT record of a domain that asks for reports. */
	void (*txt)(void *user, const char *domain,
	    const struct smtpd_cancel *cancel, struct smtpd_txt *out);
	void *txt_user;
	smtpd_tls_report_fn *report;
	void *report_user;
	struct smtpd_tlsrpt_reporter who; /* lives as long */
	struct smtpd_logger logger;
};

struct smtpd_tlsrpt;

/* Return NULL with errno.  NOW_S is the time since 1970. */
struct smtpd_tlsrpt *smtpd__tlsrpt_create(
    const struct smtpd_tlsrpt_settings *settings, uint64_t now_s);

/* Write what was counted, and free T, of which no thread may be left; NULL is
 * fine. */
void smtpd__tlsrpt_destroy(struct smtpd_tlsrpt *t);

/* Count a session.  Any thread. */
void smtpd__tlsrpt_count(struct smtpd_tlsrpt *t,
    const struct smtpd_tlsrpt_session *session, uint64_t now_s);

/* Append what was counted today to OUT, as tlsrpt_day.h writes it. */
void smtpd__tlsrpt_show(struct smtpd_tlsrpt *t, struct smtpd_pack *out);

/* Write what was counted since the last time, and report what is due at NOW_S.
 * One thread at a time; CANCEL ends it. */
void smtpd__tlsrpt_step(
    struct smtpd_tlsrpt *t, uint64_t now_s, const struct smtpd_cancel *cancel);

#endif
