/* SPDX-License-Identifier: MIT */
#ifndef SEND_H
#define SEND_H

/*
 * One run of the program: a message on its way to all its recipients.
 */

#include <smtpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sender_options.h"

struct run {
	struct smtpd_client_settings client;
	struct smtpd_resolver *resolver; /* unused with a smarthost */
	struct smarthost smarthost;
	uint16_t port; /* of other hosts */
	bool verbose;

	struct smtpd_outgoing_envelope envelope; /* without recipients */
	struct smtpd_outgoing message;           /* without envelope */
	char **rcpts;
	size_t nrcpts;
};

/* Send the message of RUN to all its recipients, report on stderr what
 * became of each, and return an exit status of sysexits(3). */
int send_all(struct run *run);

#endif
