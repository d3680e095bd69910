/* SPDX-License-Identifier: MIT */
#include "grammar/address_field.h"

#include <string.h>
#include <strings.h>

/* The one address of an element, as offsets in its text. */
struct found {
	size_t local_end;
	size_t domain, domain_end; /* the same: it has none */
};

enum smtpd_address_field_kind
smtpd__address_field_kind(const struct smtpd_piece *p)
{
	static const char *const senders[] = { "From", "Sender", "Reply-To",
		"Resent-From", "Resent-Sender", "Resent-Reply-To" };
	static const char *const rcpts[] = { "To", "Cc", "Bcc", "Resent-To",
		"Resent-Cc", "Resent-Bcc" };

	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++)
		if (smtpd__fields_is_named(p, senders[i]))
			return SMTPD_ADDRESS_FIELD_SENDER;
	for (size_t i = 0; i < sizeof(rcpts) / sizeof(rcpts[0]); i++)
		if (smtpd__fields_is_named(p, rcpts[i]))
			return SMTPD_ADDRESS_FIELD_RCPT;
	return SMTPD_ADDRESS_FIELD_NONE;
}

static bool
is_domain(const char *name, const char *domain, size_t len)
{
	return name != NULL && strlen(name) == len &&
	    strncasecmp(name, domain, len) == 0;
}

const char *
smtpd__address_field_domain(const struct smtpd_address_domains *d, bool sender,
    const char *domain, size_t len)
{
	const char *hidden = sender ? d->hidden : NULL;

	if (len == 0 || is_domain("localhost", domain, len))
		return hidden != NULL ? hidden : d->domain;
	if (is_domain(d->domain, domain, len) ||
	    is_domain(d->host, domain, len))
		return hidden;
	return NULL;
}

/* The end of what stands at AT, between OPEN and CLOSE; END if it has none. */
static size_t
skip_enclosed(
    const char *s, size_t at, size_t end, char open, char close, bool nests)
{
	int depth = 0;

	for (; at < end; at++) {
		if (s[at] == '\\' && at + 1 < end)
			at++;
		else if (depth > 0 && s[at] == close)
			depth--;
		else if (s[at] == open && (nests || depth == 0))
			depth++;
		if (depth == 0)
			return at + 1;
	}
	return end;
}

/* Comments and white space (RFC 5322, 3.2.2). */
static size_t
skip_blank(const char *s, size_t at, size_t end)
{
	while (at < end && strchr(" \t\r\n(", s[at]) != NULL && s[at] != '\0')
		at = s[at] == '(' ? skip_enclosed(s, at, end, '(', ')', true)
				  : at + 1;
	return at;
}

/* The end of the word at AT: an atom, a quoted string or a literal; AT where
 * there is none. */
static size_t
skip_word(const char *s, size_t at, size_t end)
{
	if (at < end && s[at] == '"')
		return skip_enclosed(s, at, end, '"', '"', false);
	if (at < end && s[at] == '[')
		return skip_enclosed(s, at, end, '[', ']', false);
	while (at < end && strchr(" \t\r\n()<>[]:;@\\,.\"", s[at]) == NULL)
		at++;
	return at;
}

/* The end of words with dots between them, from AT on, and that of all blanks
 * behind them in *NEXT.  AT where there are none, or a dot is at an end: "J."
 * is half a name. */
static size_t
skip_dotted(const char *s, size_t at, size_t end, size_t *next)
{
	size_t begin = at, last = at;

	for (;;) {
		size_t word = skip_word(s, at, end);

		if (word == at)
			return begin;
		last = word;
		*next = skip_blank(s, word, end);
		if (*next == end || s[*next] != '.')
			return last;
		while (*next < end && s[*next] == '.')
			*next = skip_blank(s, *next + 1, end);
		at = *next;
	}
}

/* Narrow *AT and *END to what stands between angle brackets, and behind a route
 * there, if S has any.  Return false when they do not fit. */
static bool
enter_angle(const char *s, size_t *at, size_t *end)
{
	size_t i = *at;

	while (i < *end && s[i] != '<') {
		size_t word = skip_word(s, i, *end);
		size_t next = skip_blank(s, word, *end);

		i = next > i ? next : i + 1;
	}
	if (i >= *end)
		return true;
	i = skip_blank(s, i + 1, *end);
	*at = i;
	while (i < *end && s[i] != '>') {
		size_t word = skip_word(s, i, *end);
		size_t next = skip_blank(s, word, *end);

		if (s[*at] == '@' && i < *end && s[i] == ':')
			*at = skip_blank(s, i + 1, *end);
		i = next > i ? next : i + 1;
	}
	if (i >= *end)
		return false;
	*end = i;
	return true;
}

/* Find the address in the LEN bytes at S.  Return false when there is none. */
static bool
find_address(const char *s, size_t len, struct found *out)
{
	size_t end = len, at = skip_blank(s, 0, len), next;

	if (!enter_angle(s, &at, &end))
		return false;
	out->local_end = skip_dotted(s, at, end, &next);
	if (out->local_end == at)
		return false;
	out->domain = out->domain_end = out->local_end;
	if (next == end)
		return true;
	if (s[next] != '@')
		return false;
	at = skip_blank(s, next + 1, end);
	out->domain = at;
	out->domain_end = skip_dotted(s, at, end, &next);
	return out->domain_end > at && next == end;
}

static int
send_text(struct smtpd_address_field *f, const char *data, size_t len)
{
	return len > 0 ? f->sink(f->user, data, len) : 0;
}

/* Pass on the element. */
static int
end_element(struct smtpd_address_field *f)
{
	size_t len = f->len;
	const char *domain = NULL;
	struct found a;

	f->len = 0;
	f->angle = false;
	if (f->too_long) {
		f->too_long = false;
		return send_text(f, f->text, len);
	}
	if (find_address(f->text, len, &a))
		domain = smtpd__address_field_domain(f->domains,
		    f->kind == SMTPD_ADDRESS_FIELD_SENDER, f->text + a.domain,
		    a.domain_end - a.domain);
	if (domain == NULL)
		return send_text(f, f->text, len);
	if (send_text(f, f->text, a.domain) != 0 ||
	    (a.domain == a.domain_end && send_text(f, "@", 1) != 0) ||
	    send_text(f, domain, strlen(domain)) != 0)
		return -1;
	return send_text(f, f->text + a.domain_end, len - a.domain_end);
}

/* Follow C, and return true if it ends an element. */
static bool
is_separator(struct smtpd_address_field *f, char c)
{
	if (f->escaped) {
		f->escaped = false;
	} else if (c == '\\' && (f->enclosing != 0 || f->depth > 0)) {
		f->escaped = true;
	} else if (f->depth > 0) {
		f->depth += c == '(' ? 1 : c == ')' ? -1 : 0;
	} else if (f->enclosing != 0) {
		if (c == f->enclosing)
			f->enclosing = 0;
	} else if (c == '"' || c == '[') {
		f->enclosing = c == '"' ? '"' : ']';
	} else if (c == '(') {
		f->depth = 1;
	} else if (c == '<' || c == '>') {
		f->angle = c == '<';
	} else {
		return !f->angle && (c == ',' || c == ';' || c == ':');
	}
	return false;
}

void
smtpd__address_field_begin(struct smtpd_address_field *f,
    const struct smtpd_address_domains *domains,
    enum smtpd_address_field_kind kind, smtpd_sink_fn *sink, void *user)
{
	f->domains = domains;
	f->kind = kind;
	f->sink = sink;
	f->user = user;
	f->len = 0;
	f->too_long = f->escaped = f->angle = false;
	f->enclosing = 0;
	f->depth = 0;
}

int
smtpd__address_field_feed(
    struct smtpd_address_field *f, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool over = is_separator(f, data[i]);

		/* The name of a group is no address. */
		if (over && data[i] == ':')
			f->too_long = true;
		if (over && end_element(f) != 0)
			return -1;
		if (f->len == sizeof(f->text)) {
			f->too_long = true;
			if (send_text(f, f->text, f->len) != 0)
				return -1;
			f->len = 0;
		}
		if (over && send_text(f, data + i, 1) != 0)
			return -1;
		if (!over)
			f->text[f->len++] = data[i];
	}
	return 0;
}

int
smtpd__address_field_end(struct smtpd_address_field *f)
{
	/* What was opened and never closed is no address. */
	f->too_long |= f->enclosing != 0 || f->depth > 0;
	return end_element(f);
}
