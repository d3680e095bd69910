/* SPDX-License-Identifier: MIT */
#include "grammar/address_literal.h"

#include "base/text.h"

/* Snum = 1*3DIGIT, a value from 0 to 255 */
static bool
skip_snum(struct smtpd_cursor *c)
{
	int digits = 0;
	int value = 0;

	for (; smtpd__text_is_digit(smtpd_cursor_peek(c)) && digits < 3;
	    digits++, c->at++)
		value = value * 10 + (smtpd_cursor_peek(c) - '0');
	return digits > 0 && value <= 255;
}

/* IPv4-address-literal = Snum 3("." Snum) */
static bool
skip_ipv4(struct smtpd_cursor *c)
{
	return skip_snum(c) && smtpd_cursor_take(c, '.') && skip_snum(c) &&
	    smtpd_cursor_take(c, '.') && skip_snum(c) &&
	    smtpd_cursor_take(c, '.') && skip_snum(c);
}

/* IPv6-hex = 1*4HEXDIG */
static bool
skip_ipv6_hex(struct smtpd_cursor *c)
{
	const char *start = c->at;

	while (c->at - start < 4 &&
	    (smtpd__text_is_digit(smtpd_cursor_peek(c)) ||
		(smtpd__text_to_lower(smtpd_cursor_peek(c)) >= 'a' &&
		    smtpd__text_to_lower(smtpd_cursor_peek(c)) <= 'f')))
		c->at++;
	return c->at > start;
}

/* One element of an IPv6 address: the number of groups it stands for, with an
 * IPv4 address at the end for two, or 0. */
static int
skip_ipv6_element(struct smtpd_cursor *c)
{
	struct smtpd_cursor four = *c;

	if (skip_ipv4(&four)) {
		*c = four;
		return 2;
	}
	return skip_ipv6_hex(c) ? 1 : 0;
}

/*
 * IPv6-addr = IPv6-full / IPv6-comp / IPv6v4-full / IPv6v4-comp: eight groups,
 * or at most six and one "::" for the others.
 */
static bool
skip_ipv6(struct smtpd_cursor *c)
{
	bool gap = smtpd_cursor_take_word(c, "::");
	bool may_end = gap;
	int groups = 0;

	for (;;) {
		int n = skip_ipv6_element(c);

		groups += n;
		if ((n == 0 && !may_end) || groups > 8)
			return false;
		if (n != 1 || !smtpd_cursor_take(c, ':'))
			break;
		may_end = !gap && smtpd_cursor_take(c, ':');
		gap = gap || may_end;
	}
	return gap ? groups <= 6 : groups == 8;
}

bool
smtpd__address_literal_skip(struct smtpd_cursor *c)
{
	if (!smtpd_cursor_take(c, '['))
		return false;
	if (smtpd_cursor_take_word(c, "IPv6:"))
		return skip_ipv6(c) && smtpd_cursor_take(c, ']');
	return skip_ipv4(c) && smtpd_cursor_take(c, ']');
}
