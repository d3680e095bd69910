/* SPDX-License-Identifier: MIT */
#include "grammar/dsn.h"

#include <string.h>

#include "base/text.h"
#include "grammar/address_parse.h"
#include "grammar/date.h"
#include "grammar/fold.h"
#include "grammar/reply.h"
#include "grammar/xtext.h"

/* What a broken line goes on with: in a field, where it stands for the space
 * at which it was broken; and in a reason. */
#define FIELD_INDENT  " "
#define REASON_INDENT "    "

/* What each action is called, and what is said of it to people. */
static const struct wording {
	const char *action;
	const char *status; /* if there is no better one */
	const char *subject;
	const char *subject_rcpt; /* goes on to the first recipient */
	const char *before;       /* its recipients */
	const char *after;
	const char *content; /* what the original is called */
} wordings[] = {
	[SMTPD_DSN_FAILED] = { "failed", "5.0.0",
	    "Your message could not be delivered", "to",
	    "Your message could not be delivered to:",
	    "We will not try again. Please fix the problem described above "
	    "and send the message again.",
	    "Undelivered message" },
	[SMTPD_DSN_DELAYED] = { "delayed", "4.0.0",
	    "Your message is delayed; we are still trying to deliver it", "to",
	    "Your message could not be delivered yet to:",
	    "You do not need to do anything. We will keep trying, and tell "
	    "you if delivery fails.",
	    "Delayed message" },
	[SMTPD_DSN_RELAYED] = { "relayed", "2.0.0",
	    "Your message was passed on", "for",
	    "Your message was passed on to a server that does not confirm "
	    "deliveries, for:",
	    "You will not hear from us again unless something goes wrong.",
	    "Message that was passed on" },
};

/* "=_" and hexadecimal digits: no text that is quoted-printable or base64 has
 * it, and nobody who wrote the original could know it. */
#define BOUNDARY_MAX (2 + 2 * SMTPD_DSN_SECRET_SIZE + 1)

static void
write_boundary(const struct smtpd_dsn_report *r, char *buf)
{
	struct smtpd_text t;

	smtpd__text_init(&t, buf, BOUNDARY_MAX);
	smtpd__text_add(&t, "=_");
	for (size_t i = 0; i < sizeof(r->secret); i++)
		smtpd__text_format(&t, "%02X", r->secret[i]);
}

/* Write a line of BEFORE, TEXT and AFTER, which is not broken. */
static void
add_line(struct smtpd_fold *f, const char *before, const char *text,
    const char *after)
{
	smtpd__fold_add(f, before);
	smtpd__fold_add(f, text);
	smtpd__fold_add(f, after);
	smtpd__fold_end(f);
}

/* End the line with the words of TEXT. */
static void
add_prose(struct smtpd_fold *f, const char *text)
{
	smtpd__fold_words(f, text);
	smtpd__fold_end(f);
}

/* Write a field whose value can be broken at its spaces. */
static void
add_field(struct smtpd_fold *f, const char *name, const char *value)
{
	smtpd__fold_add(f, name);
	add_prose(f, value);
}

static void
add_date(struct smtpd_fold *f, const char *name, time_t when)
{
	char date[SMTPD_DATE_MAX];

	smtpd__date_write(when, date);
	add_field(f, name, date);
}

static void
add_blank(struct smtpd_fold *f)
{
	smtpd__fold_end(f);
}

/* Write the boundary, and the header of the part behind it. */
static void
begin_part(struct smtpd_fold *f, const struct smtpd_dsn_report *r,
    const char *type, const char *description, bool eight_bit)
{
	char boundary[BOUNDARY_MAX];

	write_boundary(r, boundary);
	add_blank(f);
	add_line(f, "--", boundary, "");
	add_field(f, "Content-Type:", type);
	add_field(f, "Content-Description:", description);
	if (eight_bit)
		add_field(f, "Content-Transfer-Encoding:", "8bit");
	add_blank(f);
}

/* The first recipient of the gravest thing that happened. */
static const struct smtpd_dsn_rcpt *
gravest_of(const struct smtpd_dsn_report *r)
{
	const struct smtpd_dsn_rcpt *gravest = &r->rcpts[0];

	for (size_t i = 1; i < r->nrcpts; i++) {
		if (r->rcpts[i].action < gravest->action)
			gravest = &r->rcpts[i];
	}
	return gravest;
}

/* What happened, and to whom; an address that is none is left out. */
static void
write_subject(struct smtpd_fold *f, const struct smtpd_dsn_report *r)
{
	const struct smtpd_dsn_rcpt *rcpt = gravest_of(r);
	const struct wording *w = &wordings[rcpt->action];
	char others[64];
	struct smtpd_text t;

	smtpd__fold_add(f, "Subject:");
	smtpd__fold_words(f, w->subject);
	for (const char *s = rcpt->address; *s != '\0'; s++) {
		if (*s <= ' ' || *s > '~') {
			smtpd__fold_end(f);
			return;
		}
	}
	smtpd__fold_words(f, w->subject_rcpt);
	smtpd__fold_word(f, rcpt->address);
	smtpd__text_init(&t, others, sizeof(others));
	if (r->nrcpts > 1)
		smtpd__text_format(&t, "and %zu more", r->nrcpts - 1);
	add_prose(f, others);
}

static void
write_from(struct smtpd_fold *f, const char *hostname)
{
	char address[SMTPD_FOLD_WIDTH + SMTPD_DOMAIN_MAX];
	struct smtpd_text t;

	smtpd__text_init(&t, address, sizeof(address));
	smtpd__text_format(&t, "<MAILER-DAEMON@%s>", hostname);
	smtpd__fold_add(f, "From: Mail Delivery System");
	add_prose(f, address);
}

static void
write_header(struct smtpd_fold *f, const struct smtpd_dsn_report *r)
{
	char boundary[BOUNDARY_MAX];

	write_boundary(r, boundary);
	add_date(f, "Date:", r->now);
	write_from(f, r->hostname);
	add_line(f, "To: <", r->to, ">");
	write_subject(f, r);
	smtpd__fold_add(f, "Message-ID: <");
	smtpd__fold_add(f, r->unique);
	add_line(f, "@", r->hostname, ">");
	if (r->references != NULL && r->references[0] != '\0')
		add_line(f, "References: ", r->references, "");
	/* RFC 3834, 5 */
	add_field(f, "Auto-Submitted:", "auto-replied");
	add_field(f, "MIME-Version:", "1.0");
	add_field(f,
	    "Content-Type:", "multipart/report; report-type=delivery-status;");
	add_line(f, FIELD_INDENT "boundary=\"", boundary, "\"");
	if (r->eight_bit)
		add_field(f, "Content-Transfer-Encoding:", "8bit");
	add_blank(f);
	add_prose(f, "A report in parts, as RFC 3464 describes them.");
}

/* Write how a mail program knows the message O.  A subject that is encoded
 * (RFC 2047) says nothing to a reader. */
static void
explain_original(struct smtpd_fold *f, const struct smtpd_dsn_original *o)
{
	if (o->subject != NULL && o->subject[0] != '\0' &&
	    strstr(o->subject, "=?") == NULL) {
		smtpd__fold_add(f, REASON_INDENT "Subject:");
		add_prose(f, o->subject);
	}
	if (o->date != NULL && o->date[0] != '\0') {
		smtpd__fold_add(f, REASON_INDENT "Date:");
		add_prose(f, o->date);
	}
}

/* Write what was tried for RCPT in vain, and what may have come of it. */
static void
explain_attempts(struct smtpd_fold *f, const struct smtpd_dsn_report *r,
    const struct smtpd_dsn_rcpt *rcpt)
{
	char tried[64], last[SMTPD_DATE_MAX];
	unsigned days = 0;
	struct smtpd_text t;

	if (rcpt->in_doubt) {
		smtpd__fold_add(f, REASON_INDENT);
		add_prose(f,
		    "A copy may have arrived: the connection was lost before "
		    "the other server confirmed the message.");
	}
	if (rcpt->attempts == 0 || rcpt->last_attempt == 0)
		return;
	if (r->now > r->arrival)
		days = (unsigned)((r->now - r->arrival) / 86400);
	smtpd__text_init(&t, tried, sizeof(tried));
	smtpd__text_format(&t, "We tried %u time%s", rcpt->attempts,
	    rcpt->attempts == 1 ? "" : "s");
	if (days > 0)
		smtpd__text_format(
		    &t, " in %u day%s", days, days == 1 ? "" : "s");
	smtpd__text_add(&t, ", the last time on");
	smtpd__date_write(rcpt->last_attempt, last);
	smtpd__fold_add(f, REASON_INDENT);
	smtpd__fold_words(f, tried);
	smtpd__fold_words(f, last);
	smtpd__fold_add(f, ".");
	smtpd__fold_end(f);
}

/* The name of a recipient, and why it is in the report. */
static void
explain_rcpt(struct smtpd_fold *f, const struct smtpd_dsn_report *r,
    const struct smtpd_dsn_rcpt *rcpt)
{
	add_blank(f);
	add_line(f, "  <", rcpt->address, ">");
	f->indent = REASON_INDENT;
	if (rcpt->diagnostic != NULL) {
		smtpd__fold_add(f, REASON_INDENT);
		if (rcpt->remote_said) {
			smtpd__fold_words(f,
			    rcpt->remote != NULL ? rcpt->remote
						 : "the other server");
			smtpd__fold_words(f, "said:");
		}
		add_prose(f, rcpt->diagnostic);
	}
	explain_attempts(f, r, rcpt);
	if (rcpt->about != NULL) {
		explain_original(f, rcpt->about);
		add_line(f, REASON_INDENT "Queue id: ", rcpt->about->id, "");
	}
	f->indent = "";
}

/* All recipients with ACTION, if there are any. */
static void
explain_action(struct smtpd_fold *f, const struct smtpd_dsn_report *r,
    enum smtpd_dsn_action action)
{
	bool any = false, in_doubt = false;

	for (size_t i = 0; i < r->nrcpts; i++) {
		if (r->rcpts[i].action != action)
			continue;
		if (!any) {
			add_blank(f);
			add_prose(f, wordings[action].before);
		}
		any = true;
		in_doubt = in_doubt || r->rcpts[i].in_doubt;
		explain_rcpt(f, r, &r->rcpts[i]);
	}
	if (!any)
		return;
	add_blank(f);
	add_prose(f,
	    in_doubt && action == SMTPD_DSN_FAILED
		? "We will not try again. Where a copy may have arrived, "
		  "please ask the recipient before you send the message again."
		: wordings[action].after);
	if (action == SMTPD_DSN_DELAYED && r->retry_until != 0)
		add_date(f, "We will keep trying until", r->retry_until);
}

/* The part for people. */
static void
explain(struct smtpd_fold *f, const struct smtpd_dsn_report *r)
{
	char words[SMTPD_ADDRESS_MAX + 32];
	struct smtpd_text t;

	begin_part(f, r, "text/plain; charset=us-ascii", "Notification", false);
	f->indent = "";
	smtpd__fold_words(f, "This report was generated by the mail server at");
	smtpd__text_init(&t, words, sizeof(words));
	smtpd__text_format(&t, "%s.", r->hostname);
	add_prose(f, words);
	smtpd__text_init(&t, words, sizeof(words));
	smtpd__text_format(
	    &t, "It is about %zu messages of yours.", r->others + 1);
	add_prose(f, r->others > 0 ? words : "It is about this message:");
	if (r->others == 0) {
		add_blank(f);
		explain_original(f, &r->about);
	}
	explain_action(f, r, SMTPD_DSN_FAILED);
	explain_action(f, r, SMTPD_DSN_DELAYED);
	explain_action(f, r, SMTPD_DSN_RELAYED);
	add_blank(f);
	smtpd__fold_words(f, "The same information for mail programs, and");
	smtpd__fold_words(f,
	    r->whole            ? "your message,"
		: r->others > 0 ? "the header of the first message,"
				: "the header of your message,");
	smtpd__fold_words(f, "follow.");
	smtpd__text_init(&t, words, sizeof(words));
	smtpd__text_format(&t, "<%s>", r->postmaster);
	smtpd__fold_words(f, "For help, write to");
	smtpd__fold_word(f, words);
	smtpd__fold_words(f,
	    r->others > 0 ? "and quote the queue id of the message."
			  : "and quote this queue id:");
	add_prose(f, r->others > 0 ? "" : r->about.id);
	f->indent = FIELD_INDENT;
}

/* per-message-fields (RFC 3464, 2.2) */
static void
report_message(struct smtpd_fold *f, const struct smtpd_dsn_report *r)
{
	char envid[SMTPD_ENVID_MAX + 1];

	if (smtpd__dsn_param_envid_is_valid(r->envid)) {
		smtpd__xtext_decode(
		    r->envid, strlen(r->envid), envid, sizeof(envid));
		add_line(f, "Original-Envelope-Id: ", envid, "");
	}
	add_line(f, "Reporting-MTA: dns; ", r->hostname, "");
	if (r->others > 0)
		return;
	add_line(f, "X-Queue-ID: ", r->about.id, "");
	add_date(f, "Arrival-Date:", r->arrival);
}

static void
report_original(struct smtpd_fold *f, const char *orcpt)
{
	char address[SMTPD_ORCPT_MAX + 1];
	char type[SMTPD_ORCPT_MAX + 1];
	struct smtpd_text t;
	const char *semicolon;

	if (!smtpd__dsn_param_orcpt_is_valid(orcpt))
		return;
	semicolon = strchr(orcpt, ';');
	smtpd__text_init(&t, type, sizeof(type));
	smtpd__text_bytes(&t, orcpt, (size_t)(semicolon - orcpt));
	smtpd__xtext_decode(
	    semicolon + 1, strlen(semicolon + 1), address, sizeof(address));
	smtpd__fold_add(f, "Original-Recipient: ");
	smtpd__fold_add(f, type);
	add_line(f, "; ", address, "");
}

static const char *
status_of(const struct smtpd_dsn_rcpt *rcpt)
{
	const char *s = rcpt->status;

	if (s != NULL && smtpd__text_is_digit(s[0]) &&
	    smtpd__reply_is_valid((s[0] - '0') * 100, s))
		return s;
	return wordings[rcpt->action].status;
}

/* per-recipient-fields (RFC 3464, 2.3) */
static void
report_rcpt(struct smtpd_fold *f, const struct smtpd_dsn_report *r,
    const struct smtpd_dsn_rcpt *rcpt)
{
	add_blank(f);
	report_original(f, rcpt->original);
	add_line(f, "Final-Recipient: rfc822; ", rcpt->address, "");
	add_field(f, "Action:", wordings[rcpt->action].action);
	add_field(f, "Status:", status_of(rcpt));
	if (rcpt->remote != NULL)
		add_line(f, "Remote-MTA: dns; ", rcpt->remote, "");
	if (rcpt->diagnostic != NULL)
		add_field(f,
		    rcpt->remote_said ? "Diagnostic-Code: smtp;"
				      : "Diagnostic-Code: X-Local;",
		    rcpt->diagnostic);
	if (rcpt->last_attempt != 0)
		add_date(f, "Last-Attempt-Date:", rcpt->last_attempt);
	if (rcpt->action == SMTPD_DSN_DELAYED && r->retry_until != 0)
		add_date(f, "Will-Retry-Until:", r->retry_until);
	if (rcpt->about != NULL)
		add_line(f, "X-Queue-ID: ", rcpt->about->id, "");
}

/* The part for programs. */
static void
report(struct smtpd_fold *f, const struct smtpd_dsn_report *r)
{
	begin_part(f, r, "message/delivery-status", "Delivery report", false);
	report_message(f, r);
	for (size_t i = 0; i < r->nrcpts; i++)
		report_rcpt(f, r, &r->rcpts[i]);
}

int
smtpd__dsn_begin(
    const struct smtpd_dsn_report *r, smtpd_sink_fn *sink, void *user)
{
	struct smtpd_fold f;

	smtpd__fold_init(&f, FIELD_INDENT, sink, user);
	write_header(&f, r);
	explain(&f, r);
	report(&f, r);
	begin_part(&f, r, r->whole ? "message/rfc822" : "text/rfc822-headers",
	    wordings[gravest_of(r)->action].content, r->eight_bit);
	return f.failed ? -1 : 0;
}

int
smtpd__dsn_end(
    const struct smtpd_dsn_report *r, smtpd_sink_fn *sink, void *user)
{
	char boundary[BOUNDARY_MAX];
	struct smtpd_fold f;

	write_boundary(r, boundary);
	smtpd__fold_init(&f, FIELD_INDENT, sink, user);
	add_blank(&f);
	add_line(&f, "--", boundary, "--");
	return f.failed ? -1 : 0;
}
