/* SPDX-License-Identifier: MIT */
#include "grammar/attributes.h"

#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "grammar/xtext.h"

/* What a value may be, besides [UNAVAILABLE]. */
enum kind {
	KIND_TEXT,
	KIND_NAME, /* or [TEMPUNAVAIL] */
	KIND_ADDRESS,
	KIND_PORT,
	KIND_PROTOCOL,
	KIND_SOURCE,
};

static const struct {
	const char *name;
	enum kind kind;
} attributes[] = {
	[SMTPD_ATTRIBUTE_NAME] = { "NAME", KIND_NAME },
	[SMTPD_ATTRIBUTE_ADDR] = { "ADDR", KIND_ADDRESS },
	[SMTPD_ATTRIBUTE_PORT] = { "PORT", KIND_PORT },
	[SMTPD_ATTRIBUTE_PROTO] = { "PROTO", KIND_PROTOCOL },
	[SMTPD_ATTRIBUTE_HELO] = { "HELO", KIND_TEXT },
	[SMTPD_ATTRIBUTE_LOGIN] = { "LOGIN", KIND_TEXT },
	[SMTPD_ATTRIBUTE_DESTADDR] = { "DESTADDR", KIND_ADDRESS },
	[SMTPD_ATTRIBUTE_DESTPORT] = { "DESTPORT", KIND_PORT },
	[SMTPD_ATTRIBUTE_IDENT] = { "IDENT", KIND_TEXT },
	[SMTPD_ATTRIBUTE_SOURCE] = { "SOURCE", KIND_SOURCE },
};

static const char ipv6[] = "IPV6:";

/* The longest name of a protocol, as with Postfix. */
#define PROTOCOL_MAX 64

enum smtpd_attribute
smtpd__attributes_find(const char *name, size_t len)
{
	for (enum smtpd_attribute a = 0; a < SMTPD_ATTRIBUTES; a++) {
		if (strlen(attributes[a].name) == len &&
		    smtpd__text_same_bytes(attributes[a].name, name, len))
			return a;
	}
	return SMTPD_ATTRIBUTES;
}

/* Whether S is UTF-8 without controls. */
static bool
is_text(const char *s)
{
	uint32_t point;

	for (size_t n; *s != '\0'; s += n) {
		n = smtpd__utf8_decode(s, strlen(s), &point);
		if (n == 0 || smtpd__utf8_is_control(point))
			return false;
	}
	return true;
}

static bool
is_port(const char *s)
{
	unsigned port = 0;

	for (size_t i = 0; s[i] != '\0'; i++) {
		if (i == 5 || !smtpd__text_is_digit((unsigned char)s[i]))
			return false;
		port = port * 10 + (unsigned)(s[i] - '0');
	}
	return port <= 65535;
}

/* An address of IPv6 has a mark, which is taken off. */
static bool
tidy_address(char *s)
{
	bool marked = smtpd__text_same_bytes(s, ipv6, sizeof(ipv6) - 1);

	if (marked)
		memmove(s, s + sizeof(ipv6) - 1, strlen(s) - sizeof(ipv6) + 2);
	return marked == (strchr(s, ':') != NULL);
}

/* Postfix relays mail of others than SMTP as well. */
static bool
is_protocol(const char *s)
{
	size_t n = 0;

	while (smtpd__text_is_alnum((unsigned char)s[n]) ||
	    (n > 0 && s[n] != '\0' && strchr("-./+_", s[n]) != NULL))
		n++;
	return n > 0 && n <= PROTOCOL_MAX && s[n] == '\0';
}

/* Whether S may be a value of KIND, or says that there is none: then it becomes
 * "". */
static bool
tidy_value(enum kind kind, char *s)
{
	if (smtpd__text_same(s, "[UNAVAILABLE]")) {
		s[0] = '\0';
		return true;
	}
	if (smtpd__text_same(s, "[TEMPUNAVAIL]"))
		return kind == KIND_NAME;
	switch (kind) {
	case KIND_ADDRESS:
		return tidy_address(s);
	case KIND_PORT:
		return is_port(s);
	case KIND_PROTOCOL:
		return is_protocol(s);
	case KIND_SOURCE:
		return smtpd__text_same(s, "LOCAL") ||
		    smtpd__text_same(s, "REMOTE");
	case KIND_NAME:
	case KIND_TEXT:
		break;
	}
	return true;
}

/* Read name "=" xtext that fills LEN bytes at S. */
static int
read_one(const char *s, size_t len, struct smtpd_attributes *out)
{
	const char *equals = memchr(s, '=', len);
	enum smtpd_attribute a;
	char *value;

	if (equals == NULL)
		return -1;
	a = smtpd__attributes_find(s, (size_t)(equals - s));
	if (a == SMTPD_ATTRIBUTES || out->said[a])
		return -1;
	out->said[a] = true;
	value = out->values[a];
	if (smtpd__xtext_decode(equals + 1, len - (size_t)(equals + 1 - s),
		value, SMTPD_ATTRIBUTE_SIZE) < 1)
		return -1;
	return is_text(value) && tidy_value(attributes[a].kind, value) ? 0 : -1;
}

int
smtpd__attributes_parse(const char *text, struct smtpd_attributes *out)
{
	memset(out, 0, sizeof(*out));
	for (;;) {
		size_t len = strcspn(text, " ");

		if (read_one(text, len, out) == -1)
			return -1;
		if (text[len] == '\0')
			return 0;
		text += len + strspn(text + len, " ");
	}
}

void
smtpd__attributes_merge(
    struct smtpd_attributes *into, const struct smtpd_attributes *more)
{
	for (enum smtpd_attribute a = 0; a < SMTPD_ATTRIBUTES; a++) {
		if (!more->said[a])
			continue;
		into->said[a] = true;
		memcpy(
		    into->values[a], more->values[a], sizeof(into->values[a]));
	}
}
