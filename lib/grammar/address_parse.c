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
	bool dotted; /* not quoted, though its dots are only allowed so */
	const char *domain;
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

/*
 * Dot-string = Atom *("."  Atom), but with dots anywhere: some operators have
 * "a..b" and "a." for mailboxes, which the grammar takes in quotes alone;
 * *DOTTED says that it is one of these.
 */
static bool
skip_dot_string(struct cursor *c, bool *dotted)
{
	const char *start = c->at;
	char last = '.';

	for (*dotted = false; is_atext(peek(c)) || peek(c) == '.'; c->at++) {
		*dotted = *dotted || (last == '.' && *c->at == '.');
		last = *c->at;
	}
	*dotted = *dotted || last == '.';
	return c->at > start;
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
			  : skip_dot_string(c, &m->dotted);
	m->local_len = (size_t)(c->at - m->start);
	if (!m->quoted)
		m->local_octets = m->local_len;
	return valid;
}

/* A byte of a label; "_" is not in the grammar, but in the DNS. */
static bool
is_label(int c)
{
	return smtpd__text_is_alnum(c) || c == '-' || c == '_';
}

/* sub-domain = Let-dig [Ldh-str], of the length that DNS allows */
static bool
skip_sub_domain(struct cursor *c)
{
	const char *start = c->at;

	while (is_label(peek(c)))
		c->at++;
	return c->at > start && c->at - start <= 63 && start[0] != '-' &&
	    c->at[-1] != '-';
}

/* Domain = sub-domain *("." sub-domain), and a last dot as the DNS has it,
 * which *LEN does not count. */
static bool
skip_domain(struct cursor *c, size_t *len)
{
	const char *start = c->at;

	do {
		if (!skip_sub_domain(c))
			return false;
		*len = (size_t)(c->at - start);
	} while (take(c, '.') && is_label(peek(c)));
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

/* The part of Mailbox behind "@": Domain / address-literal */
static bool
read_domain(struct cursor *c, struct mailbox *m)
{
	m->domain = c->at;
	m->literal = peek(c) == '[';
	if (!m->literal)
		return skip_domain(c, &m->domain_len);
	if (!skip_literal(c))
		return false;
	m->domain_len = (size_t)(c->at - m->domain);
	return true;
}

/* Mailbox = Local-part "@" ( Domain / address-literal ); without "@" it is in
 * DOMAIN, unless that is NULL. */
static bool
read_mailbox(struct cursor *c, struct mailbox *m, const char *domain)
{
	if (!read_local(c, m))
		return false;
	if (take(c, '@'))
		return read_domain(c, m);
	if (domain == NULL)
		return false;
	m->domain = domain;
	m->domain_len = strlen(domain);
	m->literal = domain[0] == '[';
	return true;
}

/* [ A-d-l ":" ], with A-d-l = At-domain *( "," At-domain ) */
static bool
skip_route(struct cursor *c)
{
	size_t len;

	if (peek(c) != '@')
		return true;
	do {
		if (!take(c, '@') || !skip_domain(c, &len))
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

/* Write M as the grammar has it, local@domain, into ARENA; NULL: no memory. */
static char *
write_mailbox(const struct mailbox *m, struct smtpd_arena *arena)
{
	size_t quotes = m->dotted ? 2 : 0;
	char *text = smtpd__arena_alloc(
	    arena, m->local_len + quotes + 1 + m->domain_len + 1);
	char *to = text;

	if (text == NULL)
		return NULL;
	if (m->dotted)
		*to++ = '"';
	memcpy(to, m->start, m->local_len);
	to += m->local_len;
	if (m->dotted)
		*to++ = '"';
	*to++ = '@';
	memcpy(to, m->domain, m->domain_len);
	to[m->domain_len] = '\0';
	return text;
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
	text = write_mailbox(m, arena);
	local = smtpd__arena_text(
	    arena, m->start + quote, m->local_len - 2 * quote);
	if (text == NULL || local == NULL)
		return SMTPD_PATH_NO_MEMORY;
	if (m->quoted)
		unquote(local);
	*out = (struct smtpd_address){
		.text = text,
		.local = local,
		.domain = text + strlen(text) - m->domain_len,
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

/* Whether the path is over: at ">", or without brackets at a space. */
static bool
is_at_end(const struct cursor *c, bool brackets)
{
	return brackets ? peek(c) == '>' : peek(c) == -1 || peek(c) == ' ';
}

/* "<>" or "<postmaster>", as KIND allows. */
static bool
skip_special(struct cursor *c, enum smtpd_path_kind kind, bool brackets)
{
	struct cursor try = *c;

	if (kind == SMTPD_PATH_REVERSE && !brackets)
		return false;
	if (kind == SMTPD_PATH_FORWARD && !take_word(&try, "postmaster"))
		return false;
	if (!is_at_end(&try, brackets))
		return false;
	*c = try;
	return true;
}

enum smtpd_path_fault
smtpd__address_parse_path(const char *s, size_t len,
    const struct smtpd_path_rules *rules, struct smtpd_arena *arena,
    struct smtpd_address *out, size_t *used)
{
	struct cursor c = { s, s + len };
	struct mailbox m = { 0 };
	bool brackets = take(&c, '<');
	const char *start = c.at;
	bool special;

	if (!brackets && !rules->bare)
		return SMTPD_PATH_SYNTAX;
	special = skip_special(&c, rules->kind, brackets);
	if (!special &&
	    (!skip_route(&c) || !read_mailbox(&c, &m, rules->domain)))
		return syntax_fault(s, len);
	if (!is_at_end(&c, brackets))
		return syntax_fault(s, len);
	*used = (size_t)(c.at - s) + (brackets ? 1 : 0);
	if (special)
		return make_special(start, (size_t)(c.at - start), arena, out);
	return make_address(&m, arena, out);
}

/* As a path, for a mailbox without brackets that fills S. */
static enum smtpd_path_fault
parse_mailbox(const char *s, size_t len, struct smtpd_arena *arena,
    struct smtpd_address *out)
{
	struct cursor c = { s, s + len };
	struct mailbox m = { 0 };

	if (!read_mailbox(&c, &m, NULL) || c.at < c.end)
		return syntax_fault(s, len);
	return make_address(&m, arena, out);
}

bool
smtpd__address_parse_helo(const char *s, size_t len)
{
	struct cursor c = { s, s + len };
	struct mailbox m = { 0 };

	return read_domain(&c, &m) && m.domain_len == len &&
	    len <= SMTPD_DOMAIN_MAX;
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
