/* SPDX-License-Identifier: MIT */
#include "net/stream.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/clock.h"

/* How often a wait that no shutdown() can end looks for an interrupt. */
#define SLICE_MS 200

/* A line without end is dropped up to here. */
#define FLOOD_MAX 65536

/* Lingering ends after so many milliseconds or bytes. */
#define LINGER_MS  1000
#define LINGER_MAX 65536

enum {
	PHASE_BUSY,
	PHASE_WAITING,
	PHASE_INTERRUPTED,
};

void
smtpd_stream_init(
    struct smtpd_stream *st, int in, int out, char *in_buf, char *out_buf)
{
	int type;
	socklen_t len = sizeof(type);

	memset(st, 0, sizeof(*st));
	st->in = in;
	st->out = out;
	st->socket =
	    in == out && getsockopt(in, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
	st->in_buf = in_buf;
	st->out_buf = out_buf;
	st->idle_ms = UINT32_MAX;
	st->write_ms = UINT32_MAX;
	st->deadline = SMTPD_NEVER;
	st->now = smtpd_clock_ms();
	atomic_init(&st->interrupt, SMTPD_INTERRUPT_NONE);
	atomic_init(&st->phase, PHASE_BUSY);
}

static int
interrupt_of(struct smtpd_stream *st)
{
	return atomic_load(&st->interrupt);
}

/*
 * Whether an interrupt ends the present wait: one for all does, one for a line
 * only while a line is waited for.
 */
static bool
is_interrupted(struct smtpd_stream *st)
{
	int what = interrupt_of(st);

	return what == SMTPD_INTERRUPT_ALL ||
	    (what == SMTPD_INTERRUPT_LINE &&
		atomic_load(&st->phase) != PHASE_BUSY);
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Wait until FD is ready for EVENTS.  A socket is woken from another thread by
 * shutdown(); anything else looks for interrupts by itself.
 */
static enum smtpd_stream_status
wait_ready(struct smtpd_stream *st, int fd, short events, uint64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	for (;;) {
		uint64_t until = deadline;
		int n;

		if (is_interrupted(st))
			return SMTPD_STREAM_INTERRUPTED;
		st->now = smtpd_clock_ms();
		if (!st->socket)
			until = earlier(until, st->now + SLICE_MS);
		n = poll(&pfd, 1, smtpd_clock_poll_ms(st->now, until));
		if (n > 0)
			return SMTPD_STREAM_OK;
		if (n < 0 && errno != EINTR)
			return SMTPD_STREAM_ERROR;
		st->now = smtpd_clock_ms();
		if (st->now >= deadline)
			return SMTPD_STREAM_TIMEOUT;
	}
}

static ssize_t
read_some(struct smtpd_stream *st, int flags)
{
	char *at = st->in_buf + st->in_end;
	size_t room = SMTPD_STREAM_IN_SIZE - st->in_end;

	if (st->socket)
		return recv(st->in, at, room, flags);
	return read(st->in, at, room);
}

/*
 * Wait for input, and read it.  While the peer is quick there is one call to
 * the system: the socket itself waits a moment.  Only then poll() does, for
 * exactly as long as may be.
 */
static enum smtpd_stream_status
read_until(struct smtpd_stream *st, uint64_t deadline)
{
	enum smtpd_stream_status status;
	bool direct = st->quick && deadline - st->now > SMTPD_STREAM_REST_MS;
	ssize_t n;

	for (;;) {
		if (direct) {
			n = read_some(st, 0);
		} else {
			status = wait_ready(st, st->in, POLLIN, deadline);
			if (status != SMTPD_STREAM_OK)
				return status;
			n = read_some(st, MSG_DONTWAIT);
		}
		if (n > 0) {
			st->in_end += (size_t)n;
			st->bytes_in += (size_t)n;
			return SMTPD_STREAM_OK;
		}
		if (n == 0)
			return SMTPD_STREAM_CLOSED;
		if (errno == ECONNRESET || errno == EPIPE)
			return SMTPD_STREAM_CLOSED;
		if (errno != EINTR && errno != EAGAIN)
			return SMTPD_STREAM_ERROR;
		if (direct && errno != EINTR && st->rest != NULL)
			st->rest(st->rest_arg);
		direct = false;
	}
}

/* Put the unread input at the beginning of the buffer if its end is near. */
static void
make_room(struct smtpd_stream *st)
{
	size_t len = st->in_end - st->in_at;

	if (len > 0 && st->in_end < SMTPD_STREAM_IN_SIZE / 2)
		return;
	if (len > 0)
		memmove(st->in_buf, st->in_buf + st->in_at, len);
	st->in_at = 0;
	st->in_end = len;
}

enum smtpd_stream_status
smtpd_stream_fill(struct smtpd_stream *st, uint64_t deadline)
{
	enum smtpd_stream_status status = smtpd_stream_flush(st);

	if (status != SMTPD_STREAM_OK)
		return status;
	make_room(st);
	st->now = smtpd_clock_ms();
	deadline = earlier(deadline, st->deadline);
	deadline = earlier(deadline, smtpd_clock_after(st->now, st->idle_ms));
	if (st->now >= deadline)
		return SMTPD_STREAM_TIMEOUT;
	status = read_until(st, deadline);
	if (status == SMTPD_STREAM_CLOSED && is_interrupted(st))
		return SMTPD_STREAM_INTERRUPTED;
	return status;
}

/*
 * As smtpd_stream_fill(), while an interrupt for a line may end it.  Whoever
 * changes the phase first wins: either the interrupt is seen here, or the
 * line that has just begun is finished.
 */
static enum smtpd_stream_status
fill_line(struct smtpd_stream *st, uint64_t deadline)
{
	enum smtpd_stream_status status = SMTPD_STREAM_INTERRUPTED;

	atomic_store(&st->phase, PHASE_WAITING);
	if (interrupt_of(st) == SMTPD_INTERRUPT_NONE)
		status = smtpd_stream_fill(st, deadline);
	if (atomic_exchange(&st->phase, PHASE_BUSY) == PHASE_INTERRUPTED)
		return SMTPD_STREAM_INTERRUPTED;
	return status;
}

/* Take the line that ends with the LF at position LF of the buffer. */
static void
take_line(struct smtpd_stream *st, size_t lf, char **line, size_t *len,
    enum smtpd_line_end *end)
{
	*line = st->in_buf + st->in_at;
	*len = lf - st->in_at;
	*end = SMTPD_LINE_BARE_LF;
	if (*len > 0 && (*line)[*len - 1] == '\r') {
		*end = SMTPD_LINE_CRLF;
		*len -= 1;
	}
	(*line)[*len] = '\0';
	st->in_at = lf + 1;
}

/* Drop input up to and with the next LF. */
static enum smtpd_stream_status
drop_line(struct smtpd_stream *st, uint64_t deadline)
{
	size_t dropped = 0;

	for (;;) {
		const char *at = st->in_buf + st->in_at;
		size_t len = st->in_end - st->in_at;
		const char *lf = memchr(at, '\n', len);
		enum smtpd_stream_status status;

		if (lf != NULL) {
			st->in_at += (size_t)(lf - at) + 1;
			return SMTPD_STREAM_OK;
		}
		dropped += len;
		st->in_at = st->in_end;
		if (dropped > FLOOD_MAX)
			return SMTPD_STREAM_FLOOD;
		status = fill_line(st, deadline);
		if (status != SMTPD_STREAM_OK)
			return status;
	}
}

enum smtpd_stream_status
smtpd_stream_line(struct smtpd_stream *st, size_t max, uint32_t command_ms,
    char **line, size_t *len, enum smtpd_line_end *end)
{
	uint64_t deadline = SMTPD_NEVER;
	size_t seen = 0;

	for (;;) {
		char *at = st->in_buf + st->in_at;
		size_t have = st->in_end - st->in_at;
		char *lf = memchr(at + seen, '\n', have - seen);
		enum smtpd_stream_status status;

		if (lf != NULL && (size_t)(lf - at) < max) {
			take_line(
			    st, (size_t)(lf - st->in_buf), line, len, end);
			return SMTPD_STREAM_OK;
		}
		if (lf != NULL || have >= max) {
			*line = NULL;
			*len = 0;
			*end = SMTPD_LINE_TOO_LONG;
			return drop_line(st, deadline);
		}
		if (have > 0 && deadline == SMTPD_NEVER)
			deadline =
			    smtpd_clock_after(smtpd_clock_ms(), command_ms);
		seen = have;
		status = fill_line(st, deadline);
		if (status != SMTPD_STREAM_OK)
			return status;
	}
}

const char *
smtpd_stream_peek(const struct smtpd_stream *st, size_t *len)
{
	*len = st->in_end - st->in_at;
	return st->in_buf + st->in_at;
}

void
smtpd_stream_take(struct smtpd_stream *st, size_t len)
{
	st->in_at += len;
}

bool
smtpd_stream_talks(struct smtpd_stream *st, uint32_t ms)
{
	char byte;

	if (st->in_end > st->in_at)
		return true;
	if (ms > 0 &&
	    wait_ready(st, st->in, POLLIN, smtpd_clock_ms() + ms) !=
		SMTPD_STREAM_OK)
		return false;
	return st->socket &&
	    recv(st->in, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

char *
smtpd_stream_room(struct smtpd_stream *st, size_t size)
{
	if (SMTPD_STREAM_OUT_SIZE - st->out_len < size &&
	    smtpd_stream_flush(st) != SMTPD_STREAM_OK)
		return NULL;
	return st->out_buf + st->out_len;
}

void
smtpd_stream_put(struct smtpd_stream *st, size_t len)
{
	st->out_len += len;
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

static ssize_t
write_some(struct smtpd_stream *st, const char *buf, size_t len)
{
	if (st->socket)
		return send(st->out, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return write_quietly(st->out, buf, len);
}

/* Send LEN bytes at BUF, waiting for room as long as may be. */
static enum smtpd_stream_status
send_all(struct smtpd_stream *st, const char *buf, size_t len)
{
	uint64_t deadline = SMTPD_NEVER;

	while (len > 0) {
		enum smtpd_stream_status status;
		ssize_t n = write_some(st, buf, len);

		if (n >= 0) {
			buf += n;
			len -= (size_t)n;
			st->bytes_out += (size_t)n;
			continue;
		}
		if (errno == EPIPE || errno == ECONNRESET)
			return SMTPD_STREAM_CLOSED;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return SMTPD_STREAM_ERROR;
		if (deadline == SMTPD_NEVER)
			deadline =
			    smtpd_clock_after(smtpd_clock_ms(), st->write_ms);
		status = wait_ready(st, st->out, POLLOUT, deadline);
		if (status != SMTPD_STREAM_OK)
			return status;
	}
	return SMTPD_STREAM_OK;
}

enum smtpd_stream_status
smtpd_stream_flush(struct smtpd_stream *st)
{
	size_t len = st->out_len;

	/* What could not be sent is not tried again: the wait would be too. */
	st->out_len = 0;
	return send_all(st, st->out_buf, len);
}

void
smtpd_stream_pause(struct smtpd_stream *st, uint32_t ms)
{
	uint64_t until = smtpd_clock_ms() + ms;
	uint64_t now;

	smtpd_stream_flush(st);
	while ((now = smtpd_clock_ms()) < until &&
	    interrupt_of(st) != SMTPD_INTERRUPT_ALL)
		poll(NULL, 0,
		    smtpd_clock_poll_ms(now, earlier(until, now + SLICE_MS)));
}

void
smtpd_stream_linger(struct smtpd_stream *st)
{
	uint64_t deadline = smtpd_clock_ms() + LINGER_MS;
	size_t dropped = 0;

	if (smtpd_stream_flush(st) != SMTPD_STREAM_OK || !st->socket)
		return;
	shutdown(st->out, SHUT_WR);
	while (dropped < LINGER_MAX) {
		ssize_t n;

		if (wait_ready(st, st->in, POLLIN, deadline) != SMTPD_STREAM_OK)
			return;
		n = recv(
		    st->in, st->in_buf, SMTPD_STREAM_IN_SIZE, MSG_DONTWAIT);
		if (n <= 0)
			return;
		dropped += (size_t)n;
	}
}

void
smtpd_stream_interrupt(struct smtpd_stream *st, enum smtpd_interrupt what)
{
	int waiting = PHASE_WAITING;

	atomic_store(&st->interrupt, what);
	if (!st->socket)
		return;
	if (what == SMTPD_INTERRUPT_ALL)
		shutdown(st->in, SHUT_RDWR);
	else if (atomic_compare_exchange_strong(
		     &st->phase, &waiting, PHASE_INTERRUPTED))
		shutdown(st->in, SHUT_RD);
}
