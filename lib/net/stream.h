/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_NET_STREAM_H
#define SMTPD_NET_STREAM_H

/*
 * Lines and bytes over a pair of descriptors, buffered both ways, each wait
 * bounded by a deadline.  What was written goes out when the input runs dry:
 * a pipelined group is answered with one write (RFC 2920).
 *
 * One thread uses a stream; another may only call smtpd_stream_interrupt().
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum smtpd_stream_status {
	SMTPD_STREAM_OK,
	SMTPD_STREAM_CLOSED,      /* the peer went */
	SMTPD_STREAM_TIMEOUT,     /* a deadline passed */
	SMTPD_STREAM_INTERRUPTED, /* by smtpd_stream_interrupt() */
	SMTPD_STREAM_FLOOD,       /* a line without end */
	SMTPD_STREAM_ERROR,       /* the descriptor failed, errno says why */
};

enum smtpd_line_end {
	SMTPD_LINE_CRLF,
	SMTPD_LINE_BARE_LF,
	SMTPD_LINE_TOO_LONG, /* its bytes were dropped */
};

enum smtpd_interrupt {
	SMTPD_INTERRUPT_NONE,
	SMTPD_INTERRUPT_LINE, /* the next wait for a line */
	SMTPD_INTERRUPT_ALL,  /* whatever it does */
};

/* After so many milliseconds a wait counts as rest. */
#define SMTPD_STREAM_REST_MS 2000

/* Memory for the two buffers. */
#define SMTPD_STREAM_IN_SIZE  65536
#define SMTPD_STREAM_OUT_SIZE 32768

struct smtpd_stream {
	int in, out;
	bool socket; /* both are the same socket */
	bool quick;  /* the owner gave the socket a receive timeout of
	              * SMTPD_STREAM_REST_MS, and the first wait is left to it */
	char *in_buf;
	char *out_buf;
	size_t in_at, in_end; /* unread input */
	size_t out_len;       /* unsent output */

	uint32_t idle_ms;  /* the longest wait for a byte */
	uint32_t write_ms; /* the longest wait to write */
	uint64_t deadline; /* for any read, absolute */
	uint64_t now;      /* the clock at the last wait */

	uint64_t bytes_in, bytes_out;

	/* Called once in a wait that has lasted a while: a time to save
	 * memory. */
	void (*rest)(void *);
	void *rest_arg;

	atomic_int interrupt; /* of enum smtpd_interrupt */
	atomic_int phase;     /* whether it waits for a line */
};

/*
 * Begin on IN and OUT, which stay the caller's, with buffers of the sizes
 * above.  All times are without limit.
 */
void smtpd_stream_init(
    struct smtpd_stream *st, int in, int out, char *in_buf, char *out_buf);

/*
 * Take one line of at most MAX bytes with its end from the input.  On
 * SMTPD_STREAM_OK, *LINE of *LEN bytes without its end is NUL-terminated and
 * may be changed until the next read, and *END says how it ended.  From its
 * first byte on it has COMMAND_MS milliseconds.
 */
enum smtpd_stream_status smtpd_stream_line(struct smtpd_stream *st, size_t max,
    uint32_t command_ms, char **line, size_t *len, enum smtpd_line_end *end);

/* The input that was read but not taken: *LEN bytes, perhaps 0. */
const char *smtpd_stream_peek(const struct smtpd_stream *st, size_t *len);

/* Take LEN bytes of smtpd_stream_peek(). */
void smtpd_stream_take(struct smtpd_stream *st, size_t len);

/* Flush, and wait for more input until DEADLINE or the stream's own. */
enum smtpd_stream_status smtpd_stream_fill(
    struct smtpd_stream *st, uint64_t deadline);

/* Wait for MS milliseconds (0: not at all) whether the peer talks.  Only a
 * socket can tell. */
bool smtpd_stream_talks(struct smtpd_stream *st, uint32_t ms);

/* At least SIZE bytes of room for output, SIZE at most the buffer's; NULL when
 * what was in the way could not be sent. */
char *smtpd_stream_room(struct smtpd_stream *st, size_t size);

/* LEN bytes were put where smtpd_stream_room() said. */
void smtpd_stream_put(struct smtpd_stream *st, size_t len);

/* Send what was put. */
enum smtpd_stream_status smtpd_stream_flush(struct smtpd_stream *st);

/* Send nothing for MS milliseconds; interrupted early only by
 * SMTPD_INTERRUPT_ALL. */
void smtpd_stream_pause(struct smtpd_stream *st, uint32_t ms);

/*
 * Flush, say that nothing more will come, and read for a short time what the
 * peer still sends, so that it sees the last reply instead of a reset.
 */
void smtpd_stream_linger(struct smtpd_stream *st);

/* From any thread, while the stream lives: make it return
 * SMTPD_STREAM_INTERRUPTED. */
void smtpd_stream_interrupt(struct smtpd_stream *st, enum smtpd_interrupt what);

#endif
