/* SPDX-License-Identifier: MIT */
#include "grammar/dsn.h"

#include <string.h>

#include "base/text.h"
#include "grammar/address_key.h"
#include "grammar/address_parse.h"
#include "grammar/date.h"
#include "grammar/dsn_status.h"
#include "grammar/fold.h"

/* What a broken line goes on with: in a field, where it stands for the space
 * at which it was broken; and in a reason. */
#define FIELD_INDENT  " "
#define REASON_INDENT "    "

/* What is said of each action to people. */
static const struct wording {
	const char *subject;
	const char *subject_rcpt; /* goes on to the first recipient */
	const char *before;       /* its recipients */
	const char *after;
	const char *content; /* what the original is called */
} wordings[] = {
	[SMTPD_DSN_FAILED] = { "Your message could not be delivered", "to",
	    "Your message could not be delivered to:",
	    "We will not try again. Please fix the problem described above "
	    "and send the message again.",
	    "Undelivered message" },
	[SMTPD_DSN_DELAYED] = { "Your message is delayed; we are still "
				"trying to deliver it",
	    "to", "Your message could not be delivered yet to:",
	    "You do not need to do anything. We will keep trying, and tell "
	    "you if delivery fails.",
	    "Delayed message" },
	[SMTPD_DSN_RELAYED] = { "Your message was passed on", "for",
	    "Your message was passed on to a server that does not confirm "
	    "deliveries, for:",
	    "You will not hear from us again unless something goes wrong.",
	    "Message that was passed on" },
	[SMTPD_DSN_DELIVERED] = { "Your message was delivered", "to",
	    "Your message was delivered to:",
	    "It is in the mailbox; whether it is read is not reported.",
	    "Delivered message" },
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

/* Write the boundary, and the header of the part behind it; ENCODING is NULL
 * where it is ASCII. */
static void
begin_part(struct smtpd_fold *f, const struct smtpd_dsn_report *r,
    const char *type, const char *description, const char *encoding)
{
	char boundary[BOUNDARY_MAX];

	write_boundary(r, boundary);
	smtpd__fold_end(f);
	smtpd__fold_line(f, "--", boundary, "");
	smtpd__fold_field(f, "Content-Type:", type);
	smtpd__fold_field(f, "Content-Description:", description);
	if (encoding != NULL)
		smtpd__fold_field(f, "Content-Transfer-Encoding:", encoding);
	smtpd__fold_end(f);
}

/* Whether the part for people has characters outside ASCII. */
static bool
is_text_utf8(const struct smtpd_dsn_report *r)
{
	for (size_t i = 0; i < r->nrcpts; i++) {
		const char *s = r->rcpts[i].address;

		if (!smtpd__text_is_ascii(s, strlen(s)))
			return true;
	}
	return r->global;
}

bool
smtpd__dsn_is_quoted(const struct smtpd_dsn_report *r)
{
	return r->global && !r->utf8;
}

bool
smtpd__dsn_is_eight_bit(const struct smtpd_dsn_report *r)
{
	return is_text_utf8(r) || r->utf8 ||
	    (r->eight_bit && !smtpd__dsn_is_quoted(r));
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
	char others[64], ascii[SMTPD_ADDRESS_MAX];
	const char *address = smtpd__address_key_ascii(rcpt->address, ascii);
	struct smtpd_text t;

	smtpd__fold_add(f, "Subject:");
	smtpd__fold_words(f, w->subject);
	for (const char *s = address; *s != '\0'; s++) {
		if (*s <= ' ' || *s > '~') {
			smtpd__fold_end(f);
			return;
		}
	}
	smtpd__fold_words(f, w->subject_rcpt);
	smtpd__fold_word(f, address);
	smtpd__text_init(&t, others, sizeof(others));
	if (r->nrcpts > 1)
		smtpd__text_format(&t, "and %zu more", r->nrcpts - 1);
	smtpd__fold_prose(f, others);
}

static void
write_from(struct smtpd_fold *f, const char *hostname)
{
	char address[SMTPD_FOLD_WIDTH + SMTPD_DOMAIN_MAX];
	struct smtpd_text t;

	smtpd__text_init(&t, address, sizeof(address));
	smtpd__text_format(&t, "<MAILER-DAEMON@%s>", hostname);
	smtpd__fold_add(f, "From: Mail Delivery System");
	smtpd__fold_prose(f, address);
}

static void
write_header(struct smtpd_fold *f, const struct smtpd_dsn_report *r)
{
	char boundary[BOUNDARY_MAX], to[SMTPD_ADDRESS_MAX];

	write_boundary(r, boundary);
	f->utf8 = r->utf8;
	smtpd__fold_date(f, "Date:", r->now);
	write_from(f, r->hostname);
	smtpd__fold_line(f, "To: <", smtpd__address_key_ascii(r->to, to), ">");
	write_subject(f, r);
	smtpd__fold_add(f, "Message-ID: <");
	smtpd__fold_add(f, r->unique);
	smtpd__fold_line(f, "@", r->hostname, ">");
	if (r->references != NULL && r->references[0] != '\0')
		smtpd__fold_line(f, "References: ", r->references, "");
	/* RFC 3834, 5 */
	smtpd__fold_field(f, "Auto-Submitted:", "auto-replied");
	if (r->tls_optional)
		smtpd__fold_field(f, "TLS-Required:", "No");
	smtpd__fold_field(f, "MIME-Version:", "1.0");
	/* The second part's subtype (RFC 6522, 3). */
	smtpd__fold_field(f, "Content-Type:",
	    f->utf8 ? "multipart/report; report-type=global-delivery-status;"
		    : "multipart/report; report-type=delivery-status;");
	smtpd__fold_line(f, FIELD_INDENT "boundary=\"", boundary, "\"");
	if (smtpd__dsn_is_eight_bit(r))
		smtpd__fold_field(f, "Content-Transfer-Encoding:", "8bit");
	smtpd__fold_end(f);
	smtpd__fold_prose(f, "A report in parts, as RFC 3464 describes them.");
}

/* Write how a mail program knows the message O.  A subject that is encoded
 * (RFC 2047) says nothing to a reader. */
static void
explain_original(struct smtpd_fold *f, const struct smtpd_dsn_original *o)
{
	if (o->subject != NULL && o->subject[0] != '\0' &&
	    strstr(o->subject, "=?") == NULL) {
		smtpd__fold_add(f, REASON_INDENT "Subject:");
		smtpd__fold_prose(f, o->subject);
	}
	if (o->date != NULL && o->date[0] != '\0') {
		smtpd__fold_add(f, REASON_INDENT "Date:");
		smtpd__fold_prose(f, o->date);
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
		smtpd__fold_prose(f,
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
	smtpd__fold_end(f);
	smtpd__fold_line(f, "  <", rcpt->address, ">");
	f->indent = REASON_INDENT;
	if (rcpt->diagnostic != NULL) {
		smtpd__fold_add(f, REASON_INDENT);
		if (rcpt->remote_said) {
			smtpd__fold_words(f,
			    rcpt->remote != NULL ? rcpt->remote
						 : "the other server");
			smtpd__fold_words(f, "said:");
		}
		smtpd__fold_prose(f, rcpt->diagnostic);
	}
	explain_attempts(f, r, rcpt);
	if (rcpt->about != NULL) {
		explain_original(f, rcpt->about);
		smtpd__fold_line(
		    f, REASON_INDENT "Queue id: ", rcpt->about->id, "");
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
			smtpd__fold_end(f);
			smtpd__fold_prose(f, wordings[action].before);
		}
		any = true;
		in_doubt = in_doubt || r->rcpts[i].in_doubt;
		explain_rcpt(f, r, &r->rcpts[i]);
	}
	if (!any)
		return;
	smtpd__fold_end(f);
	smtpd__fold_prose(f,
	    in_doubt && action == SMTPD_DSN_FAILED
		? "We will not try again. Where a copy may have arrived, "
		  "please ask the recipient before you send the message again."
		: wordings[action].after);
	if (action == SMTPD_DSN_DELAYED && r->retry_until != 0)
		smtpd__fold_date(
		    f, "We will keep trying until", r->retry_until);
}

/* The part for people. */
static void
explain(struct smtpd_fold *f, const struct smtpd_dsn_report *r)
{
	char words[SMTPD_ADDRESS_MAX + 32];
	struct smtpd_text t;

	f->utf8 = is_text_utf8(r);
	begin_part(f, r,
	    f->utf8 ? "text/plain; charset=utf-8"
		    : "text/plain; charset=us-ascii",
	    "Notification", f->utf8 ? "8bit" : NULL);
	f->indent = "";
	smtpd__fold_words(f, "This report was generated by the mail server at");
	smtpd__text_init(&t, words, sizeof(words));
	smtpd__text_format(&t, "%s.", r->hostname);
	smtpd__fold_prose(f, words);
	smtpd__text_init(&t, words, sizeof(words));
	smtpd__text_format(
	    &t, "It is about %zu messages of yours.", r->others + 1);
	smtpd__fold_prose(
	    f, r->others > 0 ? words : "It is about this message:");
	if (r->others == 0) {
		smtpd__fold_end(f);
		explain_original(f, &r->about);
	}
	explain_action(f, r, SMTPD_DSN_FAILED);
	explain_action(f, r, SMTPD_DSN_DELAYED);
	explain_action(f, r, SMTPD_DSN_RELAYED);
	explain_action(f, r, SMTPD_DSN_DELIVERED);
	smtpd__fold_end(f);
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
	smtpd__fold_prose(f, r->others > 0 ? "" : r->about.id);
	f->indent = FIELD_INDENT;
}

/* The part for programs. */
static void
report(struct smtpd_fold *f, const struct smtpd_dsn_report *r)
{
	f->utf8 = r->utf8;
	begin_part(f, r,
	    f->utf8 ? "message/global-delivery-status"
		    : "message/delivery-status",
	    "Delivery report", f->utf8 ? "8bit" : NULL);
	smtpd__dsn_status_write(f, r);
}

/* The type of what follows of the original. */
static const char *
original_type(const struct smtpd_dsn_report *r)
{
	if (r->global)
		return r->whole ? "message/global" : "message/global-headers";
	return r->whole ? "message/rfc822" : "text/rfc822-headers";
}

int
smtpd__dsn_begin(
    const struct smtpd_dsn_report *r, smtpd_sink_fn *sink, void *user)
{
	const char *encoding = r->eight_bit ? "8bit" : NULL;
	struct smtpd_fold f;

	smtpd__fold_init(&f, FIELD_INDENT, sink, user);
	write_header(&f, r);
	explain(&f, r);
	report(&f, r);
	if (smtpd__dsn_is_quoted(r))
		encoding = "quoted-printable";
	begin_part(&f, r, original_type(r),
	    wordings[gravest_of(r)->action].content, encoding);
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
	smtpd__fold_end(&f);
	smtpd__fold_line(&f, "--", boundary, "--");
	return f.failed ? -1 : 0;
}
