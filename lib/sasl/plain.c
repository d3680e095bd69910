/* SPDX-License-Identifier: MIT */
#include "sasl/plain.h"

#include <string.h>

#include "sasl/gs2.h"

/* message = [authzid] NUL authcid NUL passwd */
void
smtpd__plain_write(struct smtpd_text *t, const char *user, const char *password)
{
	smtpd__text_byte(t, '\0');
	smtpd__text_add(t, user);
	smtpd__text_byte(t, '\0');
	smtpd__text_add(t, password);
}

bool
smtpd__plain_is_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		if (smtpd__text_is_control((unsigned char)name[i]))
			return false;
	}
	return len > 0 && len < SMTPD_SASL_NAME_SIZE;
}

bool
smtpd__plain_is_password(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && len <= SMTPD_SASL_PASSWORD_MAX;
}

/* The part behind the one that begins at S; NULL: it is the last, at END. */
static const char *
next_part(const char *s, const char *end)
{
	s += strlen(s);
	return s < end ? s + 1 : NULL;
}

int
smtpd__plain_read(const char *message, size_t len, struct smtpd_plain *out)
{
	const char *end = message + len;

	out->identity = message;
	out->user = next_part(out->identity, end);
	if (out->user == NULL)
		return -1;
	out->password = next_part(out->user, end);
	if (out->password == NULL || next_part(out->password, end) != NULL)
		return -1;
	if (out->identity[0] != '\0' && !smtpd__plain_is_name(out->identity))
		return -1;
	return smtpd__plain_is_name(out->user) &&
		smtpd__plain_is_password(out->password)
	    ? 0
	    : -1;
}
