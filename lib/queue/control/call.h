/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_CALL_H
#define SMTPD_QUEUE_CONTROL_CALL_H

/*
 * One request of the operator as words, where its answer goes, and who carries
 * it out.
 */

#include <smtpd/queue.h>

#include <stddef.h>

struct smtpd_control_call {
	const char *const *words; /* as in smtpd_queue_ask() */
	size_t count;
	smtpd_write_fn *write; /* gets the text of the answer */
	void *user;

	/* Set to the reason of a failure.  After a success it is "", or, if the
	 * answer is incomplete, a continuation word: append it to the words to
	 * fetch the next part.  So no part is large, and none keeps others
	 * waiting. */
	char *end;
	size_t size; /* of end */
};

/* Carry out CALL, or its next part.  Return 0 or an errno. */
typedef int smtpd_control_ask_fn(
    void *whom, const struct smtpd_control_call *call);

/* What carries out requests: another process, or a queue opened here. */
struct smtpd_control_peer {
	smtpd_control_ask_fn *ask;
	void *whom;
};

#endif
