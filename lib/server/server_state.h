/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SERVER_STATE_H
#define SMTPD_SERVER_SERVER_STATE_H

/*
 * The state of a server: registrations and listeners, which stand still once
 * it runs, and what its threads share under a lock.
 */

#include <smtpd/server.h>

#include <pthread.h>

#include "net/listeners.h"
#include "server/gate.h"
#include "server/limits.h"
#include "server/listener.h"
#include "server/owned.h"
#include "server/parking.h"
#include "server/pool.h"
#include "server/rates.h"
#include "server/settings.h"

/* Room for the sentence of smtpd_server_error(). */
#define SMTPD_SERVER_ERROR_SIZE 256

struct smtpd_server {
	struct smtpd_server_config config;
	struct smtpd_owned own;
	struct smtpd_listeners listeners;
	struct smtpd_listener_options *options; /* one for each listener */
	size_t noptions;
	struct smtpd_pool pool;
	struct smtpd_parking parking;
	struct smtpd_error_list *errors; /* of calls, for each thread */

	/* The lock guards what follows. */
	pthread_mutex_t lock;
	bool closed;         /* nothing can be registered any more */
	bool started;        /* there is a pool to stop */
	pthread_cond_t gone; /* a session ended */
	struct smtpd_limits limits;
	struct smtpd_rates rates;
	struct smtpd_session *sessions;
	struct smtpd_tls *tls; /* and that of each listener */
	bool draining;
	struct smtpd_cancel *over; /* triggered once no session will be left;
	                            * NULL: nobody asked for it */
	struct smtpd_refused refused[SMTPD_REFUSAL_NONE];
};

#endif
