/* SPDX-License-Identifier: MIT */
#include <smtpd/server.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <smtpd/cancel.h>

#include "base/sized.h"
#include "os/condition.h"
#include "os/fd.h"
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
	smtpd_cancel_destroy(srv->over);
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
	if (smtpd__listeners_address(&srv->listeners, 0) == NULL &&
	    (srv->config.settings.flags & SMTPD_FLAG_ADOPTS) == 0)
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
	pthread_mutex_lock(&srv->lock);
	srv->started = true;
	pthread_mutex_unlock(&srv->lock);
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

/* Whether FD is a connection. */
static bool
is_connection(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int type = 0;

	if (getpeername(fd, (struct sockaddr *)&peer, &len) == -1)
		return false;
	len = sizeof(type);
	errno = EPROTOTYPE;
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_STREAM;
}

/* What must be right to adopt FD with FLAGS. */
static int
check_adoption(struct smtpd_server *srv, int fd, unsigned flags)
{
	bool started;

	pthread_mutex_lock(&srv->lock);
	started = srv->started;
	pthread_mutex_unlock(&srv->lock);
	if (!started)
		return smtpd__server_error_set(
		    srv, EINVAL, "the server does not run");
	if ((flags & ~SERVE_FLAGS_KNOWN) != 0)
		return smtpd__server_error_set(
		    srv, EINVAL, "a session has unknown flags");
	if (!is_connection(fd))
		return smtpd__server_error_errno(
		    srv, errno, "the descriptor is not a connection");
	return 0;
}

int
smtpd_server_adopt(struct smtpd_server *srv, int fd, unsigned flags)
{
	int saved;

	if (check_adoption(srv, fd, flags) == -1) {
		saved = errno;
		smtpd__fd_close(fd);
		errno = saved;
		return -1;
	}
	smtpd__socket_prepare(fd);
	smtpd__admission_adopt(srv, fd, flags);
	return 0;
}

void
smtpd_server_stop(struct smtpd_server *srv)
{
	smtpd__listeners_stop(&srv->listeners);
	pthread_mutex_lock(&srv->lock);
	srv->closed = true;
	srv->draining = true;
	smtpd__session_list_interrupt(srv, SMTPD_INTERRUPT_LINE);
	smtpd__session_list_tell_end(srv);
	pthread_mutex_unlock(&srv->lock);
}

int
smtpd_server_fd(struct smtpd_server *srv)
{
	int fd = -1;

	pthread_mutex_lock(&srv->lock);
	if (srv->over == NULL)
		srv->over = smtpd_cancel_create();
	if (srv->over != NULL) {
		smtpd__session_list_tell_end(srv);
		fd = smtpd_cancel_fd(srv->over);
	}
	pthread_mutex_unlock(&srv->lock);
	if (fd == -1)
		smtpd__server_error_errno(srv, errno, "cannot wait");
	return fd;
}

/* Whether the calling thread runs a session of SRV. */
static bool
is_own_thread(struct smtpd_server *srv)
{
	bool own;

	pthread_mutex_lock(&srv->lock);
	own = smtpd__session_list_own_thread(srv);
	pthread_mutex_unlock(&srv->lock);
	if (own)
		smtpd__server_error_set(
		    srv, EDEADLK, "a handler cannot wait for itself");
	return own;
}

int
smtpd_server_wait(struct smtpd_server *srv, uint32_t timeout_ms)
{
	bool stopped, left;

	if (is_own_thread(srv))
		return -1;
	pthread_mutex_lock(&srv->lock);
	stopped = srv->draining;
	if (stopped)
		smtpd__session_list_wait(srv, timeout_ms);
	left = srv->sessions != NULL;
	pthread_mutex_unlock(&srv->lock);
	if (!stopped)
		return smtpd__server_error_set(
		    srv, EINVAL, "the server runs: call smtpd_server_stop()");
	if (left)
		return smtpd__server_error_set(
		    srv, ETIMEDOUT, "sessions are left");
	return 0;
}

int
smtpd_server_drain(struct smtpd_server *srv, uint32_t timeout_ms)
{
	int cut_off = 0;
	bool left;

	if (is_own_thread(srv))
		return -1;
	smtpd_server_stop(srv);
	pthread_mutex_lock(&srv->lock);
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
