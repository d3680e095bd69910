/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_TLS_MEMORY_H
#define SMTPD_QUEUE_DELIVERY_TLS_MEMORY_H

/*
 * The hosts that did TLS, and the day they did so last, over restarts: in the
 * file "tls-hosts" of the queue's directory, a line "DAY HOST" for each, days
 * since 1970.  One that did none for thirty days is forgotten.  A file that is
 * damaged, or cannot be written, costs memory only.  Any number of threads may
 * use one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/logger.h"

#define SMTPD_TLS_MEMORY_FILE "tls-hosts"

/* Hosts that are remembered; the one that did TLS longest ago makes room. */
#define SMTPD_TLS_MEMORY_MAX 16384

#define SMTPD_TLS_MEMORY_DAYS 30

struct smtpd_tls_memory;

/* Read what is in the directory DIR, which must stay open, on DAY.  NULL
 * without memory. */
struct smtpd_tls_memory *smtpd__tls_memory_create(
    int dir, uint32_t day, const struct smtpd_logger *logger);

void smtpd__tls_memory_destroy(struct smtpd_tls_memory *m);

/* HOST did TLS on DAY.  What is new is written at once, but not synced. */
void smtpd__tls_memory_note(
    struct smtpd_tls_memory *m, const char *host, uint32_t day);

/* Whether HOST did TLS lately, seen from DAY. */
bool smtpd__tls_memory_has(
    struct smtpd_tls_memory *m, const char *host, uint32_t day);

#endif
