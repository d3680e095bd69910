/* SPDX-License-Identifier: MIT */
/* A library without TLS: there are no authorities. */
#include <errno.h>
#include <stdio.h>

#include "transport/tls_client.h"

struct smtpd_trust *
smtpd_trust_create(const char *ca_file, char *error, size_t size)
{
	(void)ca_file;
	snprintf(error, size, "built without TLS");
	return NULL;
}

int
smtpd_trust_add_files(struct smtpd_trust *t, const char *cert_file,
    const char *key_file, char *error, size_t size)
{
	(void)t, (void)cert_file, (void)key_file;
	snprintf(error, size, "built without TLS");
	errno = ENOTSUP;
	return -1;
}

struct smtpd_trust *
smtpd_trust_ref(struct smtpd_trust *t)
{
	return t;
}

void
smtpd_trust_unref(struct smtpd_trust *t)
{
	(void)t;
}
