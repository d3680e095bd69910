/* SPDX-License-Identifier: MIT */
#include "net/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/fd.h"

/* After so many connections from one socket the others are looked at. */
#define STREAK_MAX 32

#define PAUSE_MS 1000

/* After so many failures in a row of a socket that is ready, rest. */
#define FAILURES_MAX 2

struct smtpd_listener {
	struct smtpd_sockaddr addr;
	bool has_file; /* the file of a UNIX socket, which was made here: */
	dev_t file_dev;
	ino_t file_ino;
	char text[SMTPD_SOCKET_TEXT_MAX];
};

void
smtpd__listeners_init(struct smtpd_listeners *l)
{
	memset(l, 0, sizeof(*l));
	l->spare = -1;
	l->stop[0] = l->stop[1] = -1;
	atomic_init(&l->stopped, false);
}

/* Remove the file of ONE, unless another socket has taken its place. */
static void
remove_file(struct smtpd_listener *one)
{
	const struct sockaddr_un *un =
	    (const struct sockaddr_un *)&one->addr.addr;
	struct stat st;

	if (one->has_file && lstat(un->sun_path, &st) == 0 &&
	    st.st_dev == one->file_dev && st.st_ino == one->file_ino)
		unlink(un->sun_path);
	one->has_file = false;
}

/* Close our descriptor of socket I.  It is not shut down: other processes may
 * have it as well. */
static void
close_socket(struct smtpd_listeners *l, size_t i)
{
	if (l->poll[i].fd >= 0)
		close(l->poll[i].fd);
	l->poll[i].fd = -1;
}

void
smtpd__listeners_close(struct smtpd_listeners *l)
{
	for (size_t i = 0; i < l->count; i++)
		close_socket(l, i);
}

void
smtpd__listeners_finish(struct smtpd_listeners *l)
{
	for (size_t i = 0; i < l->count; i++)
		remove_file(&l->list[i]);
	smtpd__listeners_close(l);
	smtpd__fd_close(l->stop[0]);
	smtpd__fd_close(l->stop[1]);
	smtpd__fd_close(l->spare);
	free(l->list);
	free(l->poll);
}

/* Room for one more, and for the pipe behind it. */
static int
grow_arrays(struct smtpd_listeners *l)
{
	struct smtpd_listener *list =
	    realloc(l->list, (l->count + 1) * sizeof(*list));
	struct pollfd *fds;

	if (list == NULL)
		return ENOMEM;
	l->list = list;
	fds = realloc(l->poll, (l->count + 2) * sizeof(*fds));
	if (fds == NULL)
		return ENOMEM;
	l->poll = fds;
	return 0;
}

static int
add_socket(struct smtpd_listeners *l, int fd)
{
	struct smtpd_listener *one;
	int error = grow_arrays(l);

	if (error != 0)
		return error;
	one = &l->list[l->count];
	memset(one, 0, sizeof(*one));
	if (smtpd__socket_local(fd, &one->addr) != 0)
		return errno;
	smtpd__socket_text(&one->addr, one->text);
	l->poll[l->count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	return 0;
}

/* The file of the last socket was made here, if it has one. */
static void
own_file(struct smtpd_listeners *l)
{
	struct smtpd_listener *one = &l->list[l->count - 1];
	const struct sockaddr_un *un =
	    (const struct sockaddr_un *)&one->addr.addr;
	struct stat st;

	if (un->sun_family != AF_UNIX || lstat(un->sun_path, &st) == -1)
		return;
	one->has_file = true;
	one->file_dev = st.st_dev;
	one->file_ino = st.st_ino;
}

int
smtpd__listeners_add(struct smtpd_listeners *l, const struct smtpd_sockaddr *a)
{
	int fd = smtpd__socket_listen(a);
	int error;

	if (fd < 0)
		return errno;
	error = add_socket(l, fd);
	if (error != 0)
		close(fd);
	else
		own_file(l);
	return error;
}

/* An accept() that found nothing must not block: others wait to be told. */
static int
adopt_socket(struct smtpd_listeners *l, int fd)
{
	int flags = fcntl(fd, F_GETFL);
	int listens = 0;
	socklen_t len = sizeof(listens);

	if (flags < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0)
		return errno;
	if (!listens)
		return EINVAL;
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return errno;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return add_socket(l, fd);
}

int
smtpd__listeners_add_fd(struct smtpd_listeners *l, int fd)
{
	int error = adopt_socket(l, fd);

	if (error != 0)
		close(fd);
	return error;
}

const char *
smtpd__listeners_address(const struct smtpd_listeners *l, size_t i)
{
	return i < l->count ? l->list[i].text : NULL;
}

int
smtpd__listeners_start(struct smtpd_listeners *l)
{
	if (pipe2(l->stop, O_CLOEXEC | O_NONBLOCK) == -1)
		return errno;
	l->poll[l->count] =
	    (struct pollfd){ .fd = l->stop[0], .events = POLLIN };
	smtpd__listeners_reserve(l);
	return 0;
}

void
smtpd__listeners_reserve(struct smtpd_listeners *l)
{
	if (l->spare < 0)
		l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Point `at` to the next socket that has something to tell. */
static bool
find_ready(struct smtpd_listeners *l)
{
	for (size_t i = 1; i <= l->count; i++) {
		size_t next = (l->at + i) % l->count;

		if (l->poll[next].revents != 0) {
			l->at = next;
			return true;
		}
	}
	return false;
}

/* Wait until a socket has something to tell; OK: perhaps a connection. */
static enum smtpd_accept
wait_ready(struct smtpd_listeners *l, struct smtpd_accepted *out)
{
	for (;;) {
		int n = poll(l->poll, (nfds_t)l->count + 1, -1);

		if (atomic_load(&l->stopped))
			return SMTPD_ACCEPT_STOPPED;
		if (n == -1 && errno != EINTR) {
			out->error = errno;
			return SMTPD_ACCEPT_LACK;
		}
		if (n <= 0 || !find_ready(l))
			continue;
		l->streak = 0;
		if (l->poll[l->at].revents == POLLIN)
			return SMTPD_ACCEPT_OK;
		out->which = l->at;
		out->error = EINVAL;
		close_socket(l, l->at);
		return SMTPD_ACCEPT_LOST;
	}
}

static bool
is_lack(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	    error == ENOMEM;
}

/* Failures of accept() that concern one connection only (accept(2)). */
static bool
is_passing(int error)
{
	switch (error) {
	case EAGAIN:
	case EINTR:
	case ECONNABORTED:
	case ENETDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ETIMEDOUT:
	case EPERM:
		return true;
	}
	return false;
}

/* There is no descriptor: take a connection with the spare one, so that it can
 * be told. */
static enum smtpd_accept
accept_by_spare(struct smtpd_listeners *l, struct smtpd_accepted *out)
{
	close(l->spare);
	l->spare = -1;
	out->fd = smtpd__socket_accept(l->poll[l->at].fd, &out->peer);
	if (out->fd >= 0)
		return SMTPD_ACCEPT_SPARE;
	out->error = errno;
	smtpd__listeners_reserve(l);
	return SMTPD_ACCEPT_LACK;
}

/* Accept from the socket that was ready last; LACK: OUT says why not. */
static enum smtpd_accept
accept_one(struct smtpd_listeners *l, struct smtpd_accepted *out)
{
	out->which = l->at;
	out->fd = smtpd__socket_accept(l->poll[l->at].fd, &out->peer);
	if (out->fd >= 0)
		return SMTPD_ACCEPT_OK;
	out->error = errno;
	if ((out->error == EMFILE || out->error == ENFILE) && l->spare >= 0)
		return accept_by_spare(l, out);
	return SMTPD_ACCEPT_LACK;
}

/* Whether the failure in OUT is one to rest for. */
static bool
failure_lasts(struct smtpd_listeners *l, const struct smtpd_accepted *out)
{
	if (is_lack(out->error))
		return true;
	if (is_passing(out->error))
		return false;
	return ++l->failures >= FAILURES_MAX;
}

enum smtpd_accept
smtpd__listeners_accept(struct smtpd_listeners *l, struct smtpd_accepted *out)
{
	enum smtpd_accept status;

	memset(out, 0, sizeof(*out));
	for (;;) {
		status = SMTPD_ACCEPT_STOPPED;
		if (atomic_load(&l->stopped))
			break;
		if (l->streak++ < STREAK_MAX && l->poll[l->at].fd >= 0) {
			status = accept_one(l, out);
			if (status != SMTPD_ACCEPT_LACK)
				l->failures = 0;
			if (status != SMTPD_ACCEPT_LACK ||
			    failure_lasts(l, out))
				return status;
		}
		status = wait_ready(l, out);
		if (status != SMTPD_ACCEPT_OK)
			break;
	}
	if (status == SMTPD_ACCEPT_STOPPED)
		smtpd__listeners_close(l);
	return status;
}

void
smtpd__listeners_pause(struct smtpd_listeners *l)
{
	l->failures = 0;
	poll(&l->poll[l->count], 1, PAUSE_MS);
}

void
smtpd__listeners_stop(struct smtpd_listeners *l)
{
	if (atomic_exchange(&l->stopped, true))
		return;
	for (size_t i = 0; i < l->count; i++)
		remove_file(&l->list[i]);
	while (
	    l->stop[1] >= 0 && write(l->stop[1], "", 1) == -1 && errno == EINTR)
		continue;
}
