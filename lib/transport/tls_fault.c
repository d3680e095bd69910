/* SPDX-License-Identifier: MIT */
#include "transport/tls_fault.h"

#include <mbedtls/version.h>

#include <mbedtls/error.h>

#include <errno.h>
#include <string.h>

#include "base/sizes.h"
#include "base/text.h"

int
smtpd__tls_fault_set(
    struct smtpd_tls_fault *e, const char *where, const char *what, int code)
{
	struct smtpd_text t;
	char reason[SMTPD_ERROR_TEXT_SIZE] = "";

	smtpd__text_init(&t, e->text, sizeof(e->text));
	smtpd__text_format(&t, "%s: %s", where, what);
	if (code < 0)
		mbedtls_strerror(code, reason, sizeof(reason));
	else if (code > 0 && strerror_r(code, reason, sizeof(reason)) != 0)
		reason[0] = '\0';
	if (reason[0] != '\0')
		smtpd__text_format(&t, ": %s", reason);
	errno = code > 0 ? code : EINVAL;
	return -1;
}
