/* SPDX-License-Identifier: MIT */
#include "grammar/history_line.h"

#include <string.h>

#include "base/text.h"

static bool
starts_with(const struct smtpd_line_part *p, const char *text)
{
	size_t len = strlen(text);

	return p->len >= len && memcmp(p->at, text, len) == 0;
}

/* Take what stands before the first SEPARATOR of REST, and that, off REST.
 * Return false if there is none. */
static bool
take_part(struct smtpd_line_part *rest, const char *separator,
    struct smtpd_line_part *out)
{
	size_t len = strlen(separator);

	for (size_t i = 0; i + len <= rest->len; i++) {
		if (memcmp(rest->at + i, separator, len) != 0)
			continue;
		*out = (struct smtpd_line_part){ rest->at, i };
		rest->at += i + len;
		rest->len -= i + len;
		return true;
	}
	return false;
}

/* The length of the enhanced status code that P begins with; 0: none. */
static size_t
status_len(const struct smtpd_line_part *p)
{
	size_t at = 0;

	for (int i = 0; i < 3; i++) {
		size_t digits = 0;

		if (i > 0 && (at == p->len || p->at[at++] != '.'))
			return 0;
		for (; at < p->len && smtpd__text_is_digit(p->at[at]); at++)
			digits++;
		if (digits == 0 || digits > 3)
			return 0;
	}
	return at == p->len || p->at[at] == ' ' ? at : 0;
}

static size_t
code_len(const struct smtpd_line_part *p)
{
	for (size_t i = 0; i < 3; i++)
		if (i >= p->len || !smtpd__text_is_digit(p->at[i]))
			return 0;
	return p->len == 3 || p->at[3] == ' ' ? 3 : 0;
}

/* "rcpt <RECIPIENT>: REPLY (HOST)"; the host is in the last parentheses. */
static bool
read_reply(struct smtpd_line_part line, struct smtpd_history_line *e)
{
	size_t open = 0;

	if (!starts_with(&line, "rcpt <") ||
	    !take_part(&line, "<", &e->recipient) ||
	    !take_part(&line, ">: ", &e->recipient))
		return false;
	for (size_t i = 0; i + 1 < line.len; i++)
		if (line.at[i] == ' ' && line.at[i + 1] == '(')
			open = i;
	e->what = "reply";
	e->reply = (struct smtpd_line_part){ line.at, line.len };
	if (open > 0 && line.at[line.len - 1] == ')') {
		e->reply.len = open;
		e->host = (struct smtpd_line_part){ line.at + open + 2,
			line.len - open - 3 };
	}
	return true;
}

/* "HOST [ADDRESS]:PORT: TLS", or "HOST: REPLY". */
static bool
read_host(struct smtpd_line_part line, struct smtpd_history_line *e)
{
	struct smtpd_line_part rest = line, host;

	if (!take_part(&rest, " ", &host) || host.len == 0)
		return false;
	if (starts_with(&rest, "[") && take_part(&rest, "[", &e->address) &&
	    take_part(&rest, "]:", &e->address) &&
	    take_part(&rest, ": ", &e->port)) {
		e->what = "connected";
		e->host = host;
		if (starts_with(&rest, "connection kept open, "))
			take_part(&rest, ", ", &e->words);
		if (starts_with(&rest, "TLS"))
			e->tls = rest;
		return true;
	}
	e->address = e->port = (struct smtpd_line_part){ 0 };
	if (host.at[host.len - 1] != ':' ||
	    (code_len(&rest) == 0 && status_len(&rest) == 0))
		return false;
	e->what = "failed";
	e->host = (struct smtpd_line_part){ host.at, host.len - 1 };
	e->reply = rest;
	return true;
}

/* "dns NAME: WORDS" or "smarthost NAME: WORDS"; a host may have one of these
 * names, with an address behind it. */
static bool
read_lookup(struct smtpd_line_part line, struct smtpd_history_line *e)
{
	bool smart = starts_with(&line, "smarthost ");

	if ((!smart && !starts_with(&line, "dns ")) ||
	    !take_part(&line, " ", &e->host) || starts_with(&line, "[") ||
	    !take_part(&line, ": ", &e->host))
		return false;
	e->what = smart ? "smarthost" : "dns";
	if (status_len(&line) > 0)
		e->reply = line;
	else
		e->words = line;
	return true;
}

bool
smtpd__history_line_read(
    struct smtpd_line_part *lines, struct smtpd_history_line *e)
{
	struct smtpd_history_line next = { .time = e->time,
		.attempt = e->attempt };
	struct smtpd_line_part line, rest, before;

	if (!take_part(lines, "\n", &line))
		return false;
	rest = line;
	if (!read_lookup(line, &next) && !read_reply(line, &next) &&
	    !read_host(line, &next)) {
		next.what = "note";
		next.words = line;
		if (take_part(&rest, ": attempt ", &before))
			next = (struct smtpd_history_line){ .what = "attempt",
				.time = before,
				.attempt = rest };
	}
	*e = next;
	return true;
}

/* Take LEN bytes, and the blank behind them, off REST. */
static struct smtpd_line_part
take_word(struct smtpd_line_part *rest, size_t len)
{
	struct smtpd_line_part word = { rest->at, len };

	if (len == 0)
		return (struct smtpd_line_part){ 0 };
	len += len < rest->len;
	rest->at += len;
	rest->len -= len;
	return word;
}

void
smtpd__history_line_split_reply(struct smtpd_line_part *words,
    struct smtpd_line_part *code, struct smtpd_line_part *status)
{
	*code = take_word(words, code_len(words));
	*status = take_word(words, status_len(words));
}
