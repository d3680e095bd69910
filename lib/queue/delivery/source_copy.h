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
	char addresses[SMTPD_SOURCES_MAX][SMTPD_ADDRESS_TEXT_SIZE];
	char hostnames[SMTPD_SOURCES_MAX][SMTPD_HOSTNAME_SIZE];
};

/* Copy the sources of CLIENT to COPY, to which CLIENT points then.  Return 0,
 * or -1 when they cannot be. */
int smtpd__source_copy_fill(
    struct smtpd_source_copy *copy, struct smtpd_client_settings *client);

#endif
