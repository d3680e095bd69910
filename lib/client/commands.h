/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_COMMANDS_H
#define SMTPD_CLIENT_COMMANDS_H

/* The commands of one mail transaction: which of them are on their way. */

#include "client/client_state.h"

/* The number of the first; a RCPT for each recipient follows, and DATA unless
 * BDAT does. */
#define SMTPD_COMMAND_MAIL 0

/*
 * One message on its way.  In the results, a recipient without a reply is
 * IN_DOUBT, one that was accepted is SENT until the dot decides, by LMTP for
 * each of them; the others are decided.
 */
struct smtpd_transaction {
	struct smtpd_client *c;
	const struct smtpd_outgoing *m;
	struct smtpd_result *results;
	size_t next;    /* the next command to write */
	size_t replied; /* the next command that awaits its reply */
	bool pipelining;
	bool chunking;
	bool mail_accepted;
	size_t accepted; /* recipients */
	size_t asked;    /* so many recipients are named, the rest is not */
	int data_code;   /* 0: DATA was not sent */
};

/* Begin X: M over the connection of C, whose results, which were checked, are
 * RESULTS. */
void smtpd__client_commands_begin(struct smtpd_transaction *x,
    struct smtpd_client *c, const struct smtpd_outgoing *m,
    struct smtpd_result *results);

/* Put as many commands as may be on their way, behind those that are.  Return
 * their octets, or -1 when the connection was closed. */
ssize_t smtpd__client_commands_write(struct smtpd_transaction *x);

/* The same behind the content of another message, which is on its way. */
ssize_t smtpd__client_commands_write_ahead(struct smtpd_transaction *x);

/* Whether command N is not sent, and has no reply. */
bool smtpd__client_commands_is_skipped(
    const struct smtpd_transaction *x, size_t n);

/* Whether so many recipients were accepted that the content is sent. */
bool smtpd__client_commands_is_wanted(const struct smtpd_transaction *x);

/* Whether R is the last word on its recipient. */
bool smtpd__client_commands_is_decided(const struct smtpd_result *r);

#endif
