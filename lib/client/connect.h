/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_CONNECT_H
#define SMTPD_CLIENT_CONNECT_H

/* A TCP connection to one of several addresses (RFC 8305, 5). */

#include <smtpd/resolve.h>

#include "client/sources.h"
#include "net/socket.h"

struct smtpd_race {
	const struct smtpd_target *targets;
	size_t count;
	size_t next; /* the first that was not tried yet */
	uint16_t port;
	uint32_t connect_ms; /* for one address */
	uint32_t stagger_ms; /* before another is tried beside */
	int cancel_fd;       /* -1: none */
	const struct smtpd_client_sources *sources;

	/* The result: the winner's address, or the last that failed. */
	struct smtpd_sockaddr peer;
	size_t at;        /* its place among the targets */
	const char *host; /* the target's name for it */
	int error;        /* ECANCELED: cancelled */
	bool answered;    /* one failed by more than our own network */
	const struct smtpd_client_source *unbound; /* the last failed since it
	                   * could not come from there; NULL: it did not */
};

/*
 * Connect to the first address of R, from R->next on, that answers; at most two
 * are tried at a time.  Return a descriptor that does not block and sends at
 * once, or -1 with R->error.
 */
int smtpd__client_connect_race(struct smtpd_race *r);

#endif
