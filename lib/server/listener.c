/* SPDX-License-Identifier: MIT */
#include "server/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/registration.h"
#include "server/server_error.h"
#include "server/server_state.h"
#include "transport/tls_conn.h"

#define LISTEN_FLAGS_KNOWN                                            \
	((unsigned)SMTPD_LISTEN_TLS | (unsigned)SMTPD_LISTEN_ABSENT | \
	    (unsigned)SMTPD_LISTEN_LMTP)

/* Of SMTP, and of nothing else (RFC 2033, 5). */
#define SMTP_PORT 25

/* Set the options of one listener more, and check FLAGS.  Room is made for all
 * at once, as sessions look at those that are there. */
static int
prepare_options(struct smtpd_server *srv, unsigned flags)
{
	if ((flags & ~LISTEN_FLAGS_KNOWN) != 0)
		return smtpd__server_error_set(
		    srv, EINVAL, "a listener has unknown flags");
	if (srv->noptions == SMTPD_LISTENERS_MAX)
		return smtpd__server_error_set(
		    srv, ENOBUFS, "there are 256 listeners already");
	if (srv->options == NULL)
		srv->options =
		    calloc(SMTPD_LISTENERS_MAX, sizeof(*srv->options));
	if (srv->options == NULL)
		return smtpd__server_error_memory(srv);
	srv->options[srv->noptions] =
	    (struct smtpd_listener_options){ flags, NULL };
	return 0;
}

/* Refuse flags that do not go with address A. */
static int
check_port(
    struct smtpd_server *srv, const struct smtpd_sockaddr *a, unsigned flags)
{
	if ((flags & SMTPD_LISTEN_LMTP) != 0 &&
	    smtpd__socket_port(a) == SMTP_PORT)
		return smtpd__server_error_set(srv, EINVAL,
		    "LMTP must not be spoken on port %d", SMTP_PORT);
	return 0;
}

int
smtpd_server_listen(
    struct smtpd_server *srv, const char *address, unsigned flags)
{
	struct smtpd_sockaddr a;
	int error;

	if (prepare_options(srv, flags) == -1)
		return -1;
	if (address == NULL)
		return smtpd__server_error_null(srv, "address");
	if (smtpd__socket_parse(address, &a) == -1)
		return smtpd__server_error_set(srv, EINVAL,
		    "\"%s\" is not an address: use 192.0.2.1:25, "
		    "[2001:db8::1]:25 or /path",
		    address);
	if (check_port(srv, &a, flags) == -1)
		return -1;
	error = smtpd__listeners_add(
	    &srv->listeners, &a, (flags & SMTPD_LISTEN_ABSENT) != 0);
	if (error != 0)
		return smtpd__server_error_errno(srv, error, address);
	srv->noptions++;
	return 0;
}

int
smtpd_server_listen_fd(struct smtpd_server *srv, int fd, unsigned flags)
{
	struct smtpd_sockaddr a;
	int error;

	if (smtpd__registration_check(srv) == -1 ||
	    prepare_options(srv, flags) == -1 ||
	    (smtpd__socket_local(fd, &a) == 0 &&
		check_port(srv, &a, flags) == -1)) {
		error = errno;
		if (fd >= 0)
			close(fd);
		errno = error;
		return -1;
	}
	error = smtpd__listeners_add_fd(&srv->listeners, fd);
	if (error != 0)
		return smtpd__server_error_errno(srv, error, "descriptor");
	srv->noptions++;
	return 0;
}

/* Note why listener I gave no descriptor, FD being -1; return FD. */
static int
note_failure(struct smtpd_server *srv, size_t i, int fd)
{
	if (fd == -1 && errno == EINVAL)
		smtpd__server_error_set(
		    srv, EINVAL, "there is no listener %zu", i);
	else if (fd == -1)
		smtpd__server_error_errno(
		    srv, errno, "a listener cannot be handed on");
	return fd;
}

int
smtpd_server_share(struct smtpd_server *srv, size_t i)
{
	return note_failure(srv, i, smtpd__listeners_share(&srv->listeners, i));
}

int
smtpd_server_release(struct smtpd_server *srv, size_t i)
{
	return note_failure(
	    srv, i, smtpd__listeners_release(&srv->listeners, i));
}

/* Put a reference to TLS where *AT has one, and drop that. */
static int
replace_tls(
    struct smtpd_server *srv, struct smtpd_tls **at, struct smtpd_tls *tls)
{
	struct smtpd_tls *old;

	if (tls != NULL && !smtpd__tls_context_freeze(tls))
		return smtpd__server_error_set(
		    srv, EINVAL, "the TLS context has no certificate");
	if (tls != NULL)
		smtpd_tls_ref(tls);
	pthread_mutex_lock(&srv->lock);
	old = *at;
	*at = tls;
	pthread_mutex_unlock(&srv->lock);
	smtpd_tls_unref(old);
	return 0;
}

int
smtpd_server_set_tls(struct smtpd_server *srv, struct smtpd_tls *tls)
{
	return replace_tls(srv, &srv->tls, tls);
}

int
smtpd_server_set_listener_tls(
    struct smtpd_server *srv, size_t i, struct smtpd_tls *tls)
{
	if (i >= srv->noptions)
		return smtpd__server_error_set(
		    srv, EINVAL, "there is no listener %zu", i);
	return replace_tls(srv, &srv->options[i].tls, tls);
}

const char *
smtpd_server_address(const struct smtpd_server *srv, size_t i)
{
	return smtpd__listeners_address(&srv->listeners, i);
}

unsigned
smtpd_server_listen_flags(const struct smtpd_server *srv, size_t i)
{
	return smtpd_server_address(srv, i) != NULL ? srv->options[i].flags : 0;
}

struct smtpd_tls *
smtpd__listener_get_tls(const struct smtpd_server *srv,
    const struct smtpd_listener_options *options)
{
	struct smtpd_tls *tls = srv->tls;

	if (options != NULL && options->tls != NULL)
		tls = options->tls;
	return tls != NULL ? smtpd_tls_ref(tls) : NULL;
}

void
smtpd__listener_finish_all(struct smtpd_server *srv)
{
	smtpd__listeners_finish(&srv->listeners);
	for (size_t i = 0; i < srv->noptions; i++)
		smtpd_tls_unref(srv->options[i].tls);
	free(srv->options);
}
