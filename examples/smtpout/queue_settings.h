/* SPDX-License-Identifier: MIT */
#ifndef QUEUE_SETTINGS_H
#define QUEUE_SETTINGS_H

/* What the program's settings are for the library's queue. */

#include "settings.h"

/* The structs that the settings of a queue point to. */
struct queue_parts {
	struct smtpd_resolver_settings resolver;
	struct smtpd_client_settings client;
	struct smtpd_policy_settings policy;
	struct smtpd_route_target smarthost;
};

/* Set OUT to the settings of the library's queue, without the client's trust
 * and the users of callbacks; it shares the texts of S, and points into PARTS
 * too. */
void queue_settings_set(const struct settings *s, struct queue_parts *parts,
    struct smtpd_queue_settings *out);

#endif
