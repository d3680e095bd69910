/* SPDX-License-Identifier: MIT */
#include "server/server_error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/sizes.h"
#include "base/text.h"
#include "server/server_state.h"

const char *
smtpd_server_error(const struct smtpd_server *srv)
{
	return srv->error;
}

int
smtpd__server_error_set(
    struct smtpd_server *srv, int error, const char *format, ...)
{
	struct smtpd_text t;
	va_list ap;

	smtpd__text_init(&t, srv->error, sizeof(srv->error));
	va_start(ap, format);
	smtpd__text_vformat(&t, format, ap);
	va_end(ap);
	errno = error;
	return -1;
}

int
smtpd__server_error_errno(struct smtpd_server *srv, int error, const char *what)
{
	char reason[SMTPD_ERROR_TEXT_SIZE];

	if (strerror_r(error, reason, sizeof(reason)) != 0)
		reason[0] = '\0';
	return smtpd__server_error_set(srv, error, "%s: %s", what, reason);
}

int
smtpd__server_error_memory(struct smtpd_server *srv)
{
	return smtpd__server_error_set(srv, ENOMEM, "out of memory");
}

int
smtpd__server_error_null(struct smtpd_server *srv, const char *name)
{
	return smtpd__server_error_set(
	    srv, EINVAL, "%s must not be NULL", name);
}
