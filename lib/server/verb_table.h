/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_VERB_TABLE_H
#define SMTPD_SERVER_VERB_TABLE_H

/*
 * The verbs that a server knows: where each may stand, what it does, and the
 * chain of the program's handlers that are asked before.
 */

#include <smtpd/server.h>

#include "grammar/command.h"

struct smtpd_verb;

/*
 * Act on a command whose verb and place are right: read its argument, ask the
 * handlers, do it, and set the one reply.
 */
typedef void smtpd_verb_fn(struct smtpd_session *s,
    const struct smtpd_verb *verb, const struct smtpd_command_line *line);

/* Where a session stands in the exchange; bits, for masks. */
enum smtpd_state {
	SMTPD_STATE_START = 1 << 0, /* greeted */
	SMTPD_STATE_HELLO = 1 << 1, /* EHLO or HELO accepted */
	SMTPD_STATE_MAIL = 1 << 2,  /* MAIL accepted */
	SMTPD_STATE_RCPT = 1 << 3,  /* and at least one RCPT */
};
#define SMTPD_STATE_ANY                                             \
	(SMTPD_STATE_START | SMTPD_STATE_HELLO | SMTPD_STATE_MAIL | \
	    SMTPD_STATE_RCPT)

/* What the command loop must know of a verb. */
enum smtpd_trait {
	SMTPD_TRAIT_LAST = 1 << 0,   /* what follows it depends on its reply:
	                             * input behind it ends the session */
	SMTPD_TRAIT_IDLE = 1 << 1,   /* does nothing for a message */
	SMTPD_TRAIT_PLAIN = 1 << 2,  /* takes no argument */
	SMTPD_TRAIT_SECRET = 1 << 3, /* its argument is neither logged nor left
	                              * in memory */
	SMTPD_TRAIT_USERS = 1 << 5,  /* only for clients that authenticated,
	                              * where the settings say so */
	SMTPD_TRAIT_SMTP = 1 << 6,   /* it is none of LMTP */
	SMTPD_TRAIT_LMTP = 1 << 7,   /* or of SMTP */
	SMTPD_TRAIT_TELLS = 1 << 8,  /* only for clients that may speak for
	                              * others */
	SMTPD_TRAIT_OCTETS = 1 << 9, /* octets follow it that are no commands,
	                              * whatever its reply */
};

struct smtpd_handler {
	smtpd_handler_fn *fn;
	void *user;
};

struct smtpd_verb {
	char name[SMTPD_VERB_MAX + 1];
	unsigned states; /* where it is allowed, of enum smtpd_state */
	unsigned traits; /* of enum smtpd_trait */
	uint32_t octets; /* that its line may have with its CRLF, also where
	                  * the setting is less; 0: the setting holds */
	smtpd_verb_fn *act;

	/* The program's, in order of registration. */
	struct smtpd_handler *handlers;
	size_t nhandlers;
	bool decided; /* one of them does more than to refuse */
};

/* All zero: empty. */
struct smtpd_verb_table {
	struct smtpd_verb *verbs;
	size_t count;

	/* What is asked of each line before its verb is known: the most octets
	 * that any verb may have, those with secrets also left out; and the
	 * first letters of these, bit 0 for A. */
	uint32_t most_octets;
	uint32_t most_octets_without_secret;
	uint32_t secret_letters;
};

/* The verb called NAME, in upper case, or NULL. */
struct smtpd_verb *smtpd__verb_table_find(
    const struct smtpd_verb_table *t, const char *name);

/* Add a copy of VERB, its name in upper case, without handlers.  Return it,
 * valid until the next call, or NULL without memory. */
struct smtpd_verb *smtpd__verb_table_add(
    struct smtpd_verb_table *t, const struct smtpd_verb *verb);

/* Whether a verb with secrets may begin with C, in any case. */
bool smtpd__verb_table_may_be_secret(const struct smtpd_verb_table *t, char c);

/* Append FN with USER to the handlers of VERB.  Return 0, or -1 without
 * memory. */
int smtpd__verb_table_add_handler(
    struct smtpd_verb *verb, smtpd_handler_fn *fn, void *user);

/* Free what T holds. */
void smtpd__verb_table_finish(struct smtpd_verb_table *t);

#endif
