/* SPDX-License-Identifier: MIT */
#include "grammar/reply.h"

#include <string.h>

#include "base/text.h"

/* Octets of a reply line without its CRLF (RFC 5321, 4.5.3.1.5). */
#define LINE_MAX_OCTETS 510

/* Skip 1 to 3 digits without a leading zero (RFC 3463, 2); NULL if there are
 * none. */
static const char *
skip_number(const char *s)
{
	const char *start = s;

	while (s - start < 3 && smtpd__text_is_digit(*s))
		s++;
	if (s == start || (*start == '0' && s - start > 1))
		return NULL;
	return s;
}

/* "." subject "." detail that fills S */
static bool
is_subject_and_detail(const char *s)
{
	if (*s != '.')
		return false;
	s = skip_number(s + 1);
	if (s == NULL || *s != '.')
		return false;
	s = skip_number(s + 1);
	return s != NULL && *s == '\0';
}

bool
smtpd__reply_is_valid(int code, const char *enhanced)
{
	if (code < 200 || code > 599 || code / 10 % 10 > 5)
		return false;
	if (enhanced == NULL || enhanced[0] == '\0')
		return true;
	if (code / 100 == 3 || enhanced[0] != '0' + code / 100)
		return false;
	return is_subject_and_detail(enhanced + 1);
}

/* How many of LEN bytes at S go into a line with room for ROOM. */
static size_t
line_length(const char *s, size_t len, size_t room)
{
	size_t n = room;

	if (len <= room)
		return len;
	while (n > 0 && s[n] != ' ')
		n--;
	if (n > 0)
		return n;
	/* Not within a character. */
	while (((unsigned char)s[room] & 0xc0) == 0x80 && room > 1)
		room--;
	return room;
}

/* One line: its beginning, "-" or " ", and LEN bytes at S. */
static void
write_line(struct smtpd_text *t, const struct smtpd_reply *r, bool last,
    const char *s, size_t len)
{
	smtpd__text_number(t, (uint64_t)r->code);
	smtpd__text_byte(t, last ? ' ' : '-');
	smtpd__text_add(t, r->enhanced);
	if (r->enhanced[0] != '\0' && len > 0)
		smtpd__text_byte(t, ' ');
	while (len > 0) {
		const char *tab = memchr(s, '\t', len);
		size_t n = tab != NULL ? (size_t)(tab - s) : len;

		if (r->utf8)
			smtpd__text_filtered_utf8(t, s, n);
		else
			smtpd__text_filtered(t, s, n);
		if (tab != NULL)
			smtpd__text_byte(t, ' ');
		n += tab != NULL;
		s += n;
		len -= n;
	}
	smtpd__text_add(t, "\r\n");
}

size_t
smtpd__reply_write(const struct smtpd_reply *r, char *buf, size_t size)
{
	size_t begin = strlen("250 ") + strlen(r->enhanced) + strlen(" ");
	const char *s = r->text;
	struct smtpd_text t;
	bool last;

	if (size == 0)
		return 0;
	smtpd__text_init(&t, buf, size);
	do {
		size_t len = strcspn(s, "\n");
		size_t n = line_length(s, len, LINE_MAX_OCTETS - begin);
		const char *rest = s + n;

		if (*rest == '\n' || (n < len && *rest == ' '))
			rest++;
		last = *rest == '\0' && s[n] != '\n';
		write_line(&t, r, last, s, n);
		s = rest;
	} while (!last);
	return t.cut ? 0 : t.len;
}
