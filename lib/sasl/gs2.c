/* SPDX-License-Identifier: MIT */
#include "sasl/gs2.h"

#include <string.h>

void
smtpd__gs2_add_name(struct smtpd_text *t, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == ',')
			smtpd__text_add(t, "=2C");
		else if (*name == '=')
			smtpd__text_add(t, "=3D");
		else
			smtpd__text_byte(t, *name);
	}
}

/* The byte that "=2C" or "=3D", at S of LEN bytes, stands for; or -1. */
static int
read_escape(const char *s, size_t len)
{
	if (len < 3)
		return -1;
	if (memcmp(s, "=2C", 3) == 0)
		return ',';
	return memcmp(s, "=3D", 3) == 0 ? '=' : -1;
}

int
smtpd__gs2_read_name(const char *s, size_t len, char *name)
{
	struct smtpd_text t;

	smtpd__text_init(&t, name, SMTPD_SASL_NAME_SIZE);
	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)s[i];

		if (c == '=') {
			c = read_escape(s + i, len - i);
			i += 2;
		}
		if (c == -1 || smtpd__text_is_control(c))
			return -1;
		smtpd__text_byte(&t, (char)c);
	}
	return t.len > 0 && !t.cut ? 0 : -1;
}

/* gs2-header = gs2-cbind-flag "," [authzid] ",".  A client that says "y" could
 * bind to a channel, and believes rightly that this server cannot. */
int
smtpd__gs2_read(const char *message, struct smtpd_gs2 *out)
{
	const char *name = message + 2;
	size_t len;

	if ((message[0] != 'n' && message[0] != 'y') || message[1] != ',')
		return -1;
	len = strcspn(name, ",");
	if (name[len] != ',')
		return -1;
	out->len = 2 + len + 1;
	out->identity[0] = '\0';
	if (len == 0)
		return 0;
	if (len < 2 || memcmp(name, "a=", 2) != 0)
		return -1;
	return smtpd__gs2_read_name(name + 2, len - 2, out->identity);
}
