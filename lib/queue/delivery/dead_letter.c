/* SPDX-License-Identifier: MIT */
#include "queue/delivery/dead_letter.h"

#include <smtpd/body.h>

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "grammar/date.h"
#include "grammar/fold.h"
#include "os/clock.h"
#include "queue/delivery/bounce.h"
#include "queue/delivery/dispatch.h"
#include "queue/delivery/expand.h"
#include "queue/delivery/history.h"

/* The postmaster is told once in so long. */
#define PAUSE_MS UINT64_C(3600000)

/* The first field of what the postmaster is told, but for signatures: it is not
 * told that this cannot be delivered. */
#define NOTICE_FIELD "X-Dead-Letters"

/* What is read of a report: the fields for programs are in it. */
#define HEAD_SIZE 16384

/* A dead letter while it is kept. */
struct dead_letter {
	const struct smtpd_bounce *failed;
	const struct smtpd_rcpt_progress *rcpt;
	const char *address;
	char id[SMTPD_ID_SIZE];
	char about[SMTPD_ID_SIZE]; /* the message that it reports; "": none */
	uint64_t count;            /* of all in dead/ */
};

bool
smtpd__dead_letter_is_notice(const struct smtpd_loaded_message *loaded)
{
	char head[HEAD_SIZE];
	struct smtpd_header_field field;
	const char *at = head;
	size_t left;
	ssize_t n;

	if (loaded->envelope.sender[0] != '\0')
		return false;
	n = smtpd__loaded_message_read(loaded, 0, head, sizeof(head));
	left = n > 0 ? (size_t)n : 0;
	while (smtpd_header_next(&at, &left, &field))
		if (!smtpd_header_is(&field, "DKIM-Signature"))
			return smtpd_header_is(&field, NOTICE_FIELD);
	return false;
}

/* Find out what the content of L says of it. */
static void
read_head(struct dead_letter *l)
{
	static const char field[] = "\r\nX-Queue-ID: ";
	char head[HEAD_SIZE + 1];
	ssize_t n =
	    smtpd__loaded_message_read(l->failed->loaded, 0, head, HEAD_SIZE);
	uint64_t about;
	const char *at;

	head[n > 0 ? n : 0] = '\0';
	at = strstr(head, field);
	if (at == NULL)
		return;
	snprintf(l->about, sizeof(l->about), "%s", at + strlen(field));
	if (smtpd__id_parse(l->about, &about) == -1)
		l->about[0] = '\0';
}

/* Write the header of a notice to SIGN. */
static int
write_header(const struct smtpd_delivery *d, const struct dead_letter *l,
    uint64_t id, struct smtpd_sign *sign)
{
	char date[SMTPD_DATE_MAX], id_text[SMTPD_ID_SIZE], text[2048];
	struct smtpd_text t;

	smtpd__id_write(id, id_text);
	smtpd__date_write((time_t)(smtpd__clock_wall_ms() / 1000), date);
	smtpd__text_init(&t, text, sizeof(text));
	smtpd__text_format(&t,
	    NOTICE_FIELD ": %" PRIu64 "\r\n"
			 "Date: %s\r\n"
			 "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
			 "To: <%s>\r\n"
			 "Subject: A report could not be delivered\r\n"
			 "Message-ID: <%s@%s>\r\n"
			 "Auto-Submitted: auto-generated\r\n"
			 "\r\n",
	    l->count, date, d->hostname, d->settings.postmaster, id_text,
	    d->hostname);
	return smtpd__sign_write(sign, t.at, t.len);
}

/* Write what the postmaster is told to SIGN. */
static int
write_text(const struct smtpd_delivery *d, const struct dead_letter *l,
    struct smtpd_sign *sign)
{
	char where[512];
	struct smtpd_fold f;
	struct smtpd_text t;

	smtpd__fold_init(&f, "", smtpd__sign_write, sign);
	smtpd__fold_words(&f, "The mail server at");
	smtpd__fold_words(&f, d->hostname);
	smtpd__fold_words(&f, "could not deliver a report");
	if (l->about[0] != '\0') {
		smtpd__fold_words(&f, "about the message with the queue id");
		smtpd__fold_words(&f, l->about);
	}
	smtpd__fold_words(&f, "to its sender:");
	smtpd__fold_end(&f);
	smtpd__fold_end(&f);
	smtpd__fold_add(&f, "  <");
	smtpd__fold_add(&f, l->address);
	smtpd__fold_add(&f, ">");
	smtpd__fold_end(&f);
	f.indent = "    ";
	smtpd__fold_add(&f, f.indent);
	smtpd__fold_words(&f, l->rcpt->result.text);
	smtpd__fold_end(&f);
	f.indent = "";
	smtpd__fold_end(&f);
	smtpd__text_init(&t, where, sizeof(where));
	smtpd__text_format(&t,
	    "It is kept as dead/%s.eml in the directory of the queue, with the "
	    "reason in dead/%s.why. Number of such reports: %" PRIu64 ". "
	    "Please see what is wrong, and remove the files when you are done. "
	    "You are told of this once an hour at most; the log has each of "
	    "them.",
	    l->id, l->id, l->count);
	smtpd__fold_words(&f, where);
	smtpd__fold_end(&f);
	return f.failed ? -1 : 0;
}

/* Return true if it is time to tell the postmaster of L: what cannot reach the
 * postmaster is only logged. */
static bool
is_told(struct smtpd_delivery *d, const struct dead_letter *l)
{
	uint64_t now = smtpd__clock_ms();
	bool told;

	if (strcmp(l->address, d->settings.postmaster) == 0)
		return false;
	pthread_mutex_lock(&d->lock);
	told = d->postmaster_told == 0 || now - d->postmaster_told >= PAUSE_MS;
	if (told)
		d->postmaster_told = now;
	pthread_mutex_unlock(&d->lock);
	return told;
}

/* Write the notice ID about L, signed as SIGNING says.  NULL with errno. */
static struct smtpd_spool_content *
write_notice(const struct smtpd_delivery *d, const struct dead_letter *l,
    uint64_t id, struct smtpd_signing *signing)
{
	struct smtpd_spool_content *content =
	    smtpd__spool_content_create(d->spool);
	struct smtpd_sign sign;
	int status = -1;

	if (content == NULL)
		return NULL;
	if (smtpd__sign_begin(&sign, signing, id, content) == 0 &&
	    write_header(d, l, id, &sign) == 0 && write_text(d, l, &sign) == 0)
		status = smtpd__sign_end(&sign);
	smtpd__sign_finish(&sign);
	if (status == 0)
		return content;
	smtpd__spool_content_destroy(content);
	return NULL;
}

/* Queue a message to the postmaster about L. */
static void
tell_postmaster(struct smtpd_delivery *d, const struct dead_letter *l)
{
	const struct smtpd_outgoing_rcpt to = { SMTPD_OUTGOING_RCPT_INIT,
		.address = d->settings.postmaster };
	struct smtpd_spool_mail mail = {
		.id = smtpd__spool_choose_id(d->spool, 0),
		.envelope = { SMTPD_OUTGOING_ENVELOPE_INIT, .sender = "",
		    .rcpts = &to, .nrcpts = 1 },
		.flags = SMTPD_MESSAGE_AUTOMATIC,
	};
	struct smtpd_queued_message *message;
	struct smtpd_arena arena;

	mail.content = write_notice(d, l, mail.id, &d->signing);
	if (mail.content == NULL)
		mail.content = write_notice(d, l, mail.id, NULL);
	if (mail.content == NULL)
		return;
	smtpd__arena_init(&arena, NULL, 0, SIZE_MAX);
	smtpd__expand_envelope(&d->settings, &arena, &mail.envelope);
	if (smtpd__spool_add(d->spool, &mail, &message) == 0)
		smtpd__dispatch_schedule(d, message);
	smtpd__arena_reset(&arena);
}

int
smtpd__dead_letter_keep(
    struct smtpd_delivery *d, const struct smtpd_bounce *failed)
{
	struct dead_letter l = {
		.failed = failed,
		.rcpt = &failed->rcpts[0],
		.address = failed->loaded->envelope.rcpts[failed->rcpts[0].rcpt]
		    .address,
	};
	char why[1024];

	smtpd__id_write(failed->loaded->id, l.id);
	if (smtpd__dead_letter_is_notice(failed->loaded)) {
		smtpd__logger_write(&d->logger, SMTPD_LOG_WARNING,
		    "the postmaster, <%s>, cannot be told of reports in dead/: "
		    "name another address: %s",
		    d->settings.postmaster, l.rcpt->result.text);
		return 0;
	}
	read_head(&l);
	snprintf(why, sizeof(why), "a report could not be delivered: <%s>: %s",
	    l.address, l.rcpt->result.text);
	if (smtpd__spool_quarantine_dead_letter(
		d->spool, failed->loaded, why, &l.count) == -1)
		return -1;
	atomic_fetch_add(&d->counts.dead_letters, 1);
	smtpd__history_log_dead(
	    &d->logger, failed->loaded, l.rcpt, l.about, l.count);
	if (is_told(d, &l))
		tell_postmaster(d, &l);
	return 0;
}
