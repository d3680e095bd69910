/* SPDX-License-Identifier: MIT */
#include "grammar/reply_parse.h"

#include <string.h>

#include "base/text.h"

void
smtpd__reply_parse_init(struct smtpd_peer_reply *r)
{
	r->code = 0;
	r->enhanced[0] = '\0';
	r->text[0] = '\0';
	r->octets = 0;
}

/*
 * Three digits, the first 2 to 5.  What the second and third may be is not
 * looked at: an unknown code is judged by its first digit (RFC 5321, 4.3.2).
 */
static int
read_code(const char *s, size_t len)
{
	if (len < 3 || s[0] < '2' || s[0] > '5' ||
	    !smtpd__text_is_digit(s[1]) || !smtpd__text_is_digit(s[2]))
		return -1;
	return (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
}

/* The length of "." and 1 to 3 digits at S; 0 if they are not there. */
static size_t
measure_part(const char *s, size_t len)
{
	size_t n = 1;

	if (len < 2 || s[0] != '.')
		return 0;
	while (n < len && n < 4 && smtpd__text_is_digit(s[n]))
		n++;
	return n > 1 ? n : 0;
}

/* The length of the enhanced code of class CLASS that S begins with; 0 if
 * there is none. */
static size_t
measure_enhanced(const char *s, size_t len, char class)
{
	size_t subject, detail, n;

	if (len == 0 || s[0] != class || class == '3')
		return 0;
	subject = measure_part(s + 1, len - 1);
	if (subject == 0)
		return 0;
	detail = measure_part(s + 1 + subject, len - 1 - subject);
	n = 1 + subject + detail;
	return detail > 0 && (n == len || s[n] == ' ') ? n : 0;
}

/* Put the text of one more line behind the others. */
static void
add_text(struct smtpd_peer_reply *r, const char *s, size_t len)
{
	size_t have = strlen(r->text);
	struct smtpd_text t;

	while (len > 0 && *s == ' ') {
		s++;
		len--;
	}
	while (len > 0 && s[len - 1] == ' ')
		len--;
	if (len == 0)
		return;
	smtpd__text_init(&t, r->text + have, sizeof(r->text) - have);
	if (have > 0)
		smtpd__text_byte(&t, ' ');
	smtpd__text_filtered(&t, s, len);
}

enum smtpd_peer_step
smtpd__reply_parse_line(
    struct smtpd_peer_reply *r, const char *line, size_t len)
{
	int code = read_code(line, len);
	const char *s = line + 3;
	size_t n;

	r->octets += len + 2;
	if (code < 0 || r->octets > SMTPD_PEER_REPLY_MAX ||
	    memchr(line, '\0', len) != NULL)
		return SMTPD_PEER_BAD;
	/* Of several codes the last counts: it says how it ended. */
	if (r->code != 0 && r->code != code)
		r->enhanced[0] = r->text[0] = '\0';
	r->code = code;
	/* The code alone is a last line too (RFC 5321, 4.2). */
	if (len == 3)
		return SMTPD_PEER_DONE;
	if (*s != ' ' && *s != '-')
		return SMTPD_PEER_BAD;
	n = measure_enhanced(s + 1, len - 4, line[0]);
	if (n > 0 && r->enhanced[0] == '\0') {
		memcpy(r->enhanced, s + 1, n);
		r->enhanced[n] = '\0';
	}
	add_text(r, s + 1, len - 4);
	return *s == '-' ? SMTPD_PEER_MORE : SMTPD_PEER_DONE;
}
