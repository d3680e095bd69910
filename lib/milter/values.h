/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_VALUES_H
#define SMTPD_MILTER_VALUES_H

/*
 * The values of macros, by what is known of a session.
 */

#include <smtpd/session.h>

#include "milter/milter.h"

struct smtpd_values {
	const struct smtpd_milter *milter;
	struct smtpd_session *session;
	const struct smtpd_address *rcpt; /* that is told now, or NULL */
	char text[512];                   /* of the last value */
};

/* A smtpd_macro_fn, whose user is a struct smtpd_values. */
const char *smtpd__values_find(void *values, const char *name);

/* The name of the client of S for filters: "unknown" where there is none. */
const char *smtpd__values_client_name(const struct smtpd_session *s);

#endif
