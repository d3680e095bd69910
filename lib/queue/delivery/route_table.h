/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_ROUTE_TABLE_H
#define SMTPD_QUEUE_DELIVERY_ROUTE_TABLE_H

/*
 * The routes of a program, in the order in which it gave them: which one a
 * recipient has.  A table never changes; it is counted by references, and
 * replaced as a whole.
 */

#include <smtpd/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "queue/delivery/route_pattern.h"
#include "queue/delivery/source_copy.h"
#include "queue/spool/spool.h"
#include "resolve/dns_message.h"

struct smtpd_route_table;

#define SMTPD_TARGET_TEXTS 5

/* A target with texts of its own, of which the first is the password. */
struct smtpd_table_target {
	char *texts[SMTPD_TARGET_TEXTS];
	struct smtpd_route_target set;     /* with the default of port */
	struct smtpd_source_copy *sources; /* that SET has; NULL: none */
	char name[SMTPD_DNS_HOST_MAX];     /* of a host, as it is looked up */
	uint64_t id; /* no target of this table, or of one that it renews, has
	              * the same; 0: of MX without sources */
};

struct smtpd_route_entry {
	struct smtpd_route_pattern pattern;
	char *text; /* of the pattern; "": the smarthost of the settings */

	/* All of its targets but for passwords: routes with the same key lead
	 * to the same place. */
	char *key;
	struct smtpd_table_target *targets;
	size_t ntargets;
};

/*
 * Make one of COUNT ROUTES, behind which is, unless NULL, SMARTHOST for all
 * mail.  Return NULL with errno and the reason added to ERROR.
 */
struct smtpd_route_table *smtpd__route_table_create(
    const struct smtpd_route *routes, size_t count,
    const struct smtpd_route_target *smarthost, struct smtpd_text *error);

/* Make one of COUNT ROUTES, behind which is the smarthost of OLD, if it has
 * one. */
struct smtpd_route_table *smtpd__route_table_renew(
    const struct smtpd_route_table *old, const struct smtpd_route *routes,
    size_t count, struct smtpd_text *error);

/* One reference more, or less; NULL is fine. */
struct smtpd_route_table *smtpd__route_table_ref(struct smtpd_route_table *t);
void smtpd__route_table_unref(struct smtpd_route_table *t);

/* The first route of T for recipient RCPT of a message by SENDER; NULL: there
 * is none, it goes to the hosts of its domain. */
const struct smtpd_route_entry *smtpd__route_table_match(
    const struct smtpd_route_table *t, const char *sender, const char *rcpt);

/* Write the targets of E to T, as the program would, but for users. */
void smtpd__route_table_describe(
    const struct smtpd_route_entry *e, struct smtpd_text *t);

/* Whether a route of T depends on more than the domain of the recipient. */
bool smtpd__route_table_needs_envelopes(const struct smtpd_route_table *t);

/*
 * Write the key of the routes in T that mail to DOMAIN has to OUT, of
 * SMTPD_ROUTE_KEY_SIZE bytes: "" for none, and of several routes all, in their
 * order.  Without MAIL, what all mail to DOMAIN has, if that is known.
 */
#define SMTPD_ROUTE_KEY_SIZE 512
void smtpd__route_table_key(const struct smtpd_route_table *t,
    const char *domain, const struct smtpd_spool_addressees *mail, char *out);

#endif
