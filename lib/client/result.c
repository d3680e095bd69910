/* SPDX-License-Identifier: MIT */
#include "client/result.h"

#include <string.h>

#include "base/text.h"

void
smtpd__result_set_text(
    struct smtpd_result *r, const char *status, const char *text)
{
	struct smtpd_text t;

	smtpd__text_init(&t, r->status, sizeof(r->status));
	smtpd__text_add(&t, status);
	smtpd__text_init(&t, r->text, sizeof(r->text));
	smtpd__text_filtered(&t, text, strlen(text));
}

void
smtpd__result_vset(struct smtpd_result *r, enum smtpd_outcome outcome,
    enum smtpd_phase phase, const char *status, const char *format, va_list ap)
{
	char buf[sizeof(r->text)];
	struct smtpd_text t;

	smtpd__text_init(&t, buf, sizeof(buf));
	smtpd__text_vformat(&t, format, ap);
	r->outcome = outcome;
	r->phase = phase;
	r->code = 0;
	smtpd__result_set_text(r, status, buf);
}

void
smtpd__result_set(struct smtpd_result *r, enum smtpd_outcome outcome,
    enum smtpd_phase phase, const char *status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	smtpd__result_vset(r, outcome, phase, status, format, ap);
	va_end(ap);
}

/* The credentials are no good, for now; without a code, as no host said it. */
#define HELD_STATUS "4.7.8"

void
smtpd__result_hold(struct smtpd_result *r)
{
	struct smtpd_result why = *r;

	if (r->code != 0)
		smtpd__result_set(&why, SMTPD_OUTCOME_TEMPORARY, r->phase,
		    HELD_STATUS, "%d %s", r->code, r->text);
	*r = why;
	r->outcome = SMTPD_OUTCOME_TEMPORARY;
	memcpy(r->status, HELD_STATUS, sizeof(HELD_STATUS));
}

bool
smtpd__result_is_held(const struct smtpd_result *r)
{
	return r->outcome == SMTPD_OUTCOME_TEMPORARY &&
	    r->phase == SMTPD_PHASE_AUTH && r->code == 0 &&
	    strcmp(r->status, HELD_STATUS) == 0;
}

/* 452 without an enhanced code is that, too; 552 is what it was called before,
 * and temporary only then. */
bool
smtpd__result_is_too_many(const struct smtpd_result *r)
{
	if (r->phase != SMTPD_PHASE_RCPT ||
	    r->outcome != SMTPD_OUTCOME_TEMPORARY)
		return false;
	return r->code == 552 ||
	    (r->code == 452 &&
		(strcmp(r->status, "4.5.3") == 0 ||
		    strcmp(r->status, "4.0.0") == 0));
}
