/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_CHANGES_H
#define SMTPD_MILTER_CHANGES_H

/*
 * What a filter wants to be changed in a message, but for its body: collected
 * one by one, to be made together, or not at all.
 */

#include "milter/negotiate.h"

/* How many there may be, and their octets. */
#define SMTPD_CHANGES_MAX        10000
#define SMTPD_CHANGES_OCTETS_MAX 1048576

struct smtpd_change {
	enum smtpd_milter_answer kind;
	uint32_t index;    /* of a field */
	const char *name;  /* of a field; an address; a reason */
	const char *value; /* of a field; parameters; NULL: none */
	char *own;         /* memory of both */
};

/* All zero: none. */
struct smtpd_changes {
	struct smtpd_change *list;
	size_t count;
	size_t room;
	size_t octets;
};

/* Whether COMMAND asks for a change, also of the body. */
bool smtpd__changes_is_one(char command);

/* Add what P asks for, which AGREED must allow.  Return 0, or -1 with errno:
 * EPROTO when it is not allowed or not whole, EMSGSIZE when there are too many,
 * ENOMEM. */
int smtpd__changes_add(struct smtpd_changes *c, struct smtpd_packet *p,
    const struct smtpd_negotiated *agreed);

/* Forget all; C is as at first. */
void smtpd__changes_finish(struct smtpd_changes *c);

#endif
