/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_CONNECTION_H
#define SMTPD_MILTER_CONNECTION_H

/*
 * A connection to a filter: packets are collected, sent together, and answers
 * waited for until a deadline.
 */

#include "milter/negotiate.h"
#include "milter/packet.h"
#include "net/socket.h"

/* What ends a wait besides its deadline. */
struct smtpd_milter_wait {
	int (*cancel_fd)(void *user); /* a descriptor that becomes readable, or
	                               * -1; asked for by waits that are long */
	void *user;
};

struct smtpd_milter_connection {
	int fd;
	struct smtpd_negotiated agreed;
	struct smtpd_packet_writer writer;
	char *in; /* what came */
	size_t in_at, in_len, in_room;
	bool reused;      /* it served another session before */
	bool answered;    /* it answered this one */
	uint64_t idle_ms; /* since when it waits for a session */
	struct smtpd_milter_connection *next;
};

/* Where a filter listens. */
struct smtpd_milter_address {
	char host[SMTPD_SOCKET_TEXT_MAX]; /* a name or an address; "": SOCKET
	                                   * has all */
	char port[16];
	struct smtpd_sockaddr socket;
};

/* Read "unix:PATH", "/PATH", "inet:PORT@HOST", "inet:HOST:PORT" or "HOST:PORT".
 * Return 0, or -1 with errno EINVAL. */
int smtpd__connection_parse(const char *text, struct smtpd_milter_address *out);

/*
 * Connect to A until DEADLINE, and negotiate.  Return NULL with errno: that of
 * the system, ETIMEDOUT, ECANCELED, EPROTO.
 */
struct smtpd_milter_connection *smtpd__connection_open(
    const struct smtpd_milter_address *a, uint64_t deadline,
    const struct smtpd_milter_wait *wait);

/* Send what was collected.  Return 0, or -1 with errno as above. */
int smtpd__connection_flush(struct smtpd_milter_connection *c,
    uint64_t deadline, const struct smtpd_milter_wait *wait);

/* Read the next packet.  Return 0, or -1 with errno as above; ECONNRESET when
 * the filter has gone. */
int smtpd__connection_read(struct smtpd_milter_connection *c,
    struct smtpd_packet *out, uint64_t deadline,
    const struct smtpd_milter_wait *wait);

/* Whether nothing is left in C, in either direction, and the filter is still
 * there. */
bool smtpd__connection_is_fresh(const struct smtpd_milter_connection *c);

/* Close and free C, which may be NULL. */
void smtpd__connection_close(struct smtpd_milter_connection *c);

#endif
