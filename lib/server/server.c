/* SPDX-License-Identifier: MIT */
#include <smtpd/server.h>

#include <errno.h>
#include <stdlib.h>

#include "base/sized.h"
#include "os/condition.h"
#include "server/admission.h"
#include "server/gate.h"
#include "server/registration.h"
#include "server/server_error.h"
#include "server/server_state.h"
#include "server/session_list.h"
#include "server/session_state.h"
#include "server/sessions.h"
#include "server/verbs.h"

/* How long a session that was cut off may take to end: a handler is waited for
 * no longer. */
#define CUT_OFF_MS 1000

#define SERVE_FLAGS_KNOWN \
	((unsigned)SMTPD_LISTEN_TLS | (unsigned)SMTPD_LISTEN_LMTP)

struct smtpd_server *
smtpd_server_create(const struct smtpd_settings *settings)
{
	struct smtpd_server *srv = calloc(1, sizeof(*srv));

	if (srv == NULL)
		return NULL;
	if (smtpd__settings_init(&srv->config, settings) == -1) {
		free(srv);
		errno = EINVAL;
		return NULL;
	}
	srv->errors = smtpd__server_error_create();
	pthread_mutex_init(&srv->lock, NULL);
	smtpd__condition_init(&srv->gone);
	smtpd__listeners_init(&srv->listeners);
	smtpd__parking_init(&srv->parking);
	smtpd__limits_init(&srv->limits, &srv->config.settings);
	srv->config.server = srv;
	if (srv->errors == NULL ||
	    smtpd__rates_begin(&srv->rates, &srv->config.settings) == -1 ||
	    smtpd__verbs_install(&srv->config.verbs) == -1) {
		smtpd_server_destroy(srv);
		errno = ENOMEM;
		return NULL;
	}
	return srv;
}

/* Let the threads end once no session is left. */
static void
stop_pool(struct smtpd_server *srv)
{
	bool started;

	pthread_mutex_lock(&srv->lock);
	started = srv->started && srv->sessions == NULL;
	if (started)
		srv->started = false;
	pthread_mutex_unlock(&srv->lock);
	if (!started)
		return;
	smtpd__parking_close(&srv->parking);
	smtpd__pool_stop(&srv->pool);
	smtpd__pool_finish(&srv->pool);
}

void
smtpd_server_destroy(struct smtpd_server *srv)
{
	if (srv == NULL)
		return;
	smtpd_server_drain(srv, 0);
	pthread_mutex_lock(&srv->lock);
	smtpd__session_list_wait(srv, SMTPD_NO_TIMEOUT);
	pthread_mutex_unlock(&srv->lock);
	stop_pool(srv);
	smtpd__owned_clear(&srv->own);
	smtpd__listener_finish_all(srv);
	smtpd__parking_finish(&srv->parking);
	smtpd_tls_unref(srv->tls);
	smtpd__limits_finish(&srv->limits);
	smtpd__rates_finish(&srv->rates);
	smtpd__settings_finish(&srv->config);
	pthread_cond_destroy(&srv->gone);
	pthread_mutex_destroy(&srv->lock);
	smtpd__server_error_destroy(srv->errors);
	free(srv);
}

/* What must be right before any session. */
static int
check_settings(struct smtpd_server *srv)
{
	const char *fault = smtpd__settings_fault(&srv->config);

	if (fault != NULL)
		return smtpd__server_error_set(
		    srv, EINVAL, "setting %s is out of its range", fault);
	if (srv->config.deliver == NULL)
		return smtpd__server_error_set(srv, EINVAL,
		    "nothing delivers: call smtpd_server_set_deliver() first");
	return 0;
}

int
smtpd_server_start(struct smtpd_server *srv)
{
	int error;

	if (check_settings(srv) == -1)
		return -1;
	if (srv->started || srv->draining)
		return smtpd__server_error_set(
		    srv, EBUSY, "the server was started before");
	if (smtpd__listeners_address(&srv->listeners, 0) == NULL)
		return smtpd__server_error_set(srv, EINVAL,
		    "nothing to listen on: call smtpd_server_listen()");
	error = smtpd__parking_open(&srv->parking);
	if (error == 0)
		error = smtpd__listeners_start(
		    &srv->listeners, smtpd__parking_fd(&srv->parking));
	if (error != 0)
		return smtpd__server_error_errno(srv, error, "cannot listen");
	smtpd__pool_init(&srv->pool, &smtpd__admission_work, srv,
	    srv->config.settings.stack_size);
	error = smtpd__pool_start(&srv->pool);
	if (error != 0) {
		smtpd__pool_finish(&srv->pool);
		return smtpd__server_error_errno(
		    srv, error, "cannot make a thread");
	}
	smtpd__registration_close(srv);
	srv->started = true;
	return 0;
}

int
smtpd_server_serve(struct smtpd_server *srv, int in, int out, unsigned flags)
{
	int result;

	if (check_settings(srv) == -1)
		return -1;
	if (in < 0 || out < 0)
		return smtpd__server_error_set(
		    srv, EBADF, "a descriptor is negative");
	if ((flags & ~SERVE_FLAGS_KNOWN) != 0)
		return smtpd__server_error_set(
		    srv, EINVAL, "a session has unknown flags");
	smtpd__registration_close(srv);
	result = smtpd__sessions_serve(srv, in, out, flags);
	if (result == -1 && errno == ENOMEM)
		return smtpd__server_error_memory(srv);
	if (result == -1)
		return smtpd__server_error_set(
		    srv, ESHUTDOWN, "the server is shutting down");
	return 0;
}

int
smtpd_server_drain(struct smtpd_server *srv, uint32_t timeout_ms)
{
	int cut_off = 0;
	bool left;

	pthread_mutex_lock(&srv->lock);
	if (smtpd__session_list_own_thread(srv)) {
		pthread_mutex_unlock(&srv->lock);
		return smtpd__server_error_set(
		    srv, EDEADLK, "a handler cannot wait for itself");
	}
	smtpd__listeners_stop(&srv->listeners);
	srv->closed = true;
	srv->draining = true;
	smtpd__session_list_interrupt(srv, SMTPD_INTERRUPT_LINE);
	smtpd__session_list_wait(srv, timeout_ms);
	if (srv->sessions != NULL) {
		cut_off =
		    smtpd__session_list_interrupt(srv, SMTPD_INTERRUPT_ALL);
		smtpd__session_list_wait(srv, CUT_OFF_MS);
	}
	left = srv->sessions != NULL;
	pthread_mutex_unlock(&srv->lock);
	stop_pool(srv);
	if (!left)
		smtpd__listeners_close(&srv->listeners);
	smtpd__gate_log_rest(srv);
	return cut_off;
}

int
smtpd_server_count(
    const struct smtpd_server *srv, struct smtpd_server_counters *out)
{
	struct smtpd_server_counters now = { SMTPD_SERVER_COUNTERS_INIT };

	if (out == NULL) {
		errno = EINVAL;
		return -1;
	}
	smtpd__counters_read(&srv->config.counters, &now);
	now.threads_now = atomic_load(&srv->pool.threads);
	return smtpd__sized_fill(out, &now, sizeof(now));
}
