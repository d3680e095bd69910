/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_LOG_H
#define MESSAGE_LOG_H

/* The line that a daemon logs for each message it was given. */

#include <stdint.h>
#include <time.h>

#include <smtpd/session.h>

#include "log.h"

struct message_info {
	const char *what; /* became of it */
	const char *id;
	uint64_t size;         /* octets, as far as they were read */
	int code;              /* of the reply */
	struct timespec begun; /* its MAIL, by CLOCK_MONOTONIC */
};

/* Log the message with ENVELOPE that S brought. */
void message_log(struct log *log, const struct smtpd_session *s,
    const struct smtpd_envelope *envelope, const struct message_info *f);

#endif
