/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_H
#define SMTPD_QUEUE_CONTROL_H

/*
 * The operator's requests (smtpd_queue_ask()): carried out on a spool, by the
 * process that has it open; others ask that process over the UNIX socket
 * `control` in the directory (mode 0600).
 *
 * A request is one line of words, each divided by a NUL, ended by a newline.
 * The answer is "0\n" or "ERRNO reason\n" and then the text, up to the end of
 * the connection.
 */

#include <smtpd/queue.h>

#include "base/text.h"
#include "queue/spool.h"

/*
 * What requests need besides the spool; the functions are NULL in a process
 * that only reads, or where no worker runs.
 */
struct smtpd_control_hooks {
	/* Try a job now; take it out of the schedule; put it in again. */
	void (*flush)(void *user, struct smtpd_job *job);
	void (*withdraw)(void *user, struct smtpd_job *job);
	void (*resume)(void *user, struct smtpd_job *job);

	/* Add what the schedule knows of the job to TEXT: the site, and
	 * until when and why it is closed. */
	void (*explain)(
	    void *user, const struct smtpd_job *job, struct smtpd_text *text);
	void *user;
};

/*
 * Carry out WORDS on S.  The answer goes to WRITE.  Return 0, or an errno with
 * the reason in ERROR of SIZE bytes.
 */
int smtpd_control_run(struct smtpd_spool *s,
    const struct smtpd_control_hooks *hooks, const char *const *words,
    size_t count, smtpd_write_fn *write, void *user, char *error, size_t size);

/* The socket and the thread that serves it, one request after the other. */
struct smtpd_control;

/* Listen in the spool's directory.  Return NULL with errno and the reason in
 * ERROR of SIZE bytes. */
struct smtpd_control *smtpd_control_start(struct smtpd_spool *s,
    const struct smtpd_control_hooks *hooks, char *error, size_t size);

/* Answer no more, and remove the socket; NULL is fine. */
void smtpd_control_stop(struct smtpd_control *c);

#endif
