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

/* What stands where in the array for poll(). */
#define POLL_STOP   0
#define POLL_BESIDE 1
#define POLL_FIRST  2 /* of the sockets */

/* After so many failures in a row of a socket that is ready, rest. */
#define FAILURES_MAX 2

struct smtpd_listener {
	struct smtpd_sockaddr addr;
	atomic_bool released;
	bool has_file; /* the file of a UNIX socket, which was made here: */
	dev_t file_dev;
	ino_t file_ino;
	char text[SMTPD_SOCKET_TEXT_MAX];
};

void
smtpd__listeners_init(struct smtpd_listeners *l)
{
	memset(l, 0, sizeof(*l));
	pthread_mutex_init(&l->lock, NULL);
	atomic_init(&l->count, 0);
	l->spare = -1;
	l->stop[0] = l->stop[1] = -1;
	atomic_init(&l->releasing, false);
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
	if (l->poll[i + POLL_FIRST].fd >= 0)
		close(l->poll[i + POLL_FIRST].fd);
	l->poll[i + POLL_FIRST].fd = -1;
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
	pthread_mutex_destroy(&l->lock);
}

/* All at once: another thread may wait for those that are there. */
static int
make_arrays(struct smtpd_listeners *l)
{
	const size_t size = SMTPD_LISTENERS_MAX + POLL_FIRST;

	if (l->list == NULL)
		l->list = calloc(SMTPD_LISTENERS_MAX, sizeof(*l->list));
	if (l->list == NULL || l->poll != NULL)
		return l->list != NULL ? 0 : ENOMEM;
	l->poll = calloc(size, sizeof(*l->poll));
	if (l->poll == NULL)
		return ENOMEM;
	for (size_t i = 0; i < size; i++)
		l->poll[i].fd = -1;
	return 0;
}

/* Remember the file of a UNIX socket, which was made here. */
static void
own_file(struct smtpd_listener *one)
{
	const struct sockaddr_un *un =
	    (const struct sockaddr_un *)&one->addr.addr;
	struct stat st;

	if (un->sun_family != AF_UNIX || lstat(un->sun_path, &st) == -1)
		return;
	one->has_file = true;
	one->file_dev = st.st_dev;
	one->file_ino = st.st_ino;
}

static void
wake_waiting(const struct smtpd_listeners *l)
{
	while (
	    l->stop[1] >= 0 && write(l->stop[1], "", 1) == -1 && errno == EINTR)
		continue;
}

static int
append_socket(struct smtpd_listeners *l, int fd, bool ours)
{
	size_t count = l->count;
	struct smtpd_listener *one = &l->list[count];

	if (atomic_load(&l->stopped))
		return ECANCELED;
	if (count == SMTPD_LISTENERS_MAX)
		return ENOBUFS;
	memset(one, 0, sizeof(*one));
	if (smtpd__socket_local(fd, &one->addr) != 0)
		return errno;
	smtpd__socket_text(&one->addr, one->text);
	if (ours)
		own_file(one);
	l->poll[count + POLL_FIRST] =
	    (struct pollfd){ .fd = fd, .events = POLLIN };
	atomic_store(&l->count, count + 1);
	wake_waiting(l);
	return 0;
}

static int
add_socket(struct smtpd_listeners *l, int fd, bool ours)
{
	int error;

	pthread_mutex_lock(&l->lock);
	error = make_arrays(l);
	if (error == 0)
		error = append_socket(l, fd, ours);
	pthread_mutex_unlock(&l->lock);
	return error;
}

int
smtpd__listeners_add(
    struct smtpd_listeners *l, const struct smtpd_sockaddr *a, bool absent)
{
	int fd = smtpd__socket_listen(a, absent);
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

/* A duplicate of the descriptor of socket I; the lock is held. */
static int
duplicate_socket(struct smtpd_listeners *l, size_t i)
{
	int fd = -1;

	if (atomic_load(&l->stopped))
		errno = ECANCELED;
	else if (i >= l->count)
		errno = EINVAL;
	else
		fd = fcntl(l->poll[i + POLL_FIRST].fd, F_DUPFD_CLOEXEC, 0);
	return fd;
}

int
smtpd__listeners_share(struct smtpd_listeners *l, size_t i)
{
	int fd;

	pthread_mutex_lock(&l->lock);
	fd = duplicate_socket(l, i);
	pthread_mutex_unlock(&l->lock);
	return fd;
}

int
smtpd__listeners_release(struct smtpd_listeners *l, size_t i)
{
	int fd;

	pthread_mutex_lock(&l->lock);
	fd = duplicate_socket(l, i);
	if (fd != -1) {
		l->list[i].has_file = false;
		atomic_store(&l->list[i].released, true);
		atomic_store(&l->releasing, true);
		wake_waiting(l);
	}
	pthread_mutex_unlock(&l->lock);
	return fd;
}

/* Close our descriptors of sockets that were released. */
static void
close_released(struct smtpd_listeners *l)
{
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->count; i++)
		if (atomic_load(&l->list[i].released))
			close_socket(l, i);
	pthread_mutex_unlock(&l->lock);
}

const char *
smtpd__listeners_address(const struct smtpd_listeners *l, size_t i)
{
	return i < l->count ? l->list[i].text : NULL;
}

int
smtpd__listeners_start(struct smtpd_listeners *l, int beside)
{
	int error = make_arrays(l);

	if (error != 0)
		return error;
	if (pipe2(l->stop, O_CLOEXEC | O_NONBLOCK) == -1)
		return errno;
	l->poll[POLL_STOP] =
	    (struct pollfd){ .fd = l->stop[0], .events = POLLIN };
	l->poll[POLL_BESIDE] =
	    (struct pollfd){ .fd = beside, .events = POLLIN };
	smtpd__listeners_reserve(l);
	return 0;
}

void
smtpd__listeners_reserve(struct smtpd_listeners *l)
{
	if (l->spare < 0)
		l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* A socket was added. */
static void
drain_pipe(struct smtpd_listeners *l)
{
	char buf[16];

	while (read(l->stop[0], buf, sizeof(buf)) > 0)
		continue;
}

/* Point `at` to the next of COUNT sockets that has something to tell. */
static bool
find_ready(struct smtpd_listeners *l, size_t count)
{
	for (size_t i = 1; i <= count; i++) {
		size_t next = (l->at + i) % count;

		if (l->poll[next + POLL_FIRST].revents != 0) {
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
		size_t count = l->count;
		int n;

		if (atomic_exchange(&l->releasing, false))
			close_released(l);
		n = poll(l->poll, (nfds_t)count + POLL_FIRST, -1);
		if (atomic_load(&l->stopped))
			return SMTPD_ACCEPT_STOPPED;
		if (n == -1 && errno != EINTR) {
			out->error = errno;
			return SMTPD_ACCEPT_LACK;
		}
		if (n > 0 && l->poll[POLL_STOP].revents != 0) {
			drain_pipe(l);
			if (atomic_load(&l->stopped))
				return SMTPD_ACCEPT_STOPPED;
		}
		if (n <= 0)
			continue;
		/* In turn with what is beside. */
		if (l->poll[POLL_BESIDE].revents != 0 &&
		    (!l->went_beside || !find_ready(l, count))) {
			l->went_beside = true;
			return SMTPD_ACCEPT_BESIDE;
		}
		l->went_beside = false;
		if (!find_ready(l, count))
			continue;
		l->streak = 0;
		if (l->poll[l->at + POLL_FIRST].revents == POLLIN)
			return SMTPD_ACCEPT_OK;
		out->which = l->at;
		out->error = EINVAL;
		pthread_mutex_lock(&l->lock);
		close_socket(l, l->at);
		pthread_mutex_unlock(&l->lock);
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
	out->fd =
	    smtpd__socket_accept(l->poll[l->at + POLL_FIRST].fd, &out->peer);
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
	out->fd =
	    smtpd__socket_accept(l->poll[l->at + POLL_FIRST].fd, &out->peer);
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
		if (l->streak++ < STREAK_MAX &&
		    l->poll[l->at + POLL_FIRST].fd >= 0 &&
		    !atomic_load(&l->releasing)) {
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
	while (!atomic_load(&l->stopped) &&
	    poll(&l->poll[POLL_STOP], 1, PAUSE_MS) > 0)
		if (!atomic_load(&l->stopped))
			drain_pipe(l);
}

void
smtpd__listeners_stop(struct smtpd_listeners *l)
{
	pthread_mutex_lock(&l->lock);
	if (!atomic_exchange(&l->stopped, true)) {
		for (size_t i = 0; i < l->count; i++)
			remove_file(&l->list[i]);
		wake_waiting(l);
	}
	pthread_mutex_unlock(&l->lock);
}
