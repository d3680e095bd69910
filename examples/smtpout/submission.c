/* SPDX-License-Identifier: MIT */
#include "submission.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message_log.h"

/* The data of a transaction, for its line in the log. */
struct transaction {
	struct timespec begun;
	char id[SMTPD_QUEUE_ID_SIZE];
};

/* Set *UID to the user of S, and *NOW to the time for user_shares.h; false: the
 * user is not known. */
static bool
find_user(const struct smtpd_session *s, uid_t *uid, int64_t *now)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	*now = time.tv_sec;
	return smtpd_session_uid(s, uid) == 0;
}

/* Whether that user has room for a message of SIZE. */
static bool
user_has_room(
    const struct submission *sub, const struct smtpd_session *s, uint64_t size)
{
	int64_t now;
	uid_t uid;

	return !find_user(s, &uid, &now) ||
	    user_shares_has_room(sub->shares, uid, size, now);
}

static int
check_mail(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	const struct smtpd_envelope *envelope = smtpd_session_envelope(s);
	struct submission *sub = user;
	struct transaction *t;
	int code = smtpd_queue_admit(s, c, sub->queue);

	if (code != 0)
		return code;
	if (!user_has_room(sub, s, envelope->size))
		return smtpd_reply(s, 452, "4.3.1",
		    "Your share of the queue is used up, try again later");
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return smtpd_reply(
		    s, 451, "4.3.0", "Out of memory, try again later");
	snprintf(t->id, sizeof(t->id), "%s", envelope->id);
	clock_gettime(CLOCK_MONOTONIC, &t->begun);
	smtpd_session_set_transaction_data(s, t, free);
	return 0;
}

static void
log_message(const struct submission *sub, const struct smtpd_session *s,
    const struct smtpd_envelope *envelope, uint64_t size, int code)
{
	const struct transaction *t = smtpd_session_transaction_data(s);

	message_log(sub->log, s, envelope,
	    &(struct message_info){
		.what = code < 300 ? "queued" : "refused",
		.id = t->id,
		.code = code,
		.size = size,
		.begun = t->begun,
	    });
}

void
submission_note(struct smtpd_session *s,
    const struct smtpd_queue_submission *report, void *user)
{
	struct transaction *t = smtpd_session_transaction_data(s);
	const struct submission *sub = user;
	char reason[LOG_ERROR_SIZE];
	int64_t now;
	uid_t uid;

	if (report->error == 0) {
		snprintf(t->id, sizeof(t->id), "%s", report->id);
		if (find_user(s, &uid, &now))
			user_shares_add(sub->shares, uid, report->size, now);
		log_message(
		    sub, s, smtpd_session_envelope(s), report->size, 250);
	}
	/* A message without a valid end is the client's fault. */
	else if (report->error != EBADMSG)
		log_line(sub->log, SMTPD_LOG_ERROR,
		    "id=%s cannot queue the message: %s", t->id,
		    log_error(report->error, reason, sizeof(reason)));
}

/* Log a message that was refused; of others that was done before they were
 * tried. */
static void
log_end(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    enum smtpd_end how, int code, void *user)
{
	if (smtpd_session_transaction_data(s) != NULL &&
	    how == SMTPD_END_REFUSED)
		log_message(user, s, envelope, envelope->octets, code);
}

int
submission_register(struct submission *sub, struct smtpd_server *srv)
{
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.transaction_end = log_end,
		.user = sub,
	};

	if (smtpd_server_set_deliver(srv, smtpd_queue_deliver, sub->queue) ==
		-1 ||
	    smtpd_server_add_events(srv, &events) == -1 ||
	    smtpd_server_add_handler(srv, "MAIL", check_mail, sub) == -1)
		return -1;
	/* Any address; <postmaster> is in the queue's local domain. */
	return smtpd_server_add_handler(
	    srv, "RCPT", smtpd_queue_admit, sub->queue);
}
