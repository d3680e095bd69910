/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_MILTER_H
#define SMTPD_MILTER_MILTER_H

/*
 * A milter: where it listens, its settings, and the connections that wait for
 * the next session.
 */

#include <smtpd/milter.h>

#include <pthread.h>

#include "base/logger.h"
#include "base/sizes.h"
#include "milter/connection.h"

struct smtpd_milter {
	char *text; /* of the address */
	struct smtpd_milter_address address;
	struct smtpd_milter_settings settings; /* no zeros left */
	char hostname[SMTPD_HOSTNAME_SIZE];
	char daemon_name[64];
	char mailer[64];
	struct smtpd_logger logger;

	pthread_mutex_t lock; /* guards what follows */
	struct smtpd_milter_connection *idle;
	size_t idle_count;
};

/* A connection that another session left and that is still good; NULL: none. */
struct smtpd_milter_connection *smtpd__milter_reuse(struct smtpd_milter *m);

/* Keep C, whose session is over, for another one, or close it. */
void smtpd__milter_release(
    struct smtpd_milter *m, struct smtpd_milter_connection *c);

#endif
