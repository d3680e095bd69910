/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_BODY_SOURCE_H
#define SMTPD_SERVER_BODY_SOURCE_H

/*
 * Where the bytes of a message come from: the interface between the body,
 * which measures and judges a message, and the command that carries it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The smallest buffer that a source fills. */
#define SMTPD_BODY_SOURCE_MIN 4

/* The first member of a source's own struct. */
struct smtpd_body_source {
	/*
	 * Decode up to SIZE bytes, at least SMTPD_BODY_SOURCE_MIN, into BUF:
	 * lines end with CRLF, unless the message is binary.  Return their
	 * number, 0 at the end of the message, or -1 when there is none: the
	 * input failed, whose status says why, or, where that is OK, the
	 * client gave the message up.
	 */
	ssize_t (*read)(struct smtpd_body_source *src, char *buf, size_t size);

	/* Read and drop the rest.  Return true when the end was found, false
	 * when the input failed, or the client gave the message up. */
	bool (*finish)(struct smtpd_body_source *src);

	/* Set by the body: the message will be refused.  A source whose parts
	 * are answered one by one asks for no further part. */
	bool refused;

	/* Its message was read before: nothing of it is measured or judged, nor
	 * need it be read to its end. */
	bool judged;

	/* Octets of the message that came or are known to come. */
	uint64_t announced;

	/* What the lines were found to hold so far; bits of
	 * enum smtpd_line_scan_found. */
	unsigned found;
};

#endif
