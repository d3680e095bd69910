/* SPDX-License-Identifier: MIT */
#include "grammar/received.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* Characters of a line that RFC 5322, 2.1.1 asks not to exceed. */
#define LINE_WIDTH 78

/* What of each value is written; together they stay below 1,024 bytes.  An
 * address that was cut would be another one: it is left out instead. */
#define NAME_WIDTH   255
#define PEER_WIDTH   48
#define TOKEN_WIDTH  32
#define CIPHER_WIDTH 64
#define RCPT_WIDTH   300

/* A header under construction. */
struct lines {
	struct smtpd_text text;
	size_t start; /* where the present line begins in it */
};

static void
fold(struct lines *l)
{
	smtpd__text_add(&l->text, "\r\n");
	l->start = l->text.len;
	smtpd__text_byte(&l->text, '\t');
}

/* Begin a word of LEN characters: a space before it, or a new line. */
static void
begin_word(struct lines *l, size_t len)
{
	size_t column = l->text.len - l->start;

	if (column > 1 && column + 1 + len >= LINE_WIDTH)
		fold(l);
	else if (column > 1)
		smtpd__text_byte(&l->text, ' ');
}

static void
add_word(struct lines *l, const char *word)
{
	begin_word(l, strlen(word));
	smtpd__text_add(&l->text, word);
}

/* The length of S, cut at MAX. */
static size_t
cut_length(const char *s, size_t max)
{
	size_t len = strlen(s);

	return len < max ? len : max;
}

/* Append LEN bytes at S of what hosts and protocols are called by, so that no
 * comment, quote or space gets in. */
static void
append_name(struct lines *l, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool plain = smtpd__text_is_alnum(s[i]) ||
		    strchr("-._:[]", s[i]) != NULL;

		smtpd__text_filtered(&l->text, plain ? s + i : "?", 1);
	}
}

/* KEYWORD and a name, which stay together. */
static void
add_clause(struct lines *l, const char *keyword, const char *name, size_t max)
{
	size_t len = cut_length(name, max);

	begin_word(l, strlen(keyword) + 1 + len);
	smtpd__text_add(&l->text, keyword);
	smtpd__text_byte(&l->text, ' ');
	append_name(l, name, len);
}

/* A comment about a client without an address. */
static void
add_local(struct lines *l, const char *uid)
{
	static const char before[] = "(local, uid ";
	size_t len;

	if (uid == NULL) {
		add_word(l, "(local)");
		return;
	}
	len = cut_length(uid, TOKEN_WIDTH);
	begin_word(l, strlen(before) + len + strlen(")"));
	smtpd__text_add(&l->text, before);
	append_name(l, uid, len);
	smtpd__text_byte(&l->text, ')');
}

/* "(" TCP-info ")" with the address as a literal */
static void
add_peer(struct lines *l, const char *peer)
{
	bool six = strchr(peer, ':') != NULL;
	const char *before = six ? "([IPv6:" : "([";
	size_t len;

	len = cut_length(peer, PEER_WIDTH);
	begin_word(l, strlen(before) + len + strlen("])"));
	smtpd__text_add(&l->text, before);
	append_name(l, peer, len);
	smtpd__text_add(&l->text, "])");
}

static void
add_rcpt(struct lines *l, const char *rcpt)
{
	fold(l);
	smtpd__text_add(&l->text, "for <");
	smtpd__text_filtered(&l->text, rcpt, strlen(rcpt));
	smtpd__text_byte(&l->text, '>');
}

static void
add_tls(struct lines *l, const char *version, const char *cipher)
{
	fold(l);
	add_clause(l, "tls", cipher, CIPHER_WIDTH);
	smtpd__text_add(&l->text, " (");
	append_name(l, version, cut_length(version, TOKEN_WIDTH));
	smtpd__text_byte(&l->text, ')');
}

int
smtpd__received_write(const struct smtpd_received *t, char *buf, size_t size)
{
	char date[SMTPD_DATE_MAX];
	struct lines l = { .start = 0 };

	if (size == 0)
		return -1;
	smtpd__text_init(&l.text, buf, size);
	add_word(&l, "Received:");
	add_clause(
	    &l, "from", t->helo[0] != '\0' ? t->helo : "unknown", NAME_WIDTH);
	if (t->peer != NULL)
		add_peer(&l, t->peer);
	else
		add_local(&l, t->uid);
	fold(&l);
	add_clause(&l, "by", t->by, NAME_WIDTH);
	add_clause(&l, "with", t->with, TOKEN_WIDTH);
	add_clause(&l, "id", t->id, TOKEN_WIDTH);
	if (t->rcpt != NULL && strlen(t->rcpt) <= RCPT_WIDTH)
		add_rcpt(&l, t->rcpt);
	if (t->tls != NULL)
		add_tls(&l, t->tls, t->cipher);
	smtpd__text_byte(&l.text, ';');
	fold(&l);
	smtpd__trace_date(t->when, date);
	smtpd__text_add(&l.text, date);
	smtpd__text_add(&l.text, "\r\n");
	return l.text.cut ? -1 : (int)l.text.len;
}

void
smtpd__trace_date(time_t when, char *buf)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t epoch = 0;
	struct smtpd_text t;
	struct tm tm;

	/* The year may not fit its type. */
	if (gmtime_r(&when, &tm) == NULL)
		gmtime_r(&epoch, &tm);
	smtpd__text_init(&t, buf, SMTPD_DATE_MAX);
	smtpd__text_format(&t, "%s, %02d %s %04lld %02d:%02d:%02d +0000",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    (long long)tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
