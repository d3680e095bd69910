/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_SETTINGS_H
#define SMTPD_CLIENT_SETTINGS_H

/* The settings of a client: checked, completed by defaults, and copied. */

#include "client/client_state.h"

/* Whether LIST names mechanisms of AUTH that are known, one at least. */
bool smtpd__client_settings_are_mechanisms(const char *list);

/* Whether the values in S can be. */
bool smtpd__client_settings_are_valid(const struct smtpd_client_settings *s);

/* Fill in the defaults of C's settings, and copy what they point to.  Return 0,
 * or -1 without memory; to be finished in any case. */
int smtpd__client_settings_complete(struct smtpd_client *c);

/* Set POLICY to what S demand of TLS. */
void smtpd__client_settings_policy(
    const struct smtpd_client_settings *s, struct smtpd_tls_policy *policy);

/* Free what was copied, and leave no trace of a password. */
void smtpd__client_settings_finish(struct smtpd_client *c);

#endif
