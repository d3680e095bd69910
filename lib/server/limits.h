/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_LIMITS_H
#define SMTPD_SERVER_LIMITS_H

/*
 * How many connections there are: in all, from each address, from each
 * network (RFC 5321, 7.8), and from each user of this host.  The owner's lock
 * guards it.
 */

#include <smtpd/server.h>

#include "net/socket.h"

#define SMTPD_PEERS_BUCKETS 1024

struct smtpd_peer_count;

struct smtpd_limits {
	const struct smtpd_settings *settings;
	uint32_t connections;
	uint32_t leaving; /* of these, on their way out */
	struct smtpd_peer_count *buckets[SMTPD_PEERS_BUCKETS];
};

/* The counters that one connection occupies. */
struct smtpd_slot {
	struct smtpd_peer_count *address; /* or user; NULL: neither */
	struct smtpd_peer_count *network; /* NULL for a user */
	bool occupied;
};

enum smtpd_admission {
	SMTPD_ADMISSION_OK,
	SMTPD_ADMISSION_FULL,      /* too many in all; one fewer would do */
	SMTPD_ADMISSION_OVERFULL,  /* and one fewer would not do */
	SMTPD_ADMISSION_PEER_FULL, /* too many from it, its network or user */
	SMTPD_ADMISSION_NO_MEMORY,
};

void smtpd__limits_init(
    struct smtpd_limits *l, const struct smtpd_settings *settings);

/* Free what L holds; no connection is left. */
void smtpd__limits_finish(struct smtpd_limits *l);

/* Admit a connection from PEER, or of the user *UID of this host (NULL: it is
 * not known); if so, give SLOT back when it is over. */
enum smtpd_admission smtpd__limits_admit(struct smtpd_limits *l,
    const struct smtpd_sockaddr *peer, const uid_t *uid,
    struct smtpd_slot *slot);

/* Whether nine tenths of all connections are taken. */
bool smtpd__limits_are_near(const struct smtpd_limits *l);

/* The connection that occupies SLOT is over; or none does. */
void smtpd__limits_leave(struct smtpd_limits *l, struct smtpd_slot *slot);

#endif
