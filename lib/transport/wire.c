/* SPDX-License-Identifier: MIT */
#include "transport/wire.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/socket.h"
#include "os/clock.h"
#include "os/poll.h"

/* How often a wait that no shutdown() can end looks for an interrupt. */
#define SLICE_MS 200

/* Lingering ends after so many milliseconds or bytes. */
#define LINGER_MS  1000
#define LINGER_MAX 65536

enum phase {
	PHASE_BUSY,
	PHASE_WAITING,
	PHASE_INTERRUPTED,
};

static bool
is_socket(int fd)
{
	int type;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

void
smtpd__wire_init(struct smtpd_wire *w, int in, int out)
{
	memset(w, 0, sizeof(*w));
	w->in = in;
	w->out = out;
	w->in_socket = is_socket(in);
	w->out_socket = out == in ? w->in_socket : is_socket(out);
	w->cancel_fd = -1;
	w->write_ms = UINT32_MAX;
	w->budget_ms = SMTPD_NEVER;
	atomic_init(&w->interrupt, SMTPD_INTERRUPT_NONE);
	atomic_init(&w->phase, PHASE_BUSY);
}

uint64_t
smtpd__wire_budget_left(const struct smtpd_wire *w)
{
	if (w->budget_ms == SMTPD_NEVER)
		return SMTPD_NEVER;
	return w->budget_ms > w->waited_ms ? w->budget_ms - w->waited_ms : 0;
}

void
smtpd__wire_charge(struct smtpd_wire *w, uint64_t ms)
{
	w->waited_ms += ms;
}

enum smtpd_interrupt
smtpd__wire_interrupted(struct smtpd_wire *w)
{
	return (enum smtpd_interrupt)atomic_load(&w->interrupt);
}

/*
 * Whether an interrupt ends the present wait: one for all does, one for a line
 * only while a line is waited for.
 */
static bool
is_interrupted(struct smtpd_wire *w)
{
	enum smtpd_interrupt what = smtpd__wire_interrupted(w);

	return what == SMTPD_INTERRUPT_ALL ||
	    (what == SMTPD_INTERRUPT_LINE &&
		atomic_load(&w->phase) != PHASE_BUSY);
}

/*
 * Wait until IN can be read, or OUT be written, as EVENTS says.  A socket that
 * is read is woken from another thread by shutdown(); any other wait looks for
 * interrupts by itself.
 */
static enum smtpd_io_status
wait_ready(struct smtpd_wire *w, short events, uint64_t deadline)
{
	const bool reads = events == POLLIN;
	const int fd = reads ? w->in : w->out;

	for (;;) {
		uint64_t until = deadline;

		if (is_interrupted(w))
			return SMTPD_IO_INTERRUPTED;
		if (!reads || !w->in_socket)
			until = smtpd__clock_earlier(
			    until, smtpd__clock_ms() + SLICE_MS);
		switch (smtpd__poll_wait(fd, events, w->cancel_fd, until)) {
		case SMTPD_POLL_READY:
			return SMTPD_IO_OK;
		case SMTPD_POLL_CANCELLED:
			return SMTPD_IO_INTERRUPTED;
		case SMTPD_POLL_ERROR:
			return SMTPD_IO_ERROR;
		case SMTPD_POLL_TIMEOUT:
			break;
		}
		if (smtpd__clock_ms() >= deadline)
			return SMTPD_IO_TIMEOUT;
	}
}

static enum smtpd_io_status
closed_status(struct smtpd_wire *w)
{
	return is_interrupted(w) ? SMTPD_IO_INTERRUPTED : SMTPD_IO_CLOSED;
}

static ssize_t
read_some(struct smtpd_wire *w, char *buf, size_t size, int flags)
{
	return w->in_socket ? recv(w->in, buf, size, flags)
			    : read(w->in, buf, size);
}

/*
 * Read, and if DIRECT let the socket itself wait a moment: while the peer is
 * quick there is one call to the system.  Only then poll() waits, for exactly
 * as long as may be.
 */
static enum smtpd_io_status
wait_and_read(struct smtpd_wire *w, char *buf, size_t size, bool direct,
    uint64_t deadline, size_t *got)
{
	enum smtpd_io_status status;
	ssize_t n;

	for (;;) {
		if (is_interrupted(w))
			return SMTPD_IO_INTERRUPTED;
		if (!direct) {
			status = wait_ready(w, POLLIN, deadline);
			if (status != SMTPD_IO_OK)
				return status;
		}
		n = read_some(
		    w, buf, size, direct && !w->hurries ? 0 : MSG_DONTWAIT);
		if (n > 0) {
			w->bytes_in += (size_t)n;
			*got = (size_t)n;
			return SMTPD_IO_OK;
		}
		if (n == 0 || errno == ECONNRESET || errno == EPIPE)
			return closed_status(w);
		if (errno != EINTR && errno != EAGAIN)
			return SMTPD_IO_ERROR;
		if (direct && errno == EAGAIN && w->parks)
			return SMTPD_IO_REST;
		if (direct && errno == EAGAIN && w->rest != NULL)
			w->rest(w->rest_arg);
		direct = false;
	}
}

enum smtpd_io_status
smtpd__wire_read(struct smtpd_wire *w, char *buf, size_t size,
    uint64_t deadline, size_t *got)
{
	const uint64_t begin = smtpd__clock_ms();
	const bool direct = w->quick &&
	    deadline > smtpd__clock_later(begin, SMTPD_SOCKET_REST_MS);
	enum smtpd_io_status status =
	    wait_and_read(w, buf, size, direct, deadline, got);

	smtpd__wire_charge(w, smtpd__clock_ms() - begin);
	return status;
}

/*
 * Write to a pipe or a terminal.  The program may not have ignored SIGPIPE,
 * and the library must neither do that for it nor let it die: the signal is
 * held back in this thread, and taken away if it came.
 */
static ssize_t
write_quietly(int fd, const char *buf, size_t len)
{
	const struct timespec at_once = { 0 };
	sigset_t pipe_set, old, pending;
	ssize_t n;
	int saved;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	sigpending(&pending);
	if (sigismember(&pending, SIGPIPE))
		return write(fd, buf, len);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
	n = write(fd, buf, len);
	saved = errno;
	if (n < 0 && saved == EPIPE)
		while (sigtimedwait(&pipe_set, NULL, &at_once) < 0 &&
		    errno == EINTR)
			continue;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return n;
}

/*
 * Write what fits without waiting.  A pipe may not be told not to block, as
 * others may use it too; but when it is ready, PIPE_BUF bytes fit (pipe(7)).
 */
static ssize_t
write_some(struct smtpd_wire *w, const char *buf, size_t len)
{
	if (w->out_socket)
		return send(w->out, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (smtpd__poll_wait(w->out, POLLOUT, -1, 0) != SMTPD_POLL_READY) {
		errno = EAGAIN;
		return -1;
	}
	return write_quietly(w->out, buf, len < PIPE_BUF ? len : PIPE_BUF);
}

/* Wait until there is room for output, as long as *LEFT milliseconds, from
 * which the wait is taken. */
static enum smtpd_io_status
wait_for_room(struct smtpd_wire *w, uint64_t *left)
{
	const uint64_t begin = smtpd__clock_ms();
	const uint64_t before = w->waited_ms;
	enum smtpd_io_status status =
	    wait_ready(w, POLLOUT, smtpd__clock_later(begin, *left));

	smtpd__wire_charge(w, smtpd__clock_ms() - begin);
	if (*left != SMTPD_NEVER)
		*left -= smtpd__clock_earlier(*left, w->waited_ms - before);
	return status;
}

enum smtpd_io_status
smtpd__wire_write(struct smtpd_wire *w, const char *buf, size_t len)
{
	uint64_t left = smtpd__clock_earlier(
	    smtpd__clock_span(w->write_ms), smtpd__wire_budget_left(w));

	while (len > 0) {
		enum smtpd_io_status status;
		ssize_t n = write_some(w, buf, len);

		if (n >= 0) {
			buf += n;
			len -= (size_t)n;
			w->bytes_out += (size_t)n;
			continue;
		}
		if (errno == EPIPE || errno == ECONNRESET)
			return closed_status(w);
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return SMTPD_IO_ERROR;
		status = wait_for_room(w, &left);
		if (status != SMTPD_IO_OK)
			return status;
	}
	return SMTPD_IO_OK;
}

bool
smtpd__wire_talks(struct smtpd_wire *w, uint32_t ms)
{
	enum smtpd_io_status status = SMTPD_IO_OK;
	char byte;

	if (ms > 0 && smtpd__wire_wait_begins(w))
		status = wait_ready(w, POLLIN, smtpd__clock_ms() + ms);
	if (!smtpd__wire_wait_ends(w) || status != SMTPD_IO_OK)
		return false;
	return w->in_socket &&
	    recv(w->in, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void
smtpd__wire_pause(struct smtpd_wire *w, uint64_t ms)
{
	uint64_t until = smtpd__clock_ms() + ms;
	int fd = w->in_socket ? w->in : -1;
	uint64_t now;

	while ((now = smtpd__clock_ms()) < until &&
	    smtpd__wire_interrupted(w) == SMTPD_INTERRUPT_NONE)
		if (smtpd__socket_hangs_up(fd,
			smtpd__clock_poll_ms(
			    now, smtpd__clock_earlier(until, now + SLICE_MS))))
			return;
}

bool
smtpd__wire_linger(struct smtpd_wire *w, char *buf, size_t size)
{
	if (!w->in_socket || !w->out_socket)
		return true;
	if (w->linger_end == 0) {
		shutdown(w->out, SHUT_WR);
		w->linger_end = smtpd__clock_ms() + LINGER_MS;
	}
	while (w->lingered < LINGER_MAX) {
		enum smtpd_io_status status =
		    wait_ready(w, POLLIN, w->parks ? 0 : w->linger_end);
		ssize_t n;

		if (status == SMTPD_IO_TIMEOUT && w->parks)
			return smtpd__clock_ms() >= w->linger_end;
		if (status != SMTPD_IO_OK)
			return true;
		n = recv(w->in, buf, size, MSG_DONTWAIT);
		if (n <= 0)
			return true;
		w->lingered += (size_t)n;
	}
	return true;
}

/*
 * Whoever changes the phase first wins: either the interrupt is seen here, or
 * the line that has just begun is finished.
 */
bool
smtpd__wire_wait_begins(struct smtpd_wire *w)
{
	atomic_store(&w->phase, PHASE_WAITING);
	return smtpd__wire_interrupted(w) == SMTPD_INTERRUPT_NONE;
}

bool
smtpd__wire_wait_ends(struct smtpd_wire *w)
{
	return atomic_exchange(&w->phase, PHASE_BUSY) != PHASE_INTERRUPTED;
}

void
smtpd__wire_interrupt(struct smtpd_wire *w, enum smtpd_interrupt what)
{
	int waiting = PHASE_WAITING;

	atomic_store(&w->interrupt, what);
	if (!w->in_socket)
		return;
	if (what == SMTPD_INTERRUPT_ALL)
		shutdown(w->in, SHUT_RD);
	else if (atomic_compare_exchange_strong(
		     &w->phase, &waiting, PHASE_INTERRUPTED))
		shutdown(w->in, SHUT_RD);
}
