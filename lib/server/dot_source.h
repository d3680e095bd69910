/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_DOT_SOURCE_H
#define SMTPD_SERVER_DOT_SOURCE_H

/*
 * The message that follows DATA, ended by a dot on a line of its own (RFC
 * 5321, 4.1.1.4), as a source of the body.
 */

#include "grammar/dot.h"
#include "server/body_input.h"
#include "server/body_source.h"

struct smtpd_dot_source {
	struct smtpd_body_source source;
	struct smtpd_body_input *in;
	struct smtpd_dot dot;
};

/* Begin a message from IN, whose lines may have MAX_LINE octets. */
void smtpd__dot_source_init(
    struct smtpd_dot_source *d, struct smtpd_body_input *in, uint32_t max_line);

#endif
