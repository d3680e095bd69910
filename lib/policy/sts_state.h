/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_STS_STATE_H
#define SMTPD_POLICY_STS_STATE_H

/* What the files sts* share. */

#include <pthread.h>
#include <stdbool.h>

#include "policy/sts.h"
#include "policy/sts_table.h"

struct smtpd_sts {
	struct smtpd_sts_settings set;
	struct smtpd_cancel *cancel;
	pthread_mutex_t lock; /* for all below */
	pthread_cond_t found; /* a thread is done with an entry */
	pthread_cond_t wake;
	struct smtpd_sts_table table;
	bool running, stopping;
	pthread_t thread;
};

#endif
