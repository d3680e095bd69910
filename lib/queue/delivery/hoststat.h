/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_HOSTSTAT_H
#define SMTPD_QUEUE_DELIVERY_HOSTSTAT_H

/*
 * Which mail hosts do not answer, or fail at TLS, by address: so that a dead
 * first MX does not cost its time-out again for each message.  Bounded: old
 * records make room for new ones.  Any number of threads may use one at a time.
 * Times are those of smtpd__clock_ms().
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

/* TARGET did not answer: it is down for a minute, doubled with each time up to
 * an hour.  If it is down already, nothing changes. */
void smtpd__hoststat_failed(
    struct smtpd_hoststat *h, const struct smtpd_target *target, uint64_t now);

/* TARGET answered. */
void smtpd__hoststat_worked(
    struct smtpd_hoststat *h, const struct smtpd_target *target);

/* Whether TARGET is down. */
bool smtpd__hoststat_is_down(
    struct smtpd_hoststat *h, const struct smtpd_target *target, uint64_t now);

/* A handshake with TARGET failed: its TLS is broken for a day. */
void smtpd__hoststat_tls_failed(
    struct smtpd_hoststat *h, const struct smtpd_target *target, uint64_t now);
bool smtpd__hoststat_is_tls_broken(
    struct smtpd_hoststat *h, const struct smtpd_target *target, uint64_t now);

#endif
