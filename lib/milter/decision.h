/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_DECISION_H
#define SMTPD_MILTER_DECISION_H

/*
 * What a filter says to a command: a decision, and perhaps the reply to the
 * client in its own words.
 */

#include "milter/packet.h"

enum smtpd_decision_kind {
	SMTPD_DECISION_CONTINUE,
	SMTPD_DECISION_ACCEPT,  /* it wants to see no more */
	SMTPD_DECISION_SKIP,    /* no more of this kind */
	SMTPD_DECISION_DISCARD, /* the message is to be dropped */
	SMTPD_DECISION_REFUSE,  /* with the answer's reply */
	SMTPD_DECISION_FAILED,  /* there is none that could be used */
};

/* Room for the text of a reply. */
#define SMTPD_DECISION_TEXT_SIZE 1024

struct smtpd_decision {
	enum smtpd_decision_kind kind;
	int code; /* of the reply, 4xx or 5xx */
	char enhanced[12];
	char text[SMTPD_DECISION_TEXT_SIZE]; /* lines divided by LF */
};

/* Read P, which is no change to the message, into OUT.  Return false when it is
 * no answer. */
bool smtpd__decision_read(struct smtpd_packet *p, struct smtpd_decision *out);

#endif
