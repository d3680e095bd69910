/* SPDX-License-Identifier: MIT */
#include "server/rcpt_reply.h"

#include <string.h>

#include "base/text.h"
#include "server/answer.h"
#include "server/body.h"

/* Keep a copy of R as the reply for recipient I. */
static void
keep_reply(struct smtpd_session *s, size_t i, const struct smtpd_reply *r)
{
	struct smtpd_rcpt_reply *kept = &s->rcpts.replies[i];

	kept->code = r->code;
	memcpy(kept->enhanced, r->enhanced, sizeof(kept->enhanced));
	kept->text = smtpd__arena_text(&s->arena, r->text, strlen(r->text));
	if (kept->text == NULL)
		kept->text = smtpd__answer_word(r->code);
}

/* Whether the message is for nobody any more: in SMTP once it is refused for
 * one, in LMTP when it is for all. */
static bool
is_unwanted(const struct smtpd_session *s)
{
	for (size_t i = 0; i < s->envelope.nrcpts; i++)
		if (!s->rcpts.list[i].removed &&
		    (s->rcpts.replies[i].code >= 400) != s->lmtp)
			return !s->lmtp;
	return s->lmtp;
}

bool
smtpd_reply_rcpt(struct smtpd_session *s, size_t i, int code,
    const char *enhanced, const char *format, ...)
{
	struct smtpd_reply r;
	va_list ap;

	if (s->body == NULL) {
		smtpd__answer_misplaced(s, "smtpd_reply_rcpt");
		return false;
	}
	r.utf8 = false;
	va_start(ap, format);
	code = smtpd__answer_write(s, &r, code, enhanced, format, ap);
	va_end(ap);
	if (code / 100 == 3 || code == 421)
		smtpd__answer_mistake(s, &r,
		    "replied with code=%d, which is not for one recipient",
		    code);
	if (i >= s->envelope.nrcpts)
		smtpd__answer_mistake(s, &r, "replied to recipient %zu of %zu",
		    i, s->envelope.nrcpts);
	else if (!s->rcpts.list[i].removed)
		keep_reply(s, i, &r);
	if (is_unwanted(s))
		s->body->unwanted = true;
	return !s->body->unwanted;
}

void
smtpd__rcpt_reply_drop(struct smtpd_session *s)
{
	for (size_t i = 0; i < s->envelope.nrcpts; i++)
		s->rcpts.replies[i].code = 0;
}

/* Let KEPT be the reply that is sent next, perhaps when the transaction is
 * over. */
static void
set_reply(struct smtpd_session *s, const struct smtpd_rcpt_reply *kept)
{
	struct smtpd_reply *r = &s->ws->reply;
	struct smtpd_text t;

	r->code = kept->code;
	r->utf8 = s->envelope.smtputf8;
	memcpy(r->enhanced, kept->enhanced, sizeof(kept->enhanced));
	smtpd__text_init(&t, r->text, sizeof(r->text));
	smtpd__text_add(&t, kept->text);
}

/* Which replies another one gives way to: trying again what is refused for good
 * would change nothing. */
static int
rank_of(int code)
{
	if (code >= 500)
		return 2;
	return code >= 400 ? 1 : 0;
}

/* One reply for all: the first of the highest rank, and that to the message
 * comes last. */
static int
fold_replies(struct smtpd_session *s)
{
	const struct smtpd_rcpt_reply *first = NULL;
	int rank = 0;

	for (size_t i = 0; i < s->envelope.nrcpts; i++) {
		const struct smtpd_rcpt_reply *kept = &s->rcpts.replies[i];

		if (rank_of(kept->code) <= rank)
			continue;
		rank = rank_of(kept->code);
		first = kept;
	}
	if (first != NULL && rank >= rank_of(s->ws->reply.code))
		set_reply(s, first);
	for (size_t i = 0; i < s->envelope.nrcpts; i++)
		s->rcpts.replies[i].code = s->ws->reply.code;
	return s->ws->reply.code;
}

/* One reply for each: that to the message where there is no other. */
static int
complete_replies(struct smtpd_session *s)
{
	const struct smtpd_reply whole = s->ws->reply;
	int code = 0;

	for (size_t i = 0; i < s->envelope.nrcpts; i++) {
		const struct smtpd_rcpt_reply *kept = &s->rcpts.replies[i];

		if (kept->code == 0)
			keep_reply(s, i, &whole);
		if (!s->rcpts.list[i].removed &&
		    (code == 0 || (code >= 400 && kept->code < 400)))
			code = kept->code;
	}
	return code != 0 ? code : whole.code;
}

int
smtpd__rcpt_reply_complete(struct smtpd_session *s)
{
	return s->lmtp ? complete_replies(s) : fold_replies(s);
}

void
smtpd__rcpt_reply_send(
    struct smtpd_session *s, const struct smtpd_command_line *line)
{
	for (size_t i = 0; i < s->envelope.nrcpts - s->rcpts.added; i++) {
		set_reply(s, &s->rcpts.replies[i]);
		smtpd__answer_finish_rcpt(s, line, &s->rcpts.list[i]);
	}
	s->ws->reply.code = 0;
}
