/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SETTINGS_H
#define SMTPD_QUEUE_SETTINGS_H

/*
 * The settings of a program for its queue: taken in whatever their
 * version, checked, and completed by defaults.
 */

#include <smtpd/queue.h>

#include "base/sizes.h"

/* Settings and the structs that they point to; strings in these are the
 * caller's. */
struct smtpd_settings_copy {
	struct smtpd_queue_settings queue;
	struct smtpd_client_settings client;
	struct smtpd_policy_settings policy;
	struct smtpd_route_target smarthost;
	struct smtpd_security_rule *rules;
	char hostname[SMTPD_HOSTNAME_SIZE];
};

/* Take in GIVEN, or NULL.  Return 0, or -1 with errno and the reason in ERROR
 * of SIZE bytes.  The caller frees the rules of COPY, in any case. */
int smtpd__queue_settings_copy(struct smtpd_settings_copy *copy,
    const struct smtpd_queue_settings *given, char *error, size_t size);

/* Return true if FIX has bits of enum smtpd_queue_fix only, and SMTPD_FIX_NONE
 * alone. */
bool smtpd__queue_settings_is_fix(unsigned fix);

#endif
