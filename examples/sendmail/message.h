/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_H
#define MESSAGE_H

/*
 * Reading the message from a program that calls sendmail, and making it one
 * that can be submitted.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "text_list.h"

struct message_wants {
	bool dot_is_text; /* a line of a lone dot does not end it */
	bool recipients;  /* find them in the header, and drop Bcc */
	const char *from; /* for From, if that is missing */
};

struct message {
	FILE *file;             /* temporary: lines ended by CRLF */
	uint64_t size;          /* octets in it */
	bool eight_bit;         /* it has bytes outside ASCII */
	bool has_date;          /* and a field Date */
	struct text_list rcpts; /* found in the header, as they stand there */
	struct text_list bad;   /* what stands there and is no address */
	char why[256];          /* why it cannot be read */
};

/*
 * Read a message from IN as WANTS say: any line end becomes CRLF, a line "From
 * ..." of a mailbox at the top is left out, an empty line stands between header
 * and body.  Return 0, or an exit status with the reason in m->why (EX_DATAERR:
 * a list of recipients is too long; EX_IOERR; EX_TEMPFAIL).  What could be
 * read of IN is in the file in any case, if there is one.
 */
int message_read(
    struct message *m, FILE *in, const struct message_wants *wants);

/* Free what M holds. */
void message_finish(struct message *m);

#endif
