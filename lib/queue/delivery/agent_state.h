/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_AGENT_STATE_H
#define SMTPD_QUEUE_DELIVERY_AGENT_STATE_H

/*
 * An agent and one attempt of it, a request on its way over the hosts: what the
 * files agent_* share, and the rules that hold before, at and between hosts.
 */

#include <smtpd/client.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sizes.h"
#include "client/tls_policy.h"
#include "grammar/ehlo_limits.h"
#include "queue/delivery/agent.h"

/* Recipients of one transaction (RFC 5321, 4.5.3.1.8 has all take 100). */
#define SMTPD_AGENT_RCPTS 50

/* Hosts of a target of the route that one request is sent to at most. */
#define SMTPD_AGENT_SESSIONS 3

/* A recipient that was deferred is tried at one host more of the target. */
#define SMTPD_AGENT_DEFERRALS 2

/* A host as it was reached. */
struct smtpd_relay {
	char host[SMTPD_HOSTNAME_SIZE];        /* "": none */
	char address[SMTPD_ADDRESS_TEXT_SIZE]; /* "": there was no connection */
	uint16_t port;
	char tls[128]; /* "TLSv1.3/TLS_AES_128_GCM_SHA256/verified"; "none" */

	/* The levels of TLS that were wanted, and reached; NULL: there was no
	 * connection. */
	const char *wanted, *reached;
	const char *failure; /* of TLS, as reports call it; "": none */
	char record[SMTPD_TLS_OUTCOME_RECORD_MAX]; /* of TLSA, that matched */
};

/* A transaction: its message, and some recipients of that. */
struct smtpd_agent_mail {
	const struct smtpd_loaded_message *loaded;
	uint64_t at; /* how far the content was read */
	struct smtpd_outgoing message;
	struct smtpd_outgoing_envelope envelope;
	struct smtpd_outgoing_rcpt rcpts[SMTPD_AGENT_RCPTS];
	size_t places[SMTPD_AGENT_RCPTS]; /* among those of the request */
};

struct smtpd_agent {
	const struct smtpd_agent_settings *set;

	/* The client, NULL: not made yet; and the id of the hop whose protocol
	 * and password it has. */
	struct smtpd_client *client;
	uint64_t hop_id;

	/* The open connection, to that hop; the site is NULL when there is
	 * none. */
	char *site;
	char policy_id[SMTPD_TLS_POLICY_ID_SIZE];
	struct smtpd_relay relay;
	struct smtpd_target peer; /* len 0: none of the route's addresses */
	uint64_t opened;
	uint64_t used;      /* the last transaction ended */
	uint64_t opening;   /* that of the attempt that opened it */
	unsigned requests;  /* that it served */
	uint32_t mails;     /* transactions that were begun */
	uint32_t mails_max; /* of these; 0: any number */
	size_t rcpts_max;   /* in one transaction there */
	struct smtpd_ehlo_limits announced;
	bool lmtp;

	/* Of the present transaction: what the host offers, which is forgotten
	 * with its connection. */
	bool eight_bit; /* 8BITMIME */
	bool dsn;
	struct smtpd_agent_mail *mail;

	/* The present transaction, and the next one; and the message of that
	 * one, if it went ahead over the open connection; NULL. */
	struct smtpd_agent_mail slots[2];
	const struct smtpd_loaded_message *ahead;
};

/* The addresses of one host, those that are not down first. */
struct smtpd_agent_host {
	const struct smtpd_route_hop *hop; /* that it belongs to */
	const struct smtpd_target *targets;
	size_t count;
	uint64_t used; /* the last use of one of them; 0: none */
	bool down;     /* all of them are */
	bool last;     /* it lacks 8BITMIME: equal ones are asked before it */
};

/* A recipient on the way. */
struct smtpd_rcpt_state {
	bool has_result;  /* a host gave it */
	bool finished;    /* no other host is asked */
	bool left_over;   /* it waits for the next transaction there */
	uint8_t deferred; /* how many hosts did that */

	/* Likewise of each hop; SMTPD_AGENT_DEFERRALS: that is done with. */
	uint8_t put_off[SMTPD_ROUTE_TARGETS_MAX];
	uint8_t lacking; /* how many cannot take the message at all */
	uint8_t relay;   /* where its result comes from */
};

/* The relay of recipients that no host gave a result; those that gave one
 * follow. */
#define SMTPD_RELAY_FAILED 0

struct smtpd_agent_attempt {
	struct smtpd_agent *agent;
	struct smtpd_delivery_request *request;
	struct smtpd_delivery_result *end;
	const struct smtpd_cancel *cancel;

	struct smtpd_target *targets; /* those of the route in another order,
	                               * each with its port */
	struct smtpd_agent_host *hosts;
	size_t nhosts;
	struct smtpd_rcpt_state *rcpt_states; /* one for each recipient */

	struct smtpd_relay *relays; /* of the route's hops, in turn */
	size_t sessions;
	size_t hop; /* that is being tried */
	size_t hop_sessions[SMTPD_ROUTE_TARGETS_MAX];
	uint64_t began;   /* as smtpd__clock_ms() */
	uint64_t opening; /* the number of the use of the first host that was
	                   * asked; 0: none was */
	bool spoke;       /* the feedback is not about hosts out of reach */
	bool sent;        /* to some recipient */
	bool untold;      /* some of that the request was not told of yet */
	bool without_dsn; /* one host of those does not offer it */
	bool over;        /* a failure of our own: no other host is asked */
};

/* Whether the connection has had as many transactions as the request, or the
 * one before it, allows. */
bool smtpd__agent_state_is_full(const struct smtpd_agent *a);

/* As smtpd__agent_is_open(). */
bool smtpd__agent_state_is_open(const struct smtpd_agent *a);

/* Whether the recipient at PLACE of the request is to be sent to at the hop
 * that is being tried. */
bool smtpd__agent_state_is_waiting(
    const struct smtpd_agent_attempt *t, size_t place);

/* Whether the open connection is to a hop of the route of REQUEST: one in plain
 * text since TLS failed serves only messages that need not wait for TLS. */
bool smtpd__agent_state_is_on_route(
    const struct smtpd_agent *a, const struct smtpd_delivery_request *request);

/* Whether R says that the host cannot take such a message, as its offer lacks
 * SMTPUTF8, 8BITMIME, REQUIRETLS or a larger SIZE: another may. */
bool smtpd__agent_state_is_lack(const struct smtpd_result *r);

/* Whether R is a failure of our own (cancelled, out of memory), not the
 * host's. */
bool smtpd__agent_state_is_own(
    const struct smtpd_agent_attempt *t, const struct smtpd_result *r);

/* Make R temporary, whatever it was, and its status too. */
void smtpd__agent_state_soften(struct smtpd_result *r);

/* Record what HOST means for the site, and RESULT as the reason.  The last host
 * that spoke decides; those out of reach only when none did. */
void smtpd__agent_state_judge(struct smtpd_agent_attempt *t,
    enum smtpd_site_feedback feedback, const char *host,
    const struct smtpd_result *result);

/* Note what R, a reply, shows of the site's limits. */
void smtpd__agent_state_note_sign(
    struct smtpd_agent_attempt *t, const struct smtpd_result *r);

/* Say in history and log that the host got the content converted, or as it is
 * though it lacks something. */
void smtpd__agent_state_log_conversion(const struct smtpd_agent_attempt *t);

/* Tell the request what was sent to since it was last told. */
void smtpd__agent_state_tell_sent(struct smtpd_agent_attempt *t);

/* Send QUIT if a connection is open, and forget what went ahead there. */
void smtpd__agent_state_quit(struct smtpd_agent *a);

/* Add to the history where the agent is connected; REUSED: it was before. */
void smtpd__agent_state_log_relay(
    const struct smtpd_agent_attempt *t, bool reused);

/* The host at RELAY is of no use, as RESULT says: not for good, whatever it
 * thinks of us.  That is the result of all recipients without one. */
void smtpd__agent_state_fail_host(struct smtpd_agent_attempt *t,
    const struct smtpd_relay *relay, const struct smtpd_result *result);

#endif
