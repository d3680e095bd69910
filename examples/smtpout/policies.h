/* SPDX-License-Identifier: MIT */
#ifndef POLICIES_H
#define POLICIES_H

/*
 * The options --tls, --tls-lost and --no-dane: how mail to all domains, or to
 * one, is secured.
 */

#include "settings.h"

/* Check them, and complete what S derives from them.  Return 0, or EX_USAGE
 * after complaining of a mistake, or EX_OSERR. */
int policies_complete(struct settings *s);

/* Set OUT to what S say of DANE, and of TLS that is lost. */
void policies_set(const struct settings *s, struct smtpd_policy_settings *out);

#endif
