/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_LOG_H
#define MESSAGE_LOG_H

/*
 * The lines that a daemon logs for each message that a client sent, one for
 * each recipient and place.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <smtpd/session.h>

#include "log.h"

struct message_info {
	const char *what; /* became of it for the first recipient: "stored",
			   * "queued", "refused" */
	const char *id;
	int code;              /* 0: the envelope has that of each recipient */
	uint64_t size;         /* octets that were read */
	struct timespec begun; /* its MAIL, by CLOCK_MONOTONIC */

	/* Write place K of what recipient I gets to BUF of SIZE bytes, and
	 * return false when there is none; NULL: there are none at all. */
	bool (*place)(void *user, size_t i, size_t k, char *buf, size_t size);
	void *user;
};

/* Log the message with ENVELOPE that the client of S sent. */
void message_log(struct log *log, const struct smtpd_session *s,
    const struct smtpd_envelope *envelope, const struct message_info *f);

#endif
