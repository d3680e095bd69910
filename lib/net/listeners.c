/* SPDX-License-Identifier: MIT */
#include "net/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* After so many connections from one socket the others are looked at. */
#define STREAK_MAX 32

#define PAUSE_MS 1000

struct smtpd_listener {
	struct smtpd_sockaddr addr;
	bool ours; /* made here, not given, and not shut yet */
	char text[SMTPD_SOCKET_TEXT_MAX];
};

void
smtpd__listeners_init(struct smtpd_listeners *l)
{
	memset(l, 0, sizeof(*l));
	l->stop[0] = l->stop[1] = -1;
	atomic_init(&l->stopped, false);
}

/*
 * Let the clients that wait, or come, know that nobody will answer.  A socket
 * that was given may be in use elsewhere.
 */
static void
shut_listener(struct smtpd_listener *one, int fd)
{
	const struct sockaddr_un *un =
	    (const struct sockaddr_un *)&one->addr.addr;

	if (!one->ours)
		return;
	one->ours = false;
	if (un->sun_family == AF_UNIX)
		unlink(un->sun_path);
	shutdown(fd, SHUT_RDWR);
}

void
smtpd__listeners_finish(struct smtpd_listeners *l)
{
	for (size_t i = 0; i < l->count; i++) {
		shut_listener(&l->list[i], l->poll[i].fd);
		close(l->poll[i].fd);
	}
	if (l->stop[0] >= 0) {
		close(l->stop[0]);
		close(l->stop[1]);
	}
	free(l->list);
	free(l->poll);
}

/* The pipe is made with the first socket: without one nobody waits. */
static int
make_stop_pipe(struct smtpd_listeners *l)
{
	if (l->stop[0] >= 0)
		return 0;
	if (pipe(l->stop) != 0)
		return errno;
	fcntl(l->stop[0], F_SETFD, FD_CLOEXEC);
	fcntl(l->stop[1], F_SETFD, FD_CLOEXEC);
	return 0;
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
add_socket(struct smtpd_listeners *l, int fd, bool ours)
{
	struct smtpd_listener *one;
	int error = make_stop_pipe(l);

	if (error == 0)
		error = grow_arrays(l);
	if (error != 0)
		return error;
	one = &l->list[l->count];
	memset(one, 0, sizeof(*one));
	if (smtpd__socket_local(fd, &one->addr) != 0)
		return errno;
	smtpd__socket_text(&one->addr, one->text);
	one->ours = ours;
	l->poll[l->count] = (struct pollfd){ .fd = fd, .events = POLLIN };
	l->count++;
	l->poll[l->count] =
	    (struct pollfd){ .fd = l->stop[0], .events = POLLIN };
	return 0;
}

int
smtpd__listeners_add(struct smtpd_listeners *l, const struct smtpd_sockaddr *a)
{
	int fd = smtpd__socket_listen(a);
	int error;

	if (fd < 0)
		return errno;
	error = add_socket(l, fd, true);
	if (error != 0)
		close(fd);
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
	return add_socket(l, fd, false);
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

/* Wait until a socket is ready, and point `at` to it; false: stopped. */
static bool
wait_ready(struct smtpd_listeners *l)
{
	for (;;) {
		int n = poll(l->poll, (nfds_t)l->count + 1, -1);

		if (atomic_load(&l->stopped))
			return false;
		if (n <= 0)
			continue;
		l->streak = 0;
		for (size_t i = 1; i <= l->count; i++) {
			size_t next = (l->at + i) % l->count;

			if (l->poll[next].revents != 0) {
				l->at = next;
				return true;
			}
		}
	}
}

/* Failures of accept() that concern one connection only (see its manual). */
static bool
is_passing(int error)
{
	return error != EMFILE && error != ENFILE && error != ENOBUFS &&
	    error != ENOMEM;
}

int
smtpd__listeners_accept(struct smtpd_listeners *l, struct smtpd_sockaddr *peer,
    size_t *which, int *error)
{
	for (;;) {
		int fd;

		*error = 0;
		if (atomic_load(&l->stopped))
			return -1;
		if (l->streak++ < STREAK_MAX) {
			fd = smtpd__socket_accept(l->poll[l->at].fd, peer);
			*which = l->at;
			if (fd >= 0)
				return fd;
			if (!is_passing(errno)) {
				*error = errno;
				return -1;
			}
		}
		if (!wait_ready(l))
			return -1;
	}
}

void
smtpd__listeners_pause(struct smtpd_listeners *l)
{
	poll(&l->poll[l->count], 1, PAUSE_MS);
}

void
smtpd__listeners_stop(struct smtpd_listeners *l)
{
	if (atomic_exchange(&l->stopped, true) || l->stop[1] < 0)
		return;
	for (size_t i = 0; i < l->count; i++)
		shut_listener(&l->list[i], l->poll[i].fd);
	while (write(l->stop[1], "", 1) < 0 && errno == EINTR)
		continue;
}
