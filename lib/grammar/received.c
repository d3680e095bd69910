/* SPDX-License-Identifier: MIT */
#include "grammar/received.h"

#include <string.h>

#include "base/text.h"
#include "grammar/date.h"
#include "grammar/fold.h"

/* Bytes of each value that are written; together they stay below
 * SMTPD_RECEIVED_MAX.  An address that was cut would be another one: it is left
 * out instead. */
#define NAME_WIDTH   255
#define PEER_WIDTH   48
#define TOKEN_WIDTH  32
#define CIPHER_WIDTH 64
#define RCPT_WIDTH   300

/* Room for the longest clause: a recipient. */
#define CLAUSE_SIZE (RCPT_WIDTH + sizeof("for <>;"))

/* A field under construction.  A clause stays on one line. */
struct writer {
	struct smtpd_text out;
	struct smtpd_fold fold;
	struct smtpd_text clause; /* not yet passed to the fold */
	char clause_buf[CLAUSE_SIZE];
};

static int
write_line(void *user, const void *data, size_t len)
{
	struct smtpd_text *out = user;

	smtpd__text_bytes(out, data, len);
	return 0;
}

static void
init_writer(struct writer *w, char *buf, size_t size)
{
	smtpd__text_init(&w->out, buf, size);
	smtpd__fold_init(&w->fold, "\t", write_line, &w->out);
	smtpd__text_init(&w->clause, w->clause_buf, sizeof(w->clause_buf));
}

static void
end_clause(struct writer *w)
{
	smtpd__fold_word(&w->fold, w->clause_buf);
	smtpd__text_init(&w->clause, w->clause_buf, sizeof(w->clause_buf));
}

/* End the clause before, and begin one with WORD. */
static void
begin_clause(struct writer *w, const char *word)
{
	end_clause(w);
	smtpd__text_add(&w->clause, word);
}

/* The same on a new line. */
static void
begin_line(struct writer *w, const char *word)
{
	end_clause(w);
	smtpd__fold_break(&w->fold);
	smtpd__text_add(&w->clause, word);
}

/* Append at most MAX bytes of S, the name of a host or a protocol, so that no
 * comment, quote or space gets in. */
static void
add_name(struct writer *w, const char *s, size_t max)
{
	for (size_t i = 0; i < max && s[i] != '\0'; i++) {
		bool plain = smtpd__text_is_alnum(s[i]) ||
		    strchr("-._:[]", s[i]) != NULL;

		smtpd__text_byte(&w->clause, plain ? s[i] : '?');
	}
}

/* A comment about a client without an address. */
static void
add_local(struct writer *w, const char *uid)
{
	if (uid == NULL) {
		begin_clause(w, "(local)");
		return;
	}
	begin_clause(w, "(local, uid ");
	add_name(w, uid, TOKEN_WIDTH);
	smtpd__text_byte(&w->clause, ')');
}

/* "(" TCP-info ")" with the address as a literal */
static void
add_peer(struct writer *w, const char *peer)
{
	begin_clause(w, strchr(peer, ':') != NULL ? "([IPv6:" : "([");
	add_name(w, peer, PEER_WIDTH);
	smtpd__text_add(&w->clause, "])");
}

static void
add_tls(struct writer *w, const char *version, const char *cipher)
{
	begin_line(w, "tls ");
	add_name(w, cipher, CIPHER_WIDTH);
	smtpd__text_add(&w->clause, " (");
	add_name(w, version, TOKEN_WIDTH);
	smtpd__text_byte(&w->clause, ')');
}

int
smtpd__received_write(const struct smtpd_received *t, char *buf, size_t size)
{
	char date[SMTPD_DATE_MAX];
	struct writer w;

	if (size == 0)
		return -1;
	init_writer(&w, buf, size);
	w.fold.utf8 = t->utf8;
	smtpd__text_add(&w.clause, "Received:");
	begin_clause(&w, "from ");
	add_name(&w, t->helo[0] != '\0' ? t->helo : "unknown", NAME_WIDTH);
	if (t->peer != NULL)
		add_peer(&w, t->peer);
	else
		add_local(&w, t->uid);
	begin_line(&w, "by ");
	add_name(&w, t->by, NAME_WIDTH);
	begin_clause(&w, "with ");
	add_name(&w, t->with, TOKEN_WIDTH);
	begin_clause(&w, "id ");
	add_name(&w, t->id, TOKEN_WIDTH);
	if (t->rcpt != NULL && strlen(t->rcpt) <= RCPT_WIDTH) {
		begin_line(&w, "for <");
		smtpd__text_add(&w.clause, t->rcpt);
		smtpd__text_byte(&w.clause, '>');
	}
	if (t->priority != NULL) {
		begin_clause(&w, "priority ");
		smtpd__text_format(&w.clause, "%d", *t->priority);
	}
	if (t->tls != NULL)
		add_tls(&w, t->tls, t->cipher);
	smtpd__text_byte(&w.clause, ';');
	smtpd__date_write(t->when, date);
	begin_line(&w, date);
	end_clause(&w);
	smtpd__fold_end(&w.fold);
	return w.out.cut ? -1 : (int)w.out.len;
}
