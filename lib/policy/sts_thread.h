/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_STS_THREAD_H
#define SMTPD_POLICY_STS_THREAD_H

/* The thread that refreshes policies of MTA-STS. */

#include "policy/sts.h"

/* Begin to refresh what is known.  Return 0 or an errno value. */
int smtpd__sts_thread_start(struct smtpd_sts *s);

/* End that, and all waits. */
void smtpd__sts_thread_stop(struct smtpd_sts *s);

#endif
