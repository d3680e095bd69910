/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

size_t
smtpd__utf8_decode(const char *s, size_t len, uint32_t *point)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	unsigned char first = len > 0 ? (unsigned char)*s : 0xff;
	size_t rest = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	uint32_t value = first & (0x3fu >> rest);

	*point = first;
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4 || rest >= len)
		return 0;
	for (size_t i = 1; i <= rest; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (c & 0x3f);
	}
	if (value < least[rest] || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*point = value;
	return rest + 1;
}

bool
smtpd__utf8_is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f);
}

bool
smtpd__utf8_is_valid(const char *s, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		uint32_t point;

		n = smtpd__utf8_decode(s + at, len - at, &point);
		if (n == 0)
			return false;
	}
	return true;
}

/* The length of the character that FIRST begins, or 0 if it begins none. */
static size_t
length_by_first(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

void
smtpd__utf8_check_feed(struct smtpd_utf8_check *c, const char *s, size_t len)
{
	for (size_t i = 0; i < len && !c->broken; i++) {
		uint32_t point;
		size_t want;

		c->held[c->len++] = s[i];
		want = length_by_first((unsigned char)c->held[0]);
		if (want > c->len)
			continue;
		c->broken = want == 0 ||
		    smtpd__utf8_decode(c->held, c->len, &point) == 0;
		c->len = 0;
	}
}
