/* SPDX-License-Identifier: MIT */
#ifndef DESCRIBE_H
#define DESCRIBE_H

/*
 * What is told of a message: to lists and queries, once, when it comes, and in
 * full when somebody asks for it.
 */

#include <glib.h>

#include "message.h"

/* How a message came. */
struct arrival {
	int64_t time_ms; /* since 1970 */
	const char *sender;
	char *params; /* of MAIL, as it was said */
	char **rcpts;
	char **rcpt_params; /* of each */
	const char *peer, *helo;
	const char *tls;  /* its version; NULL: not encrypted */
	const char *user; /* NULL: not authenticated */
};

/* Fill in the summary of MESSAGE, whose octets and id are set, and what queries
 * ask for. */
void describe_arrival(struct message *message, const struct arrival *arrival);

/* Append MESSAGE in full to OUT, as a JSON object. */
void describe_message(const struct message *message, GString *out);

#endif
