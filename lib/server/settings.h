/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SETTINGS_H
#define SMTPD_SERVER_SETTINGS_H

/*
 * Everything that the sessions of a server share: its settings and
 * registrations, which do not change while sessions run, and its counters.
 */

#include <smtpd/server.h>

#include <limits.h>
#include <stdatomic.h>

#include "base/budget.h"
#include "base/logger.h"
#include "base/sizes.h"
#include "grammar/urgency.h"
#include "net/network.h"
#include "server/counters.h"
#include "server/events.h"
#include "server/filters.h"
#include "server/keywords.h"
#include "server/names.h"
#include "server/replies.h"
#include "server/verb_table.h"

/* Room for the names of all mechanisms of AUTH: the reply to EHLO has as
 * much. */
#define SMTPD_MECHANISMS_SIZE 121

struct smtpd_server_config {
	struct smtpd_settings settings; /* no zeros left */
	char hostname[SMTPD_HOSTNAME_SIZE];
	char default_domain[SMTPD_HOSTNAME_SIZE];
	char temp_directory[PATH_MAX];
	char auth_mechanisms[SMTPD_MECHANISMS_SIZE];
	bool auth_is_cut; /* there are more than these */
	char priority_policy[SMTPD_PRIORITY_POLICY_SIZE];
	unsigned char auth_secret[SMTPD_SCRAM_HASH_SIZE];
	struct smtpd_logger logger;
	struct smtpd_server *server;

	struct smtpd_verb_table verbs;
	struct smtpd_replies replies;
	struct smtpd_keywords keywords; /* of EHLO */
	struct smtpd_names mail_params; /* the program's */
	struct smtpd_names rcpt_params;
	struct smtpd_networks proxies;  /* whose connections have a header */
	struct smtpd_networks xclients; /* that may say XCLIENT */
	struct smtpd_event_list events;
	struct smtpd_filters filters;
	char claimed_id[SMTPD_HOSTNAME_SIZE]; /* of our own results */
	smtpd_deliver_fn *deliver;
	void *deliver_user;

	struct smtpd_counters counters;
	struct smtpd_budget memory; /* for transactions */
	struct smtpd_budget temp;   /* for messages that filters see */
	_Atomic uint64_t last_session;
};

/*
 * Copy SETTINGS (NULL: all defaults), each zero replaced by its default.  The
 * verb table is empty.  Return 0, or -1 with errno EINVAL when the size of
 * SETTINGS is not right (see version.h).
 */
int smtpd__settings_init(
    struct smtpd_server_config *c, const struct smtpd_settings *settings);

/* Free what C holds. */
void smtpd__settings_finish(struct smtpd_server_config *c);

/* The name of a setting that is out of its range, or NULL. */
const char *smtpd__settings_fault(const struct smtpd_server_config *c);

#endif
