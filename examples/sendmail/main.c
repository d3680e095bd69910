/* SPDX-License-Identifier: MIT */

/* smtpout-sendmail: submit mail to smtpout, called in the manner of
 * sendmail. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "arguments.h"
#include "complain.h"
#include "dead_letter.h"
#include "identity.h"
#include "message.h"
#include "queue_request.h"
#include "session.h"
#include "startup.h"
#include "submit_drop.h"
#include "submit_smtp.h"
#include "verify.h"

/* All recipients, each once. */
struct recipients {
	struct text_list list;
	struct smtpd_outgoing_rcpt *array;
};

static int
add_rcpts(struct recipients *r, const struct text_list *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const char *address = from->items[i];

		if (*address != '\0' && !text_list_has(&r->list, address) &&
		    text_list_add(&r->list, address) == -1)
			return complain(PROGRAM, EX_TEMPFAIL, "no memory");
	}
	return 0;
}

static int
make_array(
    struct recipients *r, const struct arguments *a, const struct message *m)
{
	if (r->list.count == 0 && a->bad.count + m->bad.count > 0)
		return a->bad.count > 0 ? EX_USAGE : EX_DATAERR;
	if (r->list.count == 0)
		return complain(PROGRAM, EX_USAGE, "no recipient is named%s",
		    a->from_header ? " in the header" : "");
	r->array = calloc(r->list.count, sizeof(*r->array));
	if (r->array == NULL)
		return complain(PROGRAM, EX_TEMPFAIL, "no memory");
	for (size_t i = 0; i < r->list.count; i++)
		r->array[i] = (struct smtpd_outgoing_rcpt){
			SMTPD_OUTGOING_RCPT_INIT,
			.address = r->list.items[i],
			.notify = a->notify,
		};
	return 0;
}

/* Return the exit status. */
static int
submit_message(struct submission *s)
{
	static const struct timespec moment = { .tv_sec = SUBMISSION_PAUSE_S };

	for (int i = 0; i < SUBMISSION_TRIES && s->nrcpts > 0; i++) {
		if (i > 0)
			nanosleep(&moment, NULL);
		if (!submit_smtp(s))
			break;
		if (s->nrcpts > 0 && i == 0)
			submit_drop(s);
	}
	if (s->nrcpts > 0)
		return complain(PROGRAM, EX_TEMPFAIL,
		    "the message is not queued: %s", s->why);
	return s->status;
}

/* Keep the message with those whom the command line names. */
static void
save_message(struct submission *s)
{
	const struct text_list *rcpts = &s->arguments->rcpts;

	for (size_t i = 0; s->rcpts == NULL && i < rcpts->count; i++)
		text_list_add(&s->refused, rcpts->items[i]);
	dead_letter_save(s);
}

/* Report what is no address, and add it to those who get nothing.  Return
 * STATUS, or WORSE when that is 0 and there is any. */
static int
report_bad(
    struct submission *s, const struct text_list *bad, int status, int worse)
{
	for (size_t i = 0; i < bad->count; i++) {
		complain(PROGRAM, 0,
		    "\"%s\" is not an address: nothing is sent there",
		    bad->items[i]);
		text_list_add(&s->refused, bad->items[i]);
	}
	return status == 0 && bad->count > 0 ? worse : status;
}

/* Whatever STATUS says already, the message is read: it must not be lost. */
static int
read_and_submit(const struct arguments *a, struct identity *id, int status,
    struct message *m, struct recipients *r)
{
	const struct message_wants wants = {
		.dot_is_text = a->dot_is_text,
		.recipients = a->from_header,
		.from = id->from[0] != '\0' ? id->from : NULL,
	};
	struct submission s = { .arguments = a, .identity = id, .message = m };
	int error = message_read(m, stdin, &wants);

	if (error != 0)
		complain(PROGRAM, error, "%s", m->why);
	if (status == 0)
		status = error;
	if (status == 0)
		status = add_rcpts(r, &a->rcpts);
	if (status == 0)
		status = add_rcpts(r, &m->rcpts);
	if (status == 0)
		status = make_array(r, a, m);
	if (status == 0) {
		s.rcpts = r->array;
		s.nrcpts = r->list.count;
		status = submit_message(&s);
	}
	status = report_bad(&s, &a->bad, status, EX_USAGE);
	status = report_bad(&s, &m->bad, status, EX_DATAERR);
	if (status != 0 && m->file != NULL)
		save_message(&s);
	text_list_finish(&s.refused);
	return status;
}

/* STATUS: with which the program is to fail, whatever else happens. */
static int
send_message(const struct arguments *a, int status)
{
	struct recipients r = { .array = NULL };
	struct identity id;
	struct message m = { .file = NULL };
	int error = identity_find(&id, a->sender, a->name);

	status = read_and_submit(a, &id, status != 0 ? status : error, &m, &r);
	message_finish(&m);
	text_list_finish(&r.list);
	free(r.array);
	return status;
}

static int
ask_queue(const struct arguments *a, const char *verb)
{
	const char *words[] = { verb, a->flush };

	return queue_request_send(
	    PROGRAM, a->queue, words, a->flush != NULL ? 2 : 1);
}

int
main(int argc, char **argv)
{
	struct arguments a;
	int status;

	startup_prepare();
	status = arguments_read(&a, argc, argv);
	if (status == -1 && a.mode == MODE_LIST)
		status = ask_queue(&a, "list");
	else if (status == -1 && a.mode == MODE_FLUSH)
		status = ask_queue(&a, "flush");
	else if (status == -1 && a.mode == MODE_SESSION)
		status = session_run(&a);
	else if (status == -1 && a.mode == MODE_VERIFY)
		status = verify_recipients(&a);
	else if (status == -1 && a.mode == MODE_NOTHING)
		status = EX_OK;
	else if (status == -1)
		status = send_message(&a, 0);
	else if (status != 0 && a.mode == MODE_SUBMIT && !isatty(STDIN_FILENO))
		status = send_message(&a, status);
	arguments_finish(&a);
	return status;
}
