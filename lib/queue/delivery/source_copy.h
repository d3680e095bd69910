/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_SOURCE_COPY_H
#define SMTPD_QUEUE_DELIVERY_SOURCE_COPY_H

/* The addresses that connections out come from, kept for clients that are made
 * later. */

#include <smtpd/client.h>

#include "base/sizes.h"

/* One of each family. */
#define SMTPD_SOURCES_MAX 2

struct smtpd_source_copy {
	struct smtpd_source sources[SMTPD_SOURCES_MAX];
	size_t count;
	char addresses[SMTPD_SOURCES_MAX][SMTPD_ADDRESS_TEXT_SIZE];
	char hostnames[SMTPD_SOURCES_MAX][SMTPD_HOSTNAME_SIZE];
};

/* Copy the COUNT sources at GIVEN to COPY, which must not move then.  Return 0,
 * or -1 when they cannot be. */
int smtpd__source_copy_fill(struct smtpd_source_copy *copy,
    const struct smtpd_source *given, size_t count);

/* Have CLIENT use the sources of COPY, and its own for a family that COPY has
 * none of; they stand in
 * ROOM. */
void smtpd__source_copy_use(const struct smtpd_source_copy *copy,
    struct smtpd_source room[SMTPD_SOURCES_MAX],
    struct smtpd_client_settings *client);

#endif
