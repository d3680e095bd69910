/* SPDX-License-Identifier: MIT */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

/*
 * A certificate for trying out, signed by itself.
 */

#include <smtpd/tls.h>

/* Make a key and a certificate for localhost, of ten years, and TLS with them.
 * Return NULL when that fails. */
struct smtpd_tls *certificate_make(void);

#endif
