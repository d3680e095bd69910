/* SPDX-License-Identifier: MIT */
#ifndef SUBMISSION_H
#define SUBMISSION_H

/*
 * The part of submission in a session: users send as themselves, their mail
 * goes to smtpout, and each message has a line in the log.
 */

#include <smtpd/resolve.h>
#include <smtpd/server.h>

#include "accounts.h"
#include "allowance.h"
#include "log.h"

/* The data that all sessions share. */
struct submission {
	struct log *log;
	const char *hostname;
	struct smtpd_target smtpout;
	uint16_t port; /* of smtpout */
	struct accounts accounts;
	bool any_from; /* messages may say that they are from others */
	struct allowances *allowances;
};

/* Register SUB with SRV, which it must outlive.  Return 0, or -1 without
 * memory. */
int submission_register(struct submission *sub, struct smtpd_server *srv);

#endif
