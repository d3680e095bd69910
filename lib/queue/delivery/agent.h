/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_AGENT_H
#define SMTPD_QUEUE_DELIVERY_AGENT_H

/*
 * One attempt: the recipients of a job, over the hosts of their route.  An
 * agent belongs to one worker, and may keep a connection open from one job to
 * the next.
 *
 * - Hosts are tried in their order, those that are down (hoststat.h) last; of
 *   equal preference, and of the addresses of one host and family, the one that
 *   was not used for the longest time is the first.  A recipient that one of
 *   them accepted, or refused for good, is never sent to another; one that was
 *   deferred (4xx) is tried at one host more of the same target of the route,
 *   and then at the next target.  At most three hosts of a target reply to a
 *   request; any number is connected to in vain.
 * - A message over an open connection costs one round trip where its host
 *   offers PIPELINING: its commands go with the end of the content before it,
 *   if that is for the same route.  Its own content waits until the caller
 *   knows, and has recorded, what became of the one before.
 * - At most 50 recipients go in one transaction, and as many transactions
 *   over one connection as the request says.
 * - A reply that surely says that messages come too fast (throttle.h) speaks
 *   for all hosts of its target: no other one of these is asked.
 * - 8-bit content goes to a host without 8BITMIME, which gets it converted
 *   (RFC 6152, 3), when no other of equal preference offers that.
 * - A greeting of 5xx, and 421, lead to the next host.  A login that fails with
 *   what the program gives does not: the recipients are held (client/result.h).
 * - Where TLS is opportunistic and fails, the next host is tried; a message
 *   that has waited long enough goes to the same host again in plain text, at
 *   once.  Never where TLS is required, nor with AUTH, nor where it worked
 *   before.  A host that did TLS before and does not offer it now is treated
 *   likewise, or gets nothing in plain text, by setting.
 * - A connection serves at most 100 messages and 300 seconds, of routes of the
 *   same site and policy of TLS; five messages, if a host or address that is
 *   as good got none meanwhile.
 */

#include <smtpd/queue.h>

#include "base/logger.h"
#include "base/text.h"
#include "queue/delivery/hoststat.h"
#include "queue/delivery/route.h"
#include "queue/delivery/tls_memory.h"
#include "queue/model/loaded_message.h"
#include "queue/schedule/schedule.h"
#include "queue/schedule/shaping.h"
#include "queue/spool/spool.h"

struct smtpd_agent;
struct smtpd_tlsrpt;

/* Settings that agents share. */
struct smtpd_agent_settings {
	const struct smtpd_client_settings *client; /* with cancel */
	struct smtpd_hoststat *hosts;
	struct smtpd_tlsrpt *tlsrpt; /* NULL: sessions are not counted */
	struct smtpd_logger logger;  /* a line per recipient and attempt */

	/* The hosts that did TLS; NULL: nobody remembers.  When one does not
	 * offer STARTTLS any more, mail for it waits: until it does if
	 * TLS_LOST_DEFER. */
	struct smtpd_tls_memory *memory;
	bool tls_lost_defer;
};

/* NULL without memory.  SETTINGS must live as long. */
struct smtpd_agent *smtpd__agent_create(
    const struct smtpd_agent_settings *settings);

/* Close the connection without QUIT, and free A. */
void smtpd__agent_destroy(struct smtpd_agent *a);

/* A request to an agent. */
struct smtpd_delivery_request {
	const struct smtpd_loaded_message *loaded;
	const struct smtpd_found_route *route; /* FOUND */
	bool plain_allowed; /* it has waited long enough for plain text, if
	                     * TLS fails */

	/* The recipients: rcpt is set in each, the rest is filled in. */
	struct smtpd_rcpt_progress *rcpts;
	size_t nrcpts;

	/* Lines are added for each host, its TLS, and each reply. */
	struct smtpd_text *history;

	/* Called before anything else is begun, a transaction or another host,
	 * when some recipients were sent to; DSN as below.  NULL: not called.
	 */
	void (*sent)(void *user, bool dsn);

	/*
	 * Asked, when the last content is being sent and each recipient of it
	 * was accepted, for the next request of this agent, over the same
	 * route.  Its message then goes ahead up to its content: that follows
	 * when smtpd__agent_deliver() is called with a request that has the
	 * same loaded message, unless the connection was left.  Of the next
	 * one's recipients only rcpt is read.  May return NULL.  NULL: not
	 * asked.
	 */
	const struct smtpd_delivery_request *(*next)(void *user);
	void *user;
	unsigned attempt; /* which one it is, for the log; 0: not told */

	/* Transactions in a connection, and recipients in one of them; 0: as
	 * many as there may be. */
	uint32_t mails_max;
	uint32_t rcpts_max;
};

/* The result, besides those of the recipients. */
struct smtpd_delivery_result {
	enum smtpd_site_feedback feedback;
	struct smtpd_result why; /* when the site is down or busy */
	bool dsn;      /* the host that took recipients over offers DSN, so it
	              * reports success itself (RFC 3461, 5.2.1) */
	bool in_doubt; /* a reply to the dot was lost */
	struct smtpd_shaping_signs signs; /* of limits */
	uint64_t took_ms;
};

/* Deliver.  Blocks. */
void smtpd__agent_deliver(struct smtpd_agent *a,
    struct smtpd_delivery_request *request, struct smtpd_delivery_result *end);

/* No more request is for the message LOADED, which is to be freed: leave the
 * connection, if it went ahead there and its content did not follow. */
void smtpd__agent_forget(
    struct smtpd_agent *a, const struct smtpd_loaded_message *loaded);

/* Whether a connection is open that can serve another message. */
bool smtpd__agent_is_open(const struct smtpd_agent *a);

#endif
