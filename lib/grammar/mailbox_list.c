/* SPDX-License-Identifier: MIT */
#include "grammar/mailbox_list.h"

#include <string.h>

/* A mailbox while it is read. */
struct mailbox {
	char *domain;
	size_t size;
	size_t len;
	bool any;       /* there is something of a mailbox */
	bool in_domain; /* the last "@" was passed */
	bool in_angle;  /* "<" was, */
	bool closed;    /* and ">", so that what follows is no address */
	bool too_long;
};

/* The length of the quoted string, comment or literal that LEN bytes at S
 * begin with; OPEN begins one within another, if they may be nested. */
static size_t
enclosed_len(const char *s, size_t len, char open, char close)
{
	size_t depth = 1;
	size_t i;

	for (i = 1; i < len && depth > 0; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == close)
			depth--;
		else if (s[i] == open && open == '(')
			depth++;
	}
	return i < len ? i : len;
}

static void
add_domain(struct mailbox *m, const char *s, size_t len)
{
	m->any = true;
	if (!m->in_domain || m->closed)
		return;
	if (len >= m->size - m->len) {
		m->too_long = true;
		return;
	}
	memcpy(m->domain + m->len, s, len);
	m->len += len;
}

/* What came before was a display name, a route or the name of a group. */
static void
begin_again(struct mailbox *m)
{
	m->in_domain = m->too_long = false;
	m->len = 0;
}

/* Read the byte C, which is no blank.  Return true if it ends the mailbox. */
static bool
read_byte(struct mailbox *m, char c)
{
	switch (c) {
	case '<':
		begin_again(m);
		m->any = m->in_angle = true;
		m->closed = false;
		break;
	case '>':
		m->closed = m->in_angle;
		m->in_angle = false;
		break;
	case '@':
		if (!m->closed)
			begin_again(m);
		m->any = m->in_domain = true;
		break;
	case ':':
		if (!m->closed)
			begin_again(m);
		/* The name of a group is none of a mailbox. */
		m->any = m->in_angle || m->closed;
		break;
	case ';':
		return m->any;
	case ',':
		if (!m->in_angle)
			return m->any;
		begin_again(m);
		break;
	default:
		add_domain(m, &c, 1);
	}
	return false;
}

/* Read the token that LEN bytes at S begin with.  *ENDS: it ends the mailbox.
 * Return its length. */
static size_t
read_token(struct mailbox *m, const char *s, size_t len, bool *ends)
{
	size_t n;

	if (*s == '(')
		return enclosed_len(s, len, '(', ')');
	if (*s == '"') {
		n = enclosed_len(s, len, '"', '"');
		m->any = true;
		return n;
	}
	if (*s == '[') {
		n = enclosed_len(s, len, '[', ']');
		add_domain(m, s, n);
		return n;
	}
	if (strchr(" \t\r\n", *s) == NULL || *s == '\0')
		*ends = read_byte(m, *s);
	return 1;
}

bool
smtpd__mailbox_list_next(
    const char **at, size_t *len, char *domain, size_t size)
{
	struct mailbox m = { .domain = domain, .size = size };
	bool ends = false;

	while (*len > 0 && !ends) {
		size_t n = read_token(&m, *at, *len, &ends);

		*at += n;
		*len -= n;
	}
	if (m.too_long)
		domain[m.len = 0] = '.';
	domain[m.len + m.too_long] = '\0';
	return m.any;
}
