/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_STREAM_H
#define SMTPD_TRANSPORT_STREAM_H

/*
 * Lines and bytes over a wire, plain or in TLS, buffered both ways.  What was
 * written goes out when the input runs dry: a pipelined group is answered
 * with one write (RFC 2920, 3.2).
 */

#include "transport/tls_conn.h"
#include "transport/wire.h"

enum smtpd_line_end {
	SMTPD_LINE_END_CRLF,
	SMTPD_LINE_END_BARE_LF,
	SMTPD_LINE_END_TOO_LONG, /* its bytes were dropped */
	SMTPD_LINE_END_BINARY, /* it begins as no text does, and was not waited
	                      * for */
};

/* Memory for the two buffers. */
#define SMTPD_STREAM_IN_SIZE  65536
#define SMTPD_STREAM_OUT_SIZE 32768

struct smtpd_stream {
	struct smtpd_wire wire;
	struct smtpd_tls_conn *tls; /* once it is up; NULL: plain */
	char *in_buf;
	char *out_buf;
	size_t in_at, in_end;            /* unread input */
	size_t out_len;                  /* unsent output */
	uint64_t out_since;              /* when its first byte was put */
	enum smtpd_io_status out_status; /* of the first that could not be sent:
	                      * nothing is sent after it */
	bool reads_on; /* reads lines also when the peer takes no more: it may
	                * have said something before */
	uint32_t idle_ms;  /* the longest wait for a byte of a line */
	uint64_t deadline; /* for a line, absolute */

	/* The line that is being read, also while it is waited for elsewhere
	 * (SMTPD_IO_REST). */
	uint64_t line_deadline; /* from its first byte on */
	uint64_t wait_deadline; /* of the present wait; 0: none has begun */
	bool drops;             /* it is too long */
	size_t dropped;         /* bytes of it */
};

/*
 * Begin on IN and OUT, which stay the caller's, with buffers of the sizes
 * above.  All times are without limit.
 */
void smtpd__stream_init(
    struct smtpd_stream *st, int in, int out, char *in_buf, char *out_buf);

/* End TLS if there is any, and free what ST holds. */
void smtpd__stream_finish(struct smtpd_stream *st);

/*
 * Flush, and go over to TLS as the server with CONN, which becomes the
 * stream's, before the absolute DEADLINE.  Input that was read before is not
 * TLS's: it must have been refused.  When it fails, REASON of SIZE bytes says
 * why, and the stream is of no more use.
 */
enum smtpd_io_status smtpd__stream_start_tls(struct smtpd_stream *st,
    struct smtpd_tls_conn *conn, uint64_t deadline, char *reason, size_t size);

/*
 * Take one line of at most MAX bytes with its end from the input.  On
 * SMTPD_IO_OK, *LINE of *LEN bytes without its end is NUL-terminated and may
 * be changed until the next read, and *END says how it ended.  From its first
 * byte on it has COMMAND_MS milliseconds.  On SMTPD_IO_REST the output was
 * flushed, and the same line may be asked for again, as soon as there is
 * input: until wait_deadline, and if something else ends the wait, not at all.
 */
enum smtpd_io_status smtpd__stream_line(struct smtpd_stream *st, size_t max,
    uint32_t command_ms, char **line, size_t *len, enum smtpd_line_end *end);

/* Go on with buffers of the same sizes, of which the first has the input that
 * was not taken, after a rest of MS milliseconds. */
void smtpd__stream_resume(
    struct smtpd_stream *st, char *in_buf, char *out_buf, uint64_t ms);

/* The input that was read but not taken: *LEN bytes, perhaps 0. */
const char *smtpd__stream_peek(const struct smtpd_stream *st, size_t *len);

/* Take LEN bytes of smtpd__stream_peek(). */
void smtpd__stream_take(struct smtpd_stream *st, size_t len);

/* Overwrite all input that was read before but for what was not taken: it may
 * have been secret. */
void smtpd__stream_forget(struct smtpd_stream *st);

/* Wait for more input, as long as SPAN milliseconds.  The output has been
 * flushed. */
enum smtpd_io_status smtpd__stream_fill(struct smtpd_stream *st, uint64_t span);

/* Wait for SIZE bytes more, and take none behind them from the peer, before the
 * absolute DEADLINE; some of them may come first.  An interrupt for a line ends
 * that. */
enum smtpd_io_status smtpd__stream_fill_exactly(
    struct smtpd_stream *st, size_t size, uint64_t deadline);

/* Whether the peer talks: has it, or does it within MS milliseconds. */
bool smtpd__stream_talks(struct smtpd_stream *st, uint32_t ms);

/* At least SIZE bytes of room for output, SIZE at most the buffer's; NULL when
 * what was in the way could not be sent, see out_status. */
char *smtpd__stream_room(struct smtpd_stream *st, size_t size);

/* LEN bytes were put where smtpd__stream_room() said. */
void smtpd__stream_put(struct smtpd_stream *st, size_t len);

/* Send what was put.  Once that failed, each later call fails alike: the peer
 * shall not take one reply for another. */
enum smtpd_io_status smtpd__stream_flush(struct smtpd_stream *st);

/* Send what was put if it has waited for a second. */
void smtpd__stream_flush_old(struct smtpd_stream *st);

/* Flush, and do nothing for MS milliseconds. */
enum smtpd_io_status smtpd__stream_pause(struct smtpd_stream *st, uint64_t ms);

/* Flush, and tell the peer that TLS ends (RFC 8446, 6.1), if there is any. */
enum smtpd_io_status smtpd__stream_close(struct smtpd_stream *st);

/* The same, and let the peer see the last reply; what it said besides is
 * dropped.  Return whether that is over; if the wire parks it may not be: go on
 * as soon as there is input, or at wait_deadline. */
bool smtpd__stream_linger(struct smtpd_stream *st);

#endif
