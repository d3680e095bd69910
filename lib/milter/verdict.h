/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_VERDICT_H
#define SMTPD_MILTER_VERDICT_H

/*
 * What a filter says to a command: a verdict, and perhaps the reply to the
 * client in its own words.
 */

#include "milter/packet.h"

enum smtpd_verdict_kind {
	SMTPD_VERDICT_CONTINUE,
	SMTPD_VERDICT_ACCEPT,  /* it wants to see no more */
	SMTPD_VERDICT_SKIP,    /* no more of this kind */
	SMTPD_VERDICT_DISCARD, /* the message is to be dropped */
	SMTPD_VERDICT_REFUSE,  /* with the answer's reply */
	SMTPD_VERDICT_FAILED,  /* there is none that could be used */
};

/* Room for the text of a reply. */
#define SMTPD_VERDICT_TEXT_SIZE 1024

struct smtpd_verdict {
	enum smtpd_verdict_kind kind;
	int code; /* of the reply, 4xx or 5xx */
	char enhanced[12];
	char text[SMTPD_VERDICT_TEXT_SIZE]; /* lines divided by LF */
};

/* Let A be the reply CODE ENHANCED TEXT. */
void smtpd__verdict_set(
    struct smtpd_verdict *a, int code, const char *enhanced, const char *text);

/* Read P, which is no change to the message, into OUT.  Return false when it is
 * no answer. */
bool smtpd__verdict_read(struct smtpd_packet *p, struct smtpd_verdict *out);

#endif
