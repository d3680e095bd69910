/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_SERVER_H
#define SMTPD_QUEUE_CONTROL_SERVER_H

/*
 * The operator's requests (smtpd_queue_ask()): carried out on a spool, by the
 * process that has it open; others ask that process over the UNIX socket
 * `control` in the directory (mode 0600).
 */

#include <smtpd/queue.h>

#include "base/text.h"
#include "queue/spool/spool.h"

/*
 * What requests need of the schedule.  All are NULL in a process where no
 * worker runs.  The message of a job that is given has a pin; the functions take
 * the locks that guard the schedule, and may be called from any thread.
 */
struct smtpd_control_hooks {
	/* Try a job now, unless it is active, held or finished; take it out of
	 * the schedule, unless it is active; put it in again, if it is out
	 * and neither held, removed nor finished. */
	void (*flush)(void *user, struct smtpd_delivery_job *job);
	void (*withdraw)(void *user, struct smtpd_delivery_job *job);
	void (*resume)(void *user, struct smtpd_delivery_job *job);

	/*
	 * Set the state and the due time of COPY, a copy of JOB, as the
	 * schedule has them; the due time of an active job changes without
	 * its lock, and is left alone.  A job that is ready but whose site is
	 * closed may be told as one for later, due when the site resumes.
	 */
	void (*look)(void *user, const struct smtpd_delivery_job *job,
	    struct smtpd_delivery_job *copy);

	/* Add what the schedule knows of the job to TEXT: the site, and
	 * until when and why it is closed.  Lines of printable ASCII. */
	void (*explain)(void *user, const struct smtpd_delivery_job *job,
	    struct smtpd_text *text);
	void *user;
};

/* Octets of a request, and of what ends an answer. */
#define SMTPD_CONTROL_LINE_MAX 2048

/*
 * Carry out WORDS on S.  The text of the answer goes to WRITE.  Return 0, or an
 * errno with the reason in END of SIZE bytes.
 *
 * An answer may come in parts, so that no part is large and none keeps others
 * waiting: when END is not "" after a 0, it is a word that gets the next part
 * when it is put behind WORDS in place of the one before.
 *
 * Besides those of smtpd_queue_ask(), but without export, there is
 *
 *	ids		the id of each message, one a line
 */
int smtpd__control_commands_run(struct smtpd_spool *s,
    const struct smtpd_control_hooks *hooks, const char *const *words,
    size_t count, smtpd_write_fn *write, void *user, char *end, size_t size);

/* Whether WORDS change something. */
bool smtpd__control_commands_changes(const char *const *words, size_t count);

/* The socket and the thread that serves it, one request after the other. */
struct smtpd_control;

/* Listen in the spool's directory.  Return NULL with errno and the reason in
 * ERROR of SIZE bytes. */
struct smtpd_control *smtpd__control_server_start(struct smtpd_spool *s,
    const struct smtpd_control_hooks *hooks, char *error, size_t size);

/* Answer no more, and remove the socket; NULL is fine.  A check that is under
 * way is waited for. */
void smtpd__control_server_stop(struct smtpd_control *c);

#endif
