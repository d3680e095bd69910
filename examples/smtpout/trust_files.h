/* SPDX-License-Identifier: MIT */
#ifndef TRUST_FILES_H
#define TRUST_FILES_H

/*
 * Whom the daemon trusts in TLS, and the certificate that it shows, by files.
 */

#include <smtpd/tls.h>

#include "log.h"
#include "settings.h"

/* Read the authorities of hosts, and our own certificate, to *OUT: NULL without
 * TLS.  Return 0, or an exit status, of which the user was told. */
int trust_files_load(
    const struct settings *s, struct log *log, struct smtpd_trust **out);

/* Read them again.  NULL: they stay, as LOG says; a bundle that is not there
 * takes nothing away. */
struct smtpd_trust *trust_files_reload(
    const struct settings *s, struct log *log);

#endif
