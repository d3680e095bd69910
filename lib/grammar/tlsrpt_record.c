/* SPDX-License-Identifier: MIT */
#include "grammar/tlsrpt_record.h"

#include <string.h>

#include "grammar/txt_fields.h"

#define VERSION "v=TLSRPTv1;"

bool
smtpd__tlsrpt_record_is(const char *text, size_t len)
{
	struct smtpd_cursor c;

	return smtpd__txt_fields_begin(text, len, VERSION, &c);
}

/* Copy the address between S and END of a mailto URI, up to what follows it
 * there.  Return true if it can be one. */
static bool
copy_mailbox(const char *s, const char *end, char *out)
{
	size_t len = 0;

	for (; s < end && *s != '?'; s++) {
		int c = (unsigned char)*s;

		if (c == '%') {
			c = smtpd__text_percent(s, end);
			s += 2;
		}
		/* A percent sign may hide a second address as well. */
		if (c <= ' ' || c > '~' || c == ',' || c == '<' || c == '>' ||
		    len == SMTPD_TLSRPT_RUA_SIZE - 1)
			return false;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	return len > 0 && memchr(out, '@', len) != NULL;
}

static bool
copy_url(const char *s, const char *end, char *out)
{
	const size_t len = (size_t)(end - s);

	if (len >= SMTPD_TLSRPT_RUA_SIZE)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	memcpy(out, s, len);
	out[len] = '\0';
	return true;
}

/* Add the URI of LEN bytes at S, if it is of a scheme that we know. */
static void
add_uri(struct smtpd_tlsrpt_record *out, const char *s, size_t len)
{
	struct smtpd_cursor c = { s, s + len };
	struct smtpd_tlsrpt_rua *rua = &out->rua[out->count];
	bool good = false;

	if (out->count == SMTPD_TLSRPT_RUA_MAX)
		return;
	if (smtpd_cursor_take_word(&c, "mailto:")) {
		rua->https = false;
		good = copy_mailbox(c.at, c.end, rua->to);
	} else if (smtpd_cursor_take_word(&c, "https://")) {
		rua->https = true;
		good = c.at < c.end && copy_url(s, c.end, rua->to);
	}
	out->count += good;
}

/* Add all URIs of the field F. */
static void
add_uris(struct smtpd_tlsrpt_record *out, const struct smtpd_txt_field *f)
{
	const char *at = f->value, *end = f->value + f->value_len;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *to = comma != NULL ? comma : end;

		while (at < to && smtpd__text_is_white((unsigned char)*at))
			at++;
		while (to > at && smtpd__text_is_white((unsigned char)to[-1]))
			to--;
		add_uri(out, at, (size_t)(to - at));
		at = comma != NULL ? comma + 1 : end;
	}
}

int
smtpd__tlsrpt_record_read(
    const char *text, size_t len, struct smtpd_tlsrpt_record *out)
{
	struct smtpd_txt_field f;
	struct smtpd_cursor c;
	int more;

	out->count = 0;
	if (!smtpd__txt_fields_begin(text, len, VERSION, &c))
		return -1;
	while ((more = smtpd__txt_fields_next(&c, &f)) == 1) {
		if (smtpd__txt_fields_is(&f, "rua"))
			add_uris(out, &f);
		else if (!smtpd__txt_fields_is_extension(&f))
			return -1;
	}
	return more == 0 && out->count > 0 ? 0 : -1;
}
