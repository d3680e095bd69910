/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "base/text.h"
#include "grammar/reply.h"

/* Copy up to the first NUL or MAX bytes; return how many were used. */
static size_t
copy_text(char *to, size_t max, const uint8_t *data, size_t size)
{
	size_t n = 0;

	while (n < size && n < max && data[n] != '\0')
		n++;
	if (n > 0)
		memcpy(to, data, n);
	to[n] = '\0';
	return n;
}

/* One line of LEN bytes with its CRLF; return what of it is text. */
static size_t
must_be_line(const struct smtpd_reply *r, const char *s, size_t len, bool last)
{
	size_t begin = strlen("250 ") + strlen(r->enhanced);
	char code[4] = { (char)('0' + r->code / 100),
		(char)('0' + r->code / 10 % 10), (char)('0' + r->code % 10),
		last ? ' ' : '-' };

	must(len <= 512 && len >= begin + 2);
	must(memcmp(s, code, sizeof(code)) == 0);
	must(memcmp(s + 4, r->enhanced, strlen(r->enhanced)) == 0);
	must(
	    r->utf8 ? is_printable_utf8(s, len - 2) : is_printable(s, len - 2));
	must(s[len - 2] == '\r');
	if (r->enhanced[0] != '\0' && len > begin + 2) {
		must(s[begin] == ' ');
		begin++;
	}
	return begin;
}

/* What is left of the text without spaces and line ends. */
static size_t
squeeze(char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (strchr(" \t\n", s[i]) == NULL)
			s[n++] = s[i];
	}
	return n;
}

/* No byte of the text is lost or made up. */
static void
must_say(const char *text, char *said, size_t said_len)
{
	char want[SMTPD_REPLY_TEXT_MAX + 1];
	char squeezed[SMTPD_REPLY_TEXT_MAX + 1];
	size_t len = strlen(text);
	struct smtpd_text t;

	memcpy(squeezed, text, len + 1);
	len = squeeze(squeezed, len);
	smtpd__text_init(&t, want, sizeof(want));
	smtpd__text_filtered(&t, squeezed, len);
	must(squeeze(said, said_len) == t.len);
	must(memcmp(said, want, t.len) == 0);
}

static void
must_write(const struct smtpd_reply *r)
{
	static char buf[SMTPD_REPLY_WIRE_MAX];
	static char said[SMTPD_REPLY_WIRE_MAX];
	size_t len = smtpd__reply_write(r, buf, sizeof(buf));
	const char *end = buf + len;
	size_t said_len = 0;

	must(len > 0 && len < sizeof(buf));
	for (const char *s = buf; s < end;) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));
		size_t begin;
		size_t n;

		must(lf != NULL);
		n = (size_t)(lf + 1 - s);
		begin = must_be_line(r, s, n, lf + 1 == end);
		memcpy(said + said_len, s + begin, n - 2 - begin);
		said_len += n - 2 - begin;
		s = lf + 1;
	}
	/* Bytes that a space divides may make up a character without it. */
	if (!r->utf8)
		must_say(r->text, said, said_len);
}

/* Two bytes for the code, an enhanced code ended by NUL, a text. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtpd_reply r = { .code = 0 };
	char enhanced[32];
	size_t n;

	if (size < 2)
		return 0;
	r.code = data[0] * 4 + data[1] % 4;
	r.utf8 = data[1] >= 128;
	data += 2;
	size -= 2;
	n = copy_text(enhanced, sizeof(enhanced) - 1, data, size);
	data += n + (n < size);
	size -= n + (n < size);
	if (!smtpd__reply_is_valid(r.code, enhanced))
		return 0;
	must(r.code >= 200 && r.code <= 599);
	must(strlen(enhanced) <= SMTPD_ENHANCED_MAX);
	memcpy(r.enhanced, enhanced, strlen(enhanced) + 1);
	copy_text(r.text, SMTPD_REPLY_TEXT_MAX, data, size);
	must_write(&r);
	return 0;
}
