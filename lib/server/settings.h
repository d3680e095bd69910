/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SETTINGS_H
#define SMTPD_SERVER_SETTINGS_H

/*
 * What all sessions of a server share: its settings and registrations, which
 * do not change while sessions run, and its counters, which anyone may move.
 */

#include <smtpd/server.h>

#include <stdatomic.h>

#include "base/logger.h"
#include "grammar/command.h"

struct smtpd_command_line;
struct smtpd_verb;

/*
 * Act on a command whose verb and place are right: read its argument, ask the
 * caller's handler, do it, and set the one reply.
 */
typedef void smtpd_verb_fn(struct smtpd_session *s,
    const struct smtpd_verb *verb, const struct smtpd_command_line *line);

/* Where a session stands in the dialogue; bits, for masks. */
enum smtpd_state {
	SMTPD_STATE_START = 1 << 0, /* greeted */
	SMTPD_STATE_HELLO = 1 << 1, /* EHLO or HELO accepted */
	SMTPD_STATE_MAIL = 1 << 2,  /* MAIL accepted */
	SMTPD_STATE_RCPT = 1 << 3,  /* and at least one RCPT */
};
#define SMTPD_STATES_ANY                                            \
	(SMTPD_STATE_START | SMTPD_STATE_HELLO | SMTPD_STATE_MAIL | \
	    SMTPD_STATE_RCPT)

/* What the command_loop must know of a verb. */
enum smtpd_verb_trait {
	SMTPD_TRAIT_LAST = 1 << 0,  /* ends a pipelined group (RFC 2920, 3.1) */
	SMTPD_TRAIT_IDLE = 1 << 1,  /* does nothing for a message */
	SMTPD_TRAIT_PLAIN = 1 << 2, /* takes no argument */
};

/* One line of the verb table. */
struct smtpd_verb {
	char name[SMTPD_VERB_MAX + 1];
	unsigned states; /* where it is allowed, of enum smtpd_state */
	unsigned traits; /* of enum smtpd_verb_trait */
	smtpd_verb_fn *act;
	smtpd_handler_fn *handler; /* the caller's, or NULL */
	void *user;
};

/* Names that a list holds, each ending with a NUL. */
struct smtpd_names {
	char **names;
	size_t count;
};

struct smtpd_server_config {
	struct smtpd_settings settings; /* no zeros left */
	char hostname[256];
	struct smtpd_logger logger;
	struct smtpd_server *server;

	struct smtpd_verb *verbs;
	size_t nverbs;
	struct smtpd_names keywords;    /* of EHLO */
	struct smtpd_names mail_params; /* the caller's */
	struct smtpd_names rcpt_params;
	smtpd_deliver_fn *deliver;
	void *deliver_user;
	struct smtpd_events events;

	_Atomic uint64_t
	    counts[sizeof(struct smtpd_server_counters) / sizeof(uint64_t)];
	_Atomic uint64_t last_session;
};

/* The place of a counter in counts. */
#define SMTPD_COUNT(field) \
	(offsetof(struct smtpd_server_counters, field) / sizeof(uint64_t))

/*
 * Copy SETTINGS (NULL: all defaults), each zero replaced by its default.  The
 * verb table is empty.
 */
void smtpd__settings_init(
    struct smtpd_server_config *c, const struct smtpd_settings *settings);

/* Free what C holds. */
void smtpd__settings_finish(struct smtpd_server_config *c);

/* The name of a setting that is out of its range, or NULL. */
const char *smtpd__settings_fault(const struct smtpd_server_config *c);

/* The verb called NAME, in upper case, or NULL. */
struct smtpd_verb *smtpd__settings_verb(
    const struct smtpd_server_config *c, const char *name);

/* Add a copy of VERB to the table.  Return 0, or -1 without memory. */
int smtpd__settings_add_verb(
    struct smtpd_server_config *c, const struct smtpd_verb *verb);

/* Add a copy of NAME to a list.  Return 0, or -1 without memory. */
int smtpd__settings_names_add(struct smtpd_names *list, const char *name);

/* Whether NAME, its case ignored, is in LIST. */
bool smtpd__settings_names_have(
    const struct smtpd_names *list, const char *name);

/* Move counter COUNT, as SMTPD_COUNT() gives it, by N. */
void smtpd__settings_count(
    struct smtpd_server_config *c, size_t count, int64_t n);

#endif
