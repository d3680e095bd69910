/* SPDX-License-Identifier: MIT */
#include "grammar/ehlo_limits.h"

#include <string.h>

#include "grammar/param.h"

static const char mail_max[] = "MAILMAX";
static const char rcpt_max[] = "RCPTMAX";

static void
write_one(struct smtpd_text *t, const char *name, uint32_t value)
{
	if (value > 0 && value <= SMTPD_EHLO_LIMIT_MAX)
		smtpd__text_format(t, " %s=%u", name, (unsigned)value);
}

void
smtpd__ehlo_limits_write(
    struct smtpd_text *t, const struct smtpd_ehlo_limits *limits)
{
	write_one(t, mail_max, limits->mails);
	write_one(t, rcpt_max, limits->rcpts);
}

/* Whether LEN bytes at S are limit-name ["=" limit-value] */
static bool
is_limit(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len &&
	    (smtpd__text_is_alnum((unsigned char)s[n]) ||
		(n > 0 && (s[n] == '-' || s[n] == '_'))))
		n++;
	if (n == 0 || n == len)
		return n > 0;
	if (s[n] != '=' || n + 1 == len)
		return false;
	while (++n < len)
		if (s[n] <= ' ' || s[n] > '~')
			return false;
	return true;
}

/* Let *LIMIT be the one called NAME, if LEN bytes at S say it: 1 to
 * SMTPD_EHLO_LIMIT_MAX, without zeros before it. */
static void
read_one(const char *s, size_t len, const char *name, uint32_t *limit)
{
	size_t name_len = strlen(name);
	char number[8];
	struct smtpd_text t;
	uint64_t value;

	if (len <= name_len || s[name_len] != '=' || s[name_len + 1] == '0' ||
	    !smtpd__text_same_bytes(s, name, name_len))
		return;
	smtpd__text_init(&t, number, sizeof(number));
	smtpd__text_bytes(&t, s + name_len + 1, len - name_len - 1);
	if (!t.cut && smtpd__param_number(number, &value) == 0 &&
	    value <= SMTPD_EHLO_LIMIT_MAX && (*limit == 0 || value < *limit))
		*limit = (uint32_t)value;
}

void
smtpd__ehlo_limits_read(const char *params, struct smtpd_ehlo_limits *out)
{
	static const struct smtpd_ehlo_limits none;
	const char *s = params;

	*out = none;
	while (s != NULL) {
		size_t len = strcspn(s, " ");

		if (!is_limit(s, len)) {
			*out = none;
			return;
		}
		read_one(s, len, mail_max, &out->mails);
		read_one(s, len, rcpt_max, &out->rcpts);
		s = s[len] != '\0' ? s + len + 1 : NULL;
	}
}
