/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_AGENT_STATE_H
#define SMTPD_QUEUE_DELIVERY_AGENT_STATE_H

/*
 * The inside of a agent: one request on its way over the hosts.  Which of them
 * is next is said by agent.c; agent_connect.c gets there, agent_send.c
 * hands over, agent_log.c tells of it.
 */

#include <smtpd/client.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/delivery/agent.h"

/* Recipients of one transaction (RFC 5321, 4.5.3.1.8 has all take 100). */
#define SMTPD_AGENT_RCPTS 50

/* Hosts that one request sessions to. */
#define SMTPD_AGENT_SESSIONS 3

/* A host as it was reached. */
struct smtpd_relay {
	char host[256];   /* "": none */
	char address[64]; /* "": there was no connection */
	uint16_t port;
	char tls[128]; /* "TLSv1.3/TLS_AES_128_GCM_SHA256/verified"; "none" */
};

struct smtpd_agent {
	const struct smtpd_agent_settings *set;

	/* What connects, and what it was made for; NULL: not made yet. */
	struct smtpd_client *client;
	enum smtpd_security security;
	const struct smtpd_smarthost *smarthost;

	/* The open connection; the site is NULL when there is none. */
	char *site;
	struct smtpd_relay stop;
	uint64_t opened;
	unsigned requests; /* that it served */

	/* Of the present transaction. */
	struct smtpd_outgoing_rcpt rcpts[SMTPD_AGENT_RCPTS];
	struct smtpd_result results[SMTPD_AGENT_RCPTS];
	size_t places[SMTPD_AGENT_RCPTS]; /* among those of the request */
};

/* The addresses of one host, those that are not bad first. */
struct smtpd_agent_host {
	const struct smtpd_target *targets;
	size_t count;
	bool bad; /* all of them are */
};

/* A recipient on the way. */
struct smtpd_rcpt_state {
	bool told;       /* a host has said something of it */
	bool settled;    /* no other host is asked */
	uint8_t put_off; /* hosts that did that */
	uint8_t stop;    /* where its result comes from */
};

/* Where recipients that were told nothing got their result. */
#define SMTPD_RELAY_FAILED SMTPD_AGENT_SESSIONS

struct smtpd_agent_attempt {
	struct smtpd_agent *agent;
	struct smtpd_delivery_request *request;
	struct smtpd_delivery_result *end;

	struct smtpd_target *targets; /* those of the route in another order */
	struct smtpd_agent_host *hosts;
	size_t nhosts;
	struct smtpd_rcpt_state *rcpt_states; /* one for each recipient */

	struct smtpd_relay stops[SMTPD_AGENT_SESSIONS + 1];
	size_t sessions;
	bool spoke;       /* the verdict is not about hosts out of reach */
	bool sent;        /* to some recipient */
	bool without_dsn; /* one host of those does not offer it */
	bool over;        /* trouble of our own: no other host is asked */
};

/* Put the hosts of the route in order.  Return 0, or -1 without memory. */
int smtpd__agent_hosts_order(struct smtpd_agent_attempt *t);

/* Connect to HOST, also without TLS where that is right.  Return 0, or -1 when
 * it came to nothing, which all who were told nothing yet get to know. */
int smtpd__agent_connect(
    struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host);

/* Whether a recipient has to go to another host. */
bool smtpd__agent_rules_is_pending(const struct smtpd_rcpt_state *p);

/*
 * Send to all who are pending over the open connection.  Return 0; or -1 when
 * that was OLD, and turned out to be closed before anything was said: then
 * nothing has happened.
 */
int smtpd__agent_send(struct smtpd_agent_attempt *t, bool old);

/* Take note of what a host means for the site; RESULT is the reason. */
void smtpd__agent_rules_judge(struct smtpd_agent_attempt *t,
    enum smtpd_site_feedback verdict, const char *host,
    const struct smtpd_result *result);

/* Make R temporary, whatever it was, and its status so, too. */
void smtpd__agent_rules_soften(struct smtpd_result *r);

/* Whether a result is about us: no host is to be blamed. */
bool smtpd__agent_rules_is_own(
    const struct smtpd_agent_attempt *t, const struct smtpd_result *r);

/* Whether the attempt was cancelled. */
bool smtpd__agent_rules_is_cancelled(const struct smtpd_agent_attempt *t);

/* Add a line to the history: where we are connected; what host STOP, or a host
 * for a recipient, said. */
void smtpd__agent_log_relay(
    struct smtpd_agent_attempt *t, const struct smtpd_relay *stop, bool old);
void smtpd__agent_log_result(struct smtpd_agent_attempt *t,
    const struct smtpd_relay *stop, const struct smtpd_result *result);
void smtpd__agent_log_rcpt(struct smtpd_agent_attempt *t, size_t place);

/* Log what became of each recipient. */
void smtpd__agent_log(const struct smtpd_agent_attempt *t);

#endif
