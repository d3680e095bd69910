/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_HOSTSTAT_H
#define SMTPD_QUEUE_DELIVERY_HOSTSTAT_H

/*
 * What is known of mail hosts, by address: that they do not answer, so that a
 * dead first MX does not cost its time-out again for each message; that TLS
 * worked or failed there, that BDAT or PIPELINING fails; and when mail last
 * went there, so that hosts that are as good take turns.  Bounded: old records
 * make room for new ones.  Any number of threads may use one at a time.  Times
 * are those of smtpd__clock_ms().
 */

#include <smtpd/resolve.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct smtpd_hoststat;

/* NULL without memory. */
struct smtpd_hoststat *smtpd__hoststat_create(void);

/* NULL is fine. */
void smtpd__hoststat_destroy(struct smtpd_hoststat *h);

enum smtpd_host_event {
	SMTPD_HOST_SILENT,     /* it is down for a minute, doubled with each
	                        * time up to an hour; if it is down already,
	                        * nothing changes */
	SMTPD_HOST_ANSWERED,   /* it is not down */
	SMTPD_HOST_TLS_WORKED, /* a handshake was finished */
	SMTPD_HOST_TLS_FAILED, /* its TLS counts as broken for an hour */
	SMTPD_HOST_NO_BDAT,    /* BDAT is not known there: for an hour */
	SMTPD_HOST_NO_GROUPS,  /* PIPELINING fails there: for an hour */
	SMTPD_HOST_USED,       /* it is connected to, or gets a message */
};

/* Remember what happened to a connection to TARGET. */
void smtpd__hoststat_note(struct smtpd_hoststat *h,
    const struct smtpd_target *target, enum smtpd_host_event event,
    uint64_t now);

enum smtpd_host_fact {
	SMTPD_HOST_DOWN,
	SMTPD_HOST_TLS_BROKEN, /* and a warning was logged */
	SMTPD_HOST_WITHOUT_BDAT,
	SMTPD_HOST_WITHOUT_GROUPS,
	SMTPD_HOST_HAD_TLS, /* it worked, however long ago that is */
};

/* Whether FACT is known of TARGET. */
bool smtpd__hoststat_is(struct smtpd_hoststat *h,
    const struct smtpd_target *target, enum smtpd_host_fact fact, uint64_t now);

/* The number of the last use of TARGET, which rises from one to the next; 0:
 * none is known. */
uint64_t smtpd__hoststat_last_used(
    struct smtpd_hoststat *h, const struct smtpd_target *target);

#endif
