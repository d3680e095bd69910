/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_WIRE_H
#define SMTPD_TRANSPORT_WIRE_H

/*
 * Bytes over a pair of descriptors, each wait bounded by a deadline.
 *
 * One thread uses a wire; another may only call smtpd__wire_interrupt().
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum smtpd_io_status {
	SMTPD_IO_OK,
	SMTPD_IO_CLOSED,      /* the peer went */
	SMTPD_IO_TIMEOUT,     /* a deadline passed */
	SMTPD_IO_INTERRUPTED, /* by smtpd__wire_interrupt(), or cancelled */
	SMTPD_IO_FLOOD,       /* a line without end */
	SMTPD_IO_TLS,         /* the peer broke the rules of TLS */
	SMTPD_IO_ERROR,       /* the descriptor failed, errno says why */
	SMTPD_IO_REST,        /* nothing came for a while, see `parks` */
};

enum smtpd_interrupt {
	SMTPD_INTERRUPT_NONE,
	SMTPD_INTERRUPT_LINE, /* the next wait for a line */
	SMTPD_INTERRUPT_ALL,  /* whatever it does */
};

struct smtpd_wire {
	int in, out;
	bool in_socket, out_socket; /* what each of them is */

	/* IN has a receive timeout of SMTPD_SOCKET_REST_MS, and the first wait
	 * is left to it. */
	bool quick;
	bool parks;    /* a wait that is left to it ends with SMTPD_IO_REST */
	bool hurries;  /* and at once */
	int cancel_fd; /* every wait ends once it is readable; -1: none */
	uint32_t write_ms; /* the longest wait to write */
	uint64_t
	    waited_ms; /* for the peer, in all: our own time is not in it */
	uint64_t budget_ms; /* where waited_ms ends every wait to write */
	uint64_t bytes_in, bytes_out;
	uint64_t linger_end; /* when lingering is over; 0: it has not begun */
	size_t lingered;     /* bytes that it has dropped */

	/* Called once in a wait that has lasted a while and goes on: a time to
	 * save memory. */
	void (*rest)(void *);
	void *rest_arg;

	atomic_int interrupt; /* of enum smtpd_interrupt */
	atomic_int phase;     /* whether it waits for a line */
};

/* Begin on IN and OUT, which stay the caller's. */
void smtpd__wire_init(struct smtpd_wire *w, int in, int out);

/*
 * Read 1 to SIZE bytes into BUF before the absolute DEADLINE; if that has
 * passed, what is there already.  On SMTPD_IO_OK, *GOT says how many.
 */
enum smtpd_io_status smtpd__wire_read(struct smtpd_wire *w, char *buf,
    size_t size, uint64_t deadline, size_t *got);

/* The peer has kept W waiting for MS milliseconds elsewhere. */
void smtpd__wire_charge(struct smtpd_wire *w, uint64_t ms);

/* How W was interrupted, if at all. */
enum smtpd_interrupt smtpd__wire_interrupted(struct smtpd_wire *w);

/* How long the peer may still keep W waiting. */
uint64_t smtpd__wire_budget_left(const struct smtpd_wire *w);

/* Write LEN bytes at BUF, waiting for room up to write_ms, and no longer than
 * the budget lasts. */
enum smtpd_io_status smtpd__wire_write(
    struct smtpd_wire *w, const char *buf, size_t len);

/* Wait for MS milliseconds (0: not at all) whether the peer talks.  Only a
 * socket can tell. */
bool smtpd__wire_talks(struct smtpd_wire *w, uint32_t ms);

/* Do nothing for MS milliseconds, unless somebody interrupts or the connection
 * breaks. */
void smtpd__wire_pause(struct smtpd_wire *w, uint64_t ms);

/*
 * Say that nothing more will come, and read for a short time what the peer
 * still sends into BUF of SIZE bytes, so that it sees the last reply instead
 * of a reset.  Return whether that is over; if W parks it may not be, and is to
 * go on when there is input, or at linger_end.
 */
bool smtpd__wire_linger(struct smtpd_wire *w, char *buf, size_t size);

/*
 * Around a wait for a line, in which SMTPD_INTERRUPT_LINE counts.  Each tells
 * whether there was none: if not, the line is not to be waited for, or not
 * to be taken.
 */
bool smtpd__wire_wait_begins(struct smtpd_wire *w);
bool smtpd__wire_wait_ends(struct smtpd_wire *w);

/* From any thread, while the wire lives: make it return
 * SMTPD_IO_INTERRUPTED. */
void smtpd__wire_interrupt(struct smtpd_wire *w, enum smtpd_interrupt what);

#endif
