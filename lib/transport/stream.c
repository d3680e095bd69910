/* SPDX-License-Identifier: MIT */
#include "transport/stream.h"

#include <string.h>

#include "base/text.h"
#include "crypto/secret.h"
#include "os/clock.h"

/* A line without end is dropped up to here. */
#define FLOOD_MAX 65536

/* So long the output of a group may wait for the rest of it. */
#define OLD_MS 1000

void
smtpd__stream_init(
    struct smtpd_stream *st, int in, int out, char *in_buf, char *out_buf)
{
	memset(st, 0, sizeof(*st));
	smtpd__wire_init(&st->wire, in, out);
	st->in_buf = in_buf;
	st->out_buf = out_buf;
	st->idle_ms = UINT32_MAX;
	st->deadline = SMTPD_NEVER;
	st->line_deadline = SMTPD_NEVER;
}

void
smtpd__stream_resume(
    struct smtpd_stream *st, char *in_buf, char *out_buf, uint64_t ms)
{
	st->in_buf = in_buf;
	st->out_buf = out_buf;
	smtpd__wire_charge(&st->wire, ms);
}

void
smtpd__stream_finish(struct smtpd_stream *st)
{
	smtpd__tls_conn_destroy(st->tls);
	st->tls = NULL;
}

/* Shake hands; an interrupt for a line ends that too. */
static enum smtpd_io_status
shake_hands(struct smtpd_stream *st, struct smtpd_tls_conn *conn,
    uint64_t deadline, char *reason, size_t size)
{
	enum smtpd_io_status status = SMTPD_IO_INTERRUPTED;
	enum smtpd_io_status sent;
	uint64_t session_end = smtpd__clock_later(
	    smtpd__clock_ms(), smtpd__wire_budget_left(&st->wire));

	smtpd__tls_conn_cork(conn, st->out_buf, SMTPD_STREAM_OUT_SIZE);
	if (smtpd__wire_wait_begins(&st->wire))
		status = smtpd__tls_conn_handshake(conn,
		    smtpd__clock_earlier(deadline, session_end), reason, size);
	if (!smtpd__wire_wait_ends(&st->wire))
		status = SMTPD_IO_INTERRUPTED;
	sent = smtpd__tls_conn_uncork(conn);
	return status != SMTPD_IO_OK ? status : sent;
}

enum smtpd_io_status
smtpd__stream_start_tls(struct smtpd_stream *st, struct smtpd_tls_conn *conn,
    uint64_t deadline, char *reason, size_t size)
{
	enum smtpd_io_status status = smtpd__stream_flush(st);

	st->in_at = 0;
	st->in_end = 0;
	if (status == SMTPD_IO_OK)
		status = shake_hands(st, conn, deadline, reason, size);
	if (status == SMTPD_IO_OK)
		st->tls = conn;
	else
		smtpd__tls_conn_destroy(conn);
	return status;
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

/* Read more input, MAX bytes at most, before the absolute DEADLINE. */
static enum smtpd_io_status
read_input(struct smtpd_stream *st, size_t max, uint64_t deadline)
{
	enum smtpd_io_status status;
	char *at;
	size_t room, got = 0;

	make_room(st);
	at = st->in_buf + st->in_end;
	room = SMTPD_STREAM_IN_SIZE - st->in_end;
	room = room < max ? room : max;
	status = st->tls != NULL
	    ? smtpd__tls_conn_read(st->tls, at, room, deadline, &got)
	    : smtpd__wire_read(&st->wire, at, room, deadline, &got);
	st->in_end += got;
	return status;
}

enum smtpd_io_status
smtpd__stream_fill(struct smtpd_stream *st, uint64_t span)
{
	return read_input(
	    st, SIZE_MAX, smtpd__clock_later(smtpd__clock_ms(), span));
}

enum smtpd_io_status
smtpd__stream_fill_exactly(
    struct smtpd_stream *st, size_t size, uint64_t deadline)
{
	enum smtpd_io_status status = SMTPD_IO_INTERRUPTED;
	uint64_t session_end = smtpd__clock_later(
	    smtpd__clock_ms(), smtpd__wire_budget_left(&st->wire));

	if (smtpd__wire_wait_begins(&st->wire))
		status = read_input(
		    st, size, smtpd__clock_earlier(deadline, session_end));
	if (!smtpd__wire_wait_ends(&st->wire))
		return SMTPD_IO_INTERRUPTED;
	return status;
}

/* When a wait for more of the line that begins now is over. */
static uint64_t
wait_ends_at(const struct smtpd_stream *st, uint64_t budget)
{
	uint64_t now = smtpd__clock_ms();
	uint64_t end = smtpd__clock_earlier(
	    st->line_deadline, smtpd__clock_later(now, budget));

	end = smtpd__clock_earlier(end, st->deadline);
	return smtpd__clock_earlier(end, smtpd__clock_after(now, st->idle_ms));
}

/* Flush, and wait for more of a line.  A rest does not end the wait: what comes
 * of a record of TLS is nothing yet. */
static enum smtpd_io_status
flush_and_read(struct smtpd_stream *st)
{
	enum smtpd_io_status status = smtpd__stream_flush(st);
	uint64_t budget = smtpd__wire_budget_left(&st->wire);

	if (status != SMTPD_IO_OK &&
	    !(status == SMTPD_IO_CLOSED && st->reads_on))
		return status;
	if (budget == 0)
		return SMTPD_IO_TIMEOUT;
	if (st->wait_deadline == 0)
		st->wait_deadline = wait_ends_at(st, budget);
	status = read_input(st, SIZE_MAX, st->wait_deadline);
	if (status != SMTPD_IO_REST)
		st->wait_deadline = 0;
	return status;
}

/* The same, while an interrupt for a line may end it. */
static enum smtpd_io_status
fill_line(struct smtpd_stream *st)
{
	enum smtpd_io_status status = SMTPD_IO_INTERRUPTED;

	if (smtpd__wire_wait_begins(&st->wire))
		status = flush_and_read(st);
	if (!smtpd__wire_wait_ends(&st->wire))
		return SMTPD_IO_INTERRUPTED;
	return status;
}

/* Take the line that ends with the LF at position LF of the buffer. */
static void
take_line(struct smtpd_stream *st, size_t lf, char **line, size_t *len,
    enum smtpd_line_end *end)
{
	*line = st->in_buf + st->in_at;
	*len = lf - st->in_at;
	*end = SMTPD_LINE_END_BARE_LF;
	if (*len > 0 && (*line)[*len - 1] == '\r') {
		*end = SMTPD_LINE_END_CRLF;
		*len -= 1;
	}
	(*line)[*len] = '\0';
	st->in_at = lf + 1;
}

/* Drop input up to and with the next LF. */
static enum smtpd_io_status
drop_line(struct smtpd_stream *st)
{
	for (;;) {
		const char *at = st->in_buf + st->in_at;
		size_t len = st->in_end - st->in_at;
		const char *lf = memchr(at, '\n', len);
		enum smtpd_io_status status;

		if (lf != NULL) {
			st->in_at += (size_t)(lf - at) + 1;
			return SMTPD_IO_OK;
		}
		st->dropped += len;
		st->in_at = st->in_end;
		if (st->dropped > FLOOD_MAX)
			return SMTPD_IO_FLOOD;
		status = fill_line(st);
		if (status != SMTPD_IO_OK)
			return status;
	}
}

/* The first byte of a TLS record, say: it may never be followed by an LF. */
static bool
begins_binary(const char *at, size_t len)
{
	return len > 0 && smtpd__text_is_control((unsigned char)*at) &&
	    *at != '\r' && *at != '\n' && *at != '\t';
}

/* Wait until a line of at most MAX bytes, or a piece that is none, stands in
 * the buffer; *LEN bytes of it, with its LF. */
static enum smtpd_io_status
find_line(struct smtpd_stream *st, size_t max, uint32_t command_ms, size_t *len,
    enum smtpd_line_end *end)
{
	size_t seen = 0;

	for (;;) {
		char *at = st->in_buf + st->in_at;
		size_t have = st->in_end - st->in_at;
		char *lf = memchr(at + seen, '\n', have - seen);
		enum smtpd_io_status status;

		*end = SMTPD_LINE_END_BINARY;
		if (begins_binary(at, have))
			return SMTPD_IO_OK;
		*end = SMTPD_LINE_END_CRLF;
		*len = lf != NULL ? (size_t)(lf - at) + 1 : 0;
		if (lf != NULL && *len <= max)
			return SMTPD_IO_OK;
		if (have > 0 && st->line_deadline == SMTPD_NEVER)
			st->line_deadline =
			    smtpd__clock_after(smtpd__clock_ms(), command_ms);
		*end = SMTPD_LINE_END_TOO_LONG;
		if (lf != NULL || have >= max)
			return SMTPD_IO_OK;
		seen = have;
		status = fill_line(st);
		if (status != SMTPD_IO_OK)
			return status;
	}
}

enum smtpd_io_status
smtpd__stream_line(struct smtpd_stream *st, size_t max, uint32_t command_ms,
    char **line, size_t *len, enum smtpd_line_end *end)
{
	enum smtpd_io_status status = SMTPD_IO_OK;

	*line = NULL;
	*len = 0;
	*end = SMTPD_LINE_END_TOO_LONG;
	if (!st->drops)
		status = find_line(st, max, command_ms, len, end);
	if (status == SMTPD_IO_OK && *end == SMTPD_LINE_END_TOO_LONG) {
		*len = 0;
		st->drops = true;
		status = drop_line(st);
	} else if (status == SMTPD_IO_OK && *end == SMTPD_LINE_END_CRLF) {
		take_line(st, st->in_at + *len - 1, line, len, end);
	}
	if (status == SMTPD_IO_REST)
		return status;
	st->line_deadline = SMTPD_NEVER;
	st->drops = false;
	st->dropped = 0;
	return status;
}

const char *
smtpd__stream_peek(const struct smtpd_stream *st, size_t *len)
{
	*len = st->in_end - st->in_at;
	return st->in_buf + st->in_at;
}

void
smtpd__stream_take(struct smtpd_stream *st, size_t len)
{
	st->in_at += len;
}

void
smtpd__stream_forget(struct smtpd_stream *st)
{
	smtpd__secret_wipe(st->in_buf, st->in_at);
	smtpd__secret_wipe(
	    st->in_buf + st->in_end, SMTPD_STREAM_IN_SIZE - st->in_end);
}

bool
smtpd__stream_talks(struct smtpd_stream *st, uint32_t ms)
{
	return st->in_end > st->in_at || smtpd__wire_talks(&st->wire, ms);
}

char *
smtpd__stream_room(struct smtpd_stream *st, size_t size)
{
	if (SMTPD_STREAM_OUT_SIZE - st->out_len < size)
		smtpd__stream_flush(st);
	if (st->out_status != SMTPD_IO_OK)
		return NULL;
	return st->out_buf + st->out_len;
}

void
smtpd__stream_put(struct smtpd_stream *st, size_t len)
{
	if (st->out_len == 0)
		st->out_since = smtpd__clock_ms();
	st->out_len += len;
}

void
smtpd__stream_flush_old(struct smtpd_stream *st)
{
	if (st->out_len > 0 &&
	    smtpd__clock_ms() >= smtpd__clock_later(st->out_since, OLD_MS))
		smtpd__stream_flush(st);
}

enum smtpd_io_status
smtpd__stream_flush(struct smtpd_stream *st)
{
	size_t len = st->out_len;

	st->out_len = 0;
	if (len == 0 || st->out_status != SMTPD_IO_OK)
		return st->out_status;
	st->out_status = st->tls != NULL
	    ? smtpd__tls_conn_write(st->tls, st->out_buf, len)
	    : smtpd__wire_write(&st->wire, st->out_buf, len);
	return st->out_status;
}

enum smtpd_io_status
smtpd__stream_pause(struct smtpd_stream *st, uint64_t ms)
{
	enum smtpd_io_status status = smtpd__stream_flush(st);

	if (status == SMTPD_IO_OK)
		smtpd__wire_pause(&st->wire, ms);
	return status;
}

enum smtpd_io_status
smtpd__stream_close(struct smtpd_stream *st)
{
	enum smtpd_io_status status;

	if (st->tls == NULL)
		return smtpd__stream_flush(st);
	smtpd__tls_conn_cork(st->tls, st->in_buf, SMTPD_STREAM_IN_SIZE);
	status = smtpd__stream_flush(st);
	if (status == SMTPD_IO_OK)
		smtpd__tls_conn_close(st->tls);
	return status == SMTPD_IO_OK ? smtpd__tls_conn_uncork(st->tls) : status;
}

bool
smtpd__stream_linger(struct smtpd_stream *st)
{
	bool over;

	if (st->wire.linger_end == 0 && smtpd__stream_close(st) != SMTPD_IO_OK)
		return true;
	st->in_at = st->in_end = 0;
	over = smtpd__wire_linger(&st->wire, st->in_buf, SMTPD_STREAM_IN_SIZE);
	st->wait_deadline = st->wire.linger_end;
	return over;
}
