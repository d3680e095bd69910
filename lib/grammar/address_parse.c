/* SPDX-License-Identifier: MIT */
#include "grammar/address_parse.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* What is left to read. */
struct cursor {
	const char *at;
	const char *end;
};

/* Where the parts of a mailbox stand in the input. */
struct mailbox {
	const char *start;
	size_t local_len;    /* as written */
	size_t local_octets; /* its quoting removed */
	bool quoted;
	size_t domain_len;
	bool literal;
};

/* The next byte, or -1 at the end. */
static int
peek(const struct cursor *c)
{
	return c->at < c->end ? (unsigned char)*c->at : -1;
}

static bool
take(struct cursor *c, char want)
{
	if (peek(c) != want)
		return false;
	c->at++;
	return true;
}

/* Take WANT in any case of letters. */
static bool
take_word(struct cursor *c, const char *want)
{
	size_t len = strlen(want);

	if ((size_t)(c->end - c->at) < len ||
	    !smtpd__text_same_bytes(c->at, want, len))
		return false;
	c->at += len;
	return true;
}

static bool
is_atext(int c)
{
	return smtpd__text_is_alnum(c) ||
	    (c > 0 && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Atom = 1*atext */
static bool
skip_atom(struct cursor *c)
{
	const char *start = c->at;

	while (is_atext(peek(c)))
		c->at++;
	return c->at > start;
}

/* Dot-string = Atom *("."  Atom) */
static bool
skip_dot_string(struct cursor *c)
{
	do {
		if (!skip_atom(c))
			return false;
	} while (take(c, '.'));
	return true;
}

/*
 * Quoted-string = DQUOTE *( qtextSMTP / quoted-pairSMTP ) DQUOTE, both made of
 * printable ASCII and the space; *OCTETS is counted without the quoting.
 */
static bool
skip_quoted_string(struct cursor *c, size_t *octets)
{
	if (!take(c, '"'))
		return false;
	for (*octets = 0; !take(c, '"'); ++*octets) {
		take(c, '\\');
		if (peek(c) < ' ' || peek(c) > '~')
			return false;
		c->at++;
	}
	return true;
}

/* Local-part = Dot-string / Quoted-string */
static bool
read_local(struct cursor *c, struct mailbox *m)
{
	bool valid;

	m->start = c->at;
	m->quoted = peek(c) == '"';
	valid = m->quoted ? skip_quoted_string(c, &m->local_octets)
			  : skip_dot_string(c);
	m->local_len = (size_t)(c->at - m->start);
	if (!m->quoted)
		m->local_octets = m->local_len;
	return valid;
}

/* sub-domain = Let-dig [Ldh-str], of the length that DNS allows; UNDERSCORE
 * stands as a letter where the caller takes it. */
static bool
skip_sub_domain(struct cursor *c, bool underscore)
{
	const char *start = c->at;

	while (smtpd__text_is_alnum(peek(c)) || peek(c) == '-' ||
	    (underscore && peek(c) == '_'))
		c->at++;
	return c->at > start && c->at - start <= 63 && start[0] != '-' &&
	    c->at[-1] != '-';
}

/* Domain = sub-domain *("." sub-domain) */
static bool
skip_domain(struct cursor *c, bool underscore)
{
	do {
		if (!skip_sub_domain(c, underscore))
			return false;
	} while (take(c, '.'));
	return true;
}

/* Snum = 1*3DIGIT, a value from 0 to 255 */
static bool
skip_snum(struct cursor *c)
{
	int digits = 0;
	int value = 0;

	for (; smtpd__text_is_digit(peek(c)) && digits < 3; digits++, c->at++)
		value = value * 10 + (peek(c) - '0');
	return digits > 0 && value <= 255;
}

/* IPv4-address-literal = Snum 3("." Snum) */
static bool
skip_ipv4(struct cursor *c)
{
	return skip_snum(c) && take(c, '.') && skip_snum(c) && take(c, '.') &&
	    skip_snum(c) && take(c, '.') && skip_snum(c);
}

/* IPv6-hex = 1*4HEXDIG */
static bool
skip_ipv6_hex(struct cursor *c)
{
	const char *start = c->at;

	while (c->at - start < 4 &&
	    (smtpd__text_is_digit(peek(c)) ||
		(smtpd__text_to_lower(peek(c)) >= 'a' &&
		    smtpd__text_to_lower(peek(c)) <= 'f')))
		c->at++;
	return c->at > start;
}

/* One element of an IPv6 address: the number of groups it stands for, with an
 * IPv4 address at the end for two, or 0. */
static int
skip_ipv6_element(struct cursor *c)
{
	struct cursor four = *c;

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
skip_ipv6(struct cursor *c)
{
	bool gap = take_word(c, "::");
	bool may_end = gap;
	int groups = 0;

	for (;;) {
		int n = skip_ipv6_element(c);

		groups += n;
		if ((n == 0 && !may_end) || groups > 8)
			return false;
		if (n != 1 || !take(c, ':'))
			break;
		may_end = !gap && take(c, ':');
		gap = gap || may_end;
	}
	return gap ? groups <= 6 : groups == 8;
}

/* address-literal; the General-address-literal has no use yet. */
static bool
skip_literal(struct cursor *c)
{
	if (!take(c, '['))
		return false;
	if (take_word(c, "IPv6:"))
		return skip_ipv6(c) && take(c, ']');
	return skip_ipv4(c) && take(c, ']');
}

/* Mailbox = Local-part "@" ( Domain / address-literal ) */
static bool
read_mailbox(struct cursor *c, struct mailbox *m)
{
	const char *domain;

	if (!read_local(c, m) || !take(c, '@'))
		return false;
	domain = c->at;
	m->literal = peek(c) == '[';
	if (m->literal ? !skip_literal(c) : !skip_domain(c, false))
		return false;
	m->domain_len = (size_t)(c->at - domain);
	return true;
}

/* [ A-d-l ":" ], with A-d-l = At-domain *( "," At-domain ) */
static bool
skip_route(struct cursor *c)
{
	if (peek(c) != '@')
		return true;
	do {
		if (!take(c, '@') || !skip_domain(c, false))
			return false;
	} while (take(c, ','));
	return take(c, ':');
}

/* Whether a byte outside ASCII stands before the ">" that is not quoted. */
static bool
is_outside_ascii(const char *s, size_t len)
{
	bool quoted = false;

	for (size_t i = 0; i < len && (quoted || s[i] != '>'); i++) {
		if ((unsigned char)s[i] >= 128)
			return true;
		if (s[i] == '"')
			quoted = !quoted;
		else if (s[i] == '\\' && quoted && i + 1 < len &&
		    (unsigned char)s[i + 1] < 128)
			i++;
	}
	return false;
}

static enum smtpd_path_fault
syntax_fault(const char *s, size_t len)
{
	return is_outside_ascii(s, len) ? SMTPD_PATH_UTF8 : SMTPD_PATH_SYNTAX;
}

/* S is the inside of a Quoted-string. */
static void
unquote(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if (*s == '\\')
			s++;
		*to++ = *s;
	}
	*to = '\0';
}

static enum smtpd_path_fault
make_address(const struct mailbox *m, struct smtpd_arena *arena,
    struct smtpd_address *out)
{
	size_t quote = m->quoted ? 1 : 0;
	char *text;
	char *local;

	if (m->local_octets > SMTPD_LOCAL_MAX ||
	    m->domain_len > SMTPD_DOMAIN_MAX)
		return SMTPD_PATH_TOO_LONG;
	text = smtpd__arena_text(
	    arena, m->start, m->local_len + 1 + m->domain_len);
	local = smtpd__arena_text(
	    arena, m->start + quote, m->local_len - 2 * quote);
	if (text == NULL || local == NULL)
		return SMTPD_PATH_NO_MEMORY;
	if (m->quoted)
		unquote(local);
	*out = (struct smtpd_address){
		.text = text,
		.local = local,
		.domain = text + m->local_len + 1,
		.literal = m->literal,
	};
	return SMTPD_PATH_OK;
}

/* The path without a mailbox: of LEN bytes at S, which may be 0. */
static enum smtpd_path_fault
make_special(const char *s, size_t len, struct smtpd_arena *arena,
    struct smtpd_address *out)
{
	char *text = smtpd__arena_text(arena, s, len);

	if (text == NULL)
		return SMTPD_PATH_NO_MEMORY;
	*out = (struct smtpd_address){
		.text = text,
		.local = text,
		.domain = text + len,
	};
	return SMTPD_PATH_OK;
}

/* "<>" or "<postmaster>", as KIND allows. */
static bool
skip_special(struct cursor *c, enum smtpd_path_kind kind)
{
	struct cursor try = *c;

	if (kind == SMTPD_PATH_FORWARD && !take_word(&try, "postmaster"))
		return false;
	if (peek(&try) != '>')
		return false;
	*c = try;
	return true;
}

enum smtpd_path_fault
smtpd__address_parse_path(const char *s, size_t len, enum smtpd_path_kind kind,
    struct smtpd_arena *arena, struct smtpd_address *out, size_t *used)
{
	struct cursor c = { s, s + len };
	struct mailbox m = { 0 };
	bool special;

	if (!take(&c, '<'))
		return SMTPD_PATH_SYNTAX;
	special = skip_special(&c, kind);
	if (!special && (!skip_route(&c) || !read_mailbox(&c, &m)))
		return syntax_fault(s, len);
	if (!take(&c, '>'))
		return syntax_fault(s, len);
	*used = (size_t)(c.at - s);
	if (special)
		return make_special(s + 1, *used - 2, arena, out);
	return make_address(&m, arena, out);
}

/* As a path, for a mailbox without brackets that fills S. */
static enum smtpd_path_fault
parse_mailbox(const char *s, size_t len, struct smtpd_arena *arena,
    struct smtpd_address *out)
{
	struct cursor c = { s, s + len };
	struct mailbox m = { 0 };

	if (!read_mailbox(&c, &m) || c.at < c.end)
		return syntax_fault(s, len);
	return make_address(&m, arena, out);
}

bool
smtpd__address_parse_helo(const char *s, size_t len)
{
	struct cursor c = { s, s + len };
	bool valid = peek(&c) == '[' ? skip_literal(&c) : skip_domain(&c, true);

	return valid && c.at == c.end && len <= SMTPD_DOMAIN_MAX;
}

int
smtpd_address_parse(
    const char *text, char *buf, size_t size, struct smtpd_address *out)
{
	struct smtpd_arena arena;
	enum smtpd_path_fault fault;

	if (text == NULL || buf == NULL || out == NULL) {
		errno = EINVAL;
		return -1;
	}
	smtpd__arena_init(&arena, buf, size, 0);
	fault = parse_mailbox(text, strlen(text), &arena, out);
	if (fault == SMTPD_PATH_OK)
		return 0;
	errno = fault == SMTPD_PATH_NO_MEMORY ? ERANGE : EINVAL;
	return -1;
}
