/* SPDX-License-Identifier: MIT */
#include "grammar/address_parse.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "grammar/address_literal.h"
#include "grammar/idn.h"

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

static bool
is_atext(int c)
{
	return smtpd__text_is_alnum(c) ||
	    (c > 0 && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* UTF8-non-ascii (RFC 6531, 3.3), but for controls */
static bool
skip_non_ascii(struct smtpd_cursor *c)
{
	uint32_t point;
	size_t n = smtpd__utf8_decode(c->at, (size_t)(c->end - c->at), &point);

	if (n < 2 || smtpd__utf8_is_control(point))
		return false;
	c->at += n;
	return true;
}

/* atext =/ UTF8-non-ascii */
static bool
skip_atext(struct smtpd_cursor *c)
{
	if (!is_atext(smtpd_cursor_peek(c)))
		return skip_non_ascii(c);
	c->at++;
	return true;
}

/*
 * Dot-string = Atom *("."  Atom), but with dots anywhere: some operators have
 * "a..b" and "a." for mailboxes, which the grammar takes in quotes alone;
 * *DOTTED says that it is one of these.
 */
static bool
skip_dot_string(struct smtpd_cursor *c, bool *dotted)
{
	const char *start = c->at;
	bool dot = true, before = true;

	for (*dotted = false;
	    (dot = smtpd_cursor_take(c, '.')) || skip_atext(c); before = dot)
		*dotted = *dotted || (before && dot);
	*dotted = *dotted || before;
	return c->at > start;
}

/*
 * Quoted-string = DQUOTE *( qtextSMTP / quoted-pairSMTP ) DQUOTE, both made of
 * printable ASCII and the space, and qtextSMTP =/ UTF8-non-ascii; *OCTETS is
 * counted without the quoting.
 */
static bool
skip_quoted_string(struct smtpd_cursor *c, size_t *octets)
{
	if (!smtpd_cursor_take(c, '"'))
		return false;
	for (*octets = 0; !smtpd_cursor_take(c, '"');) {
		bool pair = smtpd_cursor_take(c, '\\');
		const char *start = c->at;

		if (smtpd_cursor_peek(c) >= ' ' && smtpd_cursor_peek(c) <= '~')
			c->at++;
		else if (pair || !skip_non_ascii(c))
			return false;
		*octets += (size_t)(c->at - start);
	}
	return true;
}

/* Local-part = Dot-string / Quoted-string */
static bool
read_local(struct smtpd_cursor *c, struct mailbox *m)
{
	bool valid;

	m->start = c->at;
	m->quoted = smtpd_cursor_peek(c) == '"';
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
	return smtpd__text_is_alnum(c) || c == '-' || c == '_' || c >= 128;
}

/* sub-domain = Let-dig [Ldh-str], of the length that DNS allows; sub-domain =/
 * U-label, whose length counts as an A-label */
static bool
skip_sub_domain(struct smtpd_cursor *c)
{
	const char *start = c->at;
	bool ascii = true;

	while (is_label(smtpd_cursor_peek(c))) {
		if (smtpd_cursor_peek(c) < 128) {
			c->at++;
			continue;
		}
		if (!skip_non_ascii(c))
			return false;
		ascii = false;
	}
	return c->at > start && (!ascii || c->at - start <= 63) &&
	    start[0] != '-' && c->at[-1] != '-';
}

/* Domain = sub-domain *("." sub-domain), and a last dot as the DNS has it,
 * which *LEN does not count. */
static bool
skip_domain(struct smtpd_cursor *c, size_t *len)
{
	const char *start = c->at;

	do {
		if (!skip_sub_domain(c))
			return false;
		*len = (size_t)(c->at - start);
	} while (smtpd_cursor_take(c, '.') && is_label(smtpd_cursor_peek(c)));
	return true;
}

/* Whether a domain of LEN bytes at S that has U-labels has A-labels as well, as
 * it must (RFC 6531, 3.2); what is too long for one is refused later. */
static bool
has_a_labels(const char *s, size_t len)
{
	char name[SMTPD_DOMAIN_MAX + 1], ascii[SMTPD_DOMAIN_MAX + 1];
	struct smtpd_cursor c = { .at = ascii };

	if (len > SMTPD_DOMAIN_MAX || smtpd__text_is_ascii(s, len))
		return true;
	memcpy(name, s, len);
	name[len] = '\0';
	if (smtpd__idn_to_ascii(name, ascii, sizeof(ascii)) == -1)
		return false;
	c.end = ascii + strlen(ascii);
	return skip_domain(&c, &len) && c.at == c.end;
}

/* The part of Mailbox behind "@": Domain / address-literal */
static bool
read_domain(struct smtpd_cursor *c, struct mailbox *m)
{
	m->domain = c->at;
	m->literal = smtpd_cursor_peek(c) == '[';
	if (!m->literal)
		return skip_domain(c, &m->domain_len) &&
		    has_a_labels(m->domain, m->domain_len);
	if (!smtpd__address_literal_skip(c))
		return false;
	m->domain_len = (size_t)(c->at - m->domain);
	return true;
}

/* Mailbox = Local-part "@" ( Domain / address-literal ); without "@" it is in
 * DOMAIN, unless that is NULL. */
static bool
read_mailbox(struct smtpd_cursor *c, struct mailbox *m, const char *domain)
{
	if (!read_local(c, m))
		return false;
	if (smtpd_cursor_take(c, '@'))
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
skip_route(struct smtpd_cursor *c)
{
	size_t len;

	if (smtpd_cursor_peek(c) != '@')
		return true;
	do {
		if (!smtpd_cursor_take(c, '@') || !skip_domain(c, &len))
			return false;
	} while (smtpd_cursor_take(c, ','));
	return smtpd_cursor_take(c, ':');
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
is_at_end(const struct smtpd_cursor *c, bool brackets)
{
	return brackets
	    ? smtpd_cursor_peek(c) == '>'
	    : smtpd_cursor_peek(c) == -1 || smtpd_cursor_peek(c) == ' ';
}

/* "<>" or "<postmaster>", as KIND allows. */
static bool
skip_special(struct smtpd_cursor *c, enum smtpd_path_kind kind, bool brackets)
{
	struct smtpd_cursor try = *c;

	if (kind == SMTPD_PATH_REVERSE && !brackets)
		return false;
	if (kind == SMTPD_PATH_FORWARD &&
	    !smtpd_cursor_take_word(&try, "postmaster"))
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
	struct smtpd_cursor c = { s, s + len };
	struct mailbox m = { 0 };
	bool brackets = smtpd_cursor_take(&c, '<');
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
	struct smtpd_cursor c = { s, s + len };
	struct mailbox m = { 0 };

	if (!read_mailbox(&c, &m, NULL) || c.at < c.end)
		return syntax_fault(s, len);
	return make_address(&m, arena, out);
}

bool
smtpd__address_parse_helo(const char *s, size_t len)
{
	struct smtpd_cursor c = { s, s + len };
	struct mailbox m = { 0 };

	return smtpd__text_is_ascii(s, len) && read_domain(&c, &m) &&
	    m.domain_len == len && len <= SMTPD_DOMAIN_MAX;
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
