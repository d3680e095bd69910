/* SPDX-License-Identifier: MIT */
#include "submission.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message_log.h"

/* Read from the client at a time. */
#define PIECE 8192

/* Room for Received. */
#define TRACE_SIZE 1024

/* What a transaction keeps. */
struct transaction {
	struct timespec begun;
	uint64_t size; /* of the message, as far as it was read */
	char id[SMTPD_QUEUE_ID_MAX];
};

/* One message on its way into the queue. */
struct job {
	struct submission *submission;
	struct smtpd_session *session;
	const struct smtpd_envelope *envelope;
	struct transaction *transaction;
	struct smtpd_mail mail;
	struct smtpd_outgoing_rcpt *rcpts;
	char *addresses; /* of recipients that were given a domain */
	char trace[TRACE_SIZE];
};

/* Local trouble is never the client's fault, and never for ever. */
static int
reply_errno(struct smtpd_session *s, int error)
{
	if (error == ENOSPC || error == EDQUOT || error == EFBIG)
		return smtpd_reply(s, 452, "4.3.1", "the disk is full");
	return smtpd_reply(s, 451, "4.3.0", "cannot store the message now");
}

static int
check_mail(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	struct submission *sub = user;
	const struct smtpd_envelope *envelope = smtpd_session_envelope(s);
	struct transaction *t;
	int code = smtpd_queue_admit(s, c, sub->queue);

	if (code != 0) {
		log_line(sub->log, SMTPD_LOG_ERROR,
		    "id=%s no space for %llu bytes", envelope->id,
		    (unsigned long long)envelope->size);
		return code;
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return reply_errno(s, ENOMEM);
	snprintf(t->id, sizeof(t->id), "%s", envelope->id);
	clock_gettime(CLOCK_MONOTONIC, &t->begun);
	smtpd_session_set_transaction_data(s, t, free);
	return 0;
}

/* All that is an address, and <postmaster>, who is at this host. */
static int
accept_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	(void)s;
	(void)c;
	(void)user;
	return 0;
}

/* The address of R, with this host's name at AT, *LEFT bytes, if it has no
 * domain. */
static const char *
full_address(
    const struct job *job, const struct smtpd_rcpt *r, char **at, size_t *left)
{
	const char *text = *at;
	int n;

	if (r->address.domain[0] != '\0')
		return r->address.text;
	n = snprintf(
	    *at, *left, "%s@%s", r->address.text, job->submission->hostname);
	*at += n + 1;
	*left -= (size_t)n + 1;
	return text;
}

/* How many bytes the addresses take that need a domain. */
static size_t
added_size(const struct job *job)
{
	size_t size = 1;

	for (size_t i = 0; i < job->envelope->nrcpts; i++) {
		const struct smtpd_address *a =
		    &job->envelope->rcpts[i].address;

		if (a->domain[0] == '\0')
			size += strlen(a->text) +
			    strlen(job->submission->hostname) + 2;
	}
	return size;
}

/* Return 0, or -1 with errno. */
static int
set_rcpts(struct job *job)
{
	const struct smtpd_envelope *e = job->envelope;
	size_t left = added_size(job);
	char *at;

	job->rcpts = calloc(e->nrcpts, sizeof(*job->rcpts));
	job->addresses = malloc(left);
	at = job->addresses;
	if (job->rcpts == NULL || at == NULL) {
		errno = ENOMEM;
		return -1;
	}
	for (size_t i = 0; i < e->nrcpts; i++) {
		const struct smtpd_rcpt *r = &e->rcpts[i];

		job->rcpts[i] = (struct smtpd_outgoing_rcpt){
			SMTPD_OUTGOING_RCPT_INIT,
			.address = full_address(job, r, &at, &left),
			.notify =
			    smtpd_param_value(r->params, r->nparams, "NOTIFY"),
			.orcpt =
			    smtpd_param_value(r->params, r->nparams, "ORCPT"),
		};
	}
	job->mail.rcpts = job->rcpts;
	job->mail.nrcpts = e->nrcpts;
	return 0;
}

static int
set_mail(struct job *job)
{
	const struct smtpd_envelope *e = job->envelope;

	if (smtpd_session_received(
		job->session, job->trace, sizeof(job->trace)) == -1) {
		errno = EMSGSIZE;
		return -1;
	}
	job->mail = (struct smtpd_mail){
		.id = e->id,
		.sender = e->sender.text,
		.ret = smtpd_param_value(e->params, e->nparams, "RET"),
		.envid = smtpd_param_value(e->params, e->nparams, "ENVID"),
		.trace = job->trace,
		.fix = job->submission->fix,
	};
	return set_rcpts(job);
}

/* Copy the message into the queue.  Return 1 when it is durable there, 0 when
 * it has no valid end, -1 with errno. */
static int
store(struct job *job, struct smtpd_body *body)
{
	struct smtpd_queue_message *d =
	    smtpd_queue_begin(job->submission->queue, &job->mail);
	struct transaction *t = job->transaction;
	char piece[PIECE];
	ssize_t n;
	int error;

	if (d == NULL)
		return -1;
	while ((n = smtpd_body_read(body, piece, sizeof(piece))) > 0) {
		t->size += (uint64_t)n;
		if (smtpd_queue_write(d, piece, (size_t)n) == -1)
			break;
	}
	if (n == 0)
		return smtpd_queue_commit(d, t->id) == 0 ? 1 : -1;
	error = errno;
	smtpd_queue_abort(d);
	errno = error;
	return n == -1 ? 0 : -1;
}

static int
run_job(struct job *job, struct smtpd_body *body)
{
	int result = set_mail(job);
	int error;

	if (result == 0)
		result = store(job, body);
	if (result == 1)
		return smtpd_reply(job->session, 250, "2.0.0", "queued, id=%s",
		    job->transaction->id);
	/* Without a valid end the library knows what to answer. */
	if (result == 0)
		return 0;
	error = errno;
	log_line(job->submission->log, SMTPD_LOG_ERROR,
	    "id=%s cannot queue the message: %s", job->envelope->id,
	    strerror(error));
	return reply_errno(job->session, error);
}

static int
deliver(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	struct job job = {
		.submission = user,
		.session = s,
		.envelope = envelope,
		.transaction = smtpd_session_transaction_data(s),
	};
	int code = run_job(&job, body);

	free(job.rcpts);
	free(job.addresses);
	return code;
}

/* One line for each message. */
static void
log_end(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    enum smtpd_end how, int code, void *user)
{
	const struct transaction *t = smtpd_session_transaction_data(s);
	const struct submission *sub = user;

	if (t == NULL ||
	    (how != SMTPD_END_DELIVERED && how != SMTPD_END_REFUSED))
		return;
	message_log(sub->log, s, envelope,
	    &(struct message_info){
		.what = how == SMTPD_END_DELIVERED ? "queued" : "refused",
		.id = t->id,
		.size = t->size,
		.code = code,
		.begun = t->begun,
	    });
}

int
submission_register(struct submission *s, struct smtpd_server *srv)
{
	smtpd_server_set_deliver(srv, deliver, s);
	smtpd_server_add_events(srv,
	    &(struct smtpd_events){ .transaction_end = log_end, .user = s });
	if (smtpd_server_add_handler(srv, "MAIL", check_mail, s) == -1)
		return -1;
	return smtpd_server_add_handler(srv, "RCPT", accept_rcpt, s);
}
