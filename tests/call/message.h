/* SPDX-License-Identifier: MIT */
#ifndef CALL_MESSAGE_H
#define CALL_MESSAGE_H

/* A message that a file has the client send: envelope and content. */

#include <smtpd.h>

#include <stdio.h>

#include "script.h"

#define CALL_RCPTS 1000

/* The content: a text some times over. */
struct call_content {
	const char *text;
	size_t len;
	size_t at;    /* in the text */
	size_t times; /* so many times over */
	size_t left;  /* of all */
	size_t piece; /* at most so much at a time; 0: as much as is wanted */
	bool broken;  /* it ends with an error */
};

struct call_message {
	struct smtpd_outgoing outgoing;
	struct smtpd_outgoing_envelope envelope;
	struct smtpd_outgoing_rcpt rcpts[CALL_RCPTS];
	char names[CALL_RCPTS][300];
	char words[600]; /* of the one recipient */
	struct call_content content;
	FILE *file; /* the content, if it comes from a descriptor */
};

/* Fill in M with the present message of S. */
void call_message_open(struct call_message *m, const struct call_script *s);

void call_message_close(struct call_message *m);

#endif
