/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_NEGOTIATE_H
#define SMTPD_MILTER_NEGOTIATE_H

/*
 * What both ends of a connection agree on at its beginning: the version, what
 * the filter may do, which steps it wants, and which macros at each stage.
 */

#include <stdbool.h>
#include <stdint.h>

#include "milter/packet.h"
#include "milter/protocol.h"

/* Room for the names of macros that a filter wants at one stage. */
#define SMTPD_NEGOTIATE_MACROS_SIZE 512

struct smtpd_negotiated {
	uint32_t version;
	uint32_t actions;
	uint32_t steps;
	bool listed[SMTPD_MILTER_STAGES]; /* the filter named the macros */
	char macros[SMTPD_MILTER_STAGES][SMTPD_NEGOTIATE_MACROS_SIZE];
};

/* Append our offer to W. */
void smtpd__negotiate_offer(struct smtpd_packet_writer *w);

/* Read the answer P into OUT.  Return NULL, or why it is none, as a word or
 * two. */
const char *smtpd__negotiate_read(
    struct smtpd_packet *p, struct smtpd_negotiated *out);

#endif
