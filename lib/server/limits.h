/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_LIMITS_H
#define SMTPD_SERVER_LIMITS_H

/*
 * How many connections there are: in all, from each address, and from each
 * network (RFC 5321, 7.8).  The owner's lock guards it.
 */

#include <smtpd/server.h>

#include "net/socket.h"

#define SMTPD_PEERS_BUCKETS 1024

struct smtpd_peer_count;

struct smtpd_limits {
	const struct smtpd_settings *settings;
	uint32_t connections;
	struct smtpd_peer_count *buckets[SMTPD_PEERS_BUCKETS];
};

/* The counters that one connection occupies. */
struct smtpd_slot {
	struct smtpd_peer_count *address; /* NULL for a UNIX socket */
	struct smtpd_peer_count *network;
};

enum smtpd_admission {
	SMTPD_ADMISSION_OK,
	SMTPD_ADMISSION_FULL,      /* too many in all */
	SMTPD_ADMISSION_PEER_FULL, /* too many from it or its network */
	SMTPD_ADMISSION_NO_MEMORY,
};

void smtpd__limits_init(
    struct smtpd_limits *l, const struct smtpd_settings *settings);

/* Free what L holds; no connection is left. */
void smtpd__limits_finish(struct smtpd_limits *l);

/* Admit a connection from PEER; if so, give SLOT back when it is over. */
enum smtpd_admission smtpd__limits_admit(struct smtpd_limits *l,
    const struct smtpd_sockaddr *peer, struct smtpd_slot *slot);

/* The connection that occupies SLOT is over. */
void smtpd__limits_leave(struct smtpd_limits *l, struct smtpd_slot *slot);

#endif
