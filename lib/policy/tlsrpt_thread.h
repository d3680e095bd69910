/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_TLSRPT_THREAD_H
#define SMTPD_POLICY_TLSRPT_THREAD_H

/* The thread that writes and sends reports about TLS. */

#include <pthread.h>

#include "policy/tlsrpt.h"

struct smtpd_tlsrpt_thread {
	struct smtpd_tlsrpt *tlsrpt;
	struct smtpd_cancel *cancel;
	pthread_t thread;
	bool running;
};

/* Begin.  Return 0 or an errno value; to be stopped in any case. */
int smtpd__tlsrpt_thread_start(
    struct smtpd_tlsrpt_thread *t, struct smtpd_tlsrpt *tlsrpt);
void smtpd__tlsrpt_thread_stop(struct smtpd_tlsrpt_thread *t);

#endif
