/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_AGENT_STATE_H
#define SMTPD_QUEUE_DELIVERY_AGENT_STATE_H

/*
 * The inside of a courier: one errand on its way over the hosts.  Which of them
 * is next is said by courier.c; courier_connect.c gets there, courier_send.c
 * hands over, courier_log.c tells of it.
 */

#include <smtpd/client.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/delivery/agent.h"

/* Recipients of one transaction (RFC 5321, 4.5.3.1.8 has all take 100). */
#define SMTPD_TOUR_RCPTS 50

/* Hosts that one errand talks to. */
#define SMTPD_TOUR_TALKS 3

/* A host as it was reached. */
struct smtpd_stop {
	char host[256];   /* "": none */
	char address[64]; /* "": there was no connection */
	uint16_t port;
	char tls[128]; /* "TLSv1.3/TLS_AES_128_GCM_SHA256/verified"; "none" */
};

struct smtpd_courier {
	const struct smtpd_courier_settings *set;

	/* What connects, and what it was made for; NULL: not made yet. */
	struct smtpd_client *client;
	enum smtpd_security security;
	const struct smtpd_smarthost *smarthost;

	/* The open connection; the site is NULL when there is none. */
	char *site;
	struct smtpd_stop stop;
	uint64_t opened;
	unsigned errands; /* that it served */

	/* Of the present transaction. */
	struct smtpd_outgoing_rcpt rcpts[SMTPD_TOUR_RCPTS];
	struct smtpd_result results[SMTPD_TOUR_RCPTS];
	size_t places[SMTPD_TOUR_RCPTS]; /* among those of the errand */
};

/* The addresses of one host, those that are not bad first. */
struct smtpd_tour_host {
	const struct smtpd_target *targets;
	size_t count;
	bool bad; /* all of them are */
};

/* A recipient on the way. */
struct smtpd_parcel {
	bool told;       /* a host has said something of it */
	bool settled;    /* no other host is asked */
	uint8_t put_off; /* hosts that did that */
	uint8_t stop;    /* where its result comes from */
};

/* Where recipients that were told nothing got their result. */
#define SMTPD_STOP_FAILED SMTPD_TOUR_TALKS

struct smtpd_tour {
	struct smtpd_courier *courier;
	struct smtpd_errand *errand;
	struct smtpd_errand_end *end;

	struct smtpd_target *targets; /* those of the route in another order */
	struct smtpd_tour_host *hosts;
	size_t nhosts;
	struct smtpd_parcel *parcels; /* one for each recipient */

	struct smtpd_stop stops[SMTPD_TOUR_TALKS + 1];
	size_t talks;
	bool spoke;       /* the verdict is not about hosts out of reach */
	bool sent;        /* to some recipient */
	bool without_dsn; /* one host of those does not offer it */
	bool over;        /* trouble of our own: no other host is asked */
};

/* Put the hosts of the route in order.  Return 0, or -1 without memory. */
int smtpd_tour_order(struct smtpd_tour *t);

/* Connect to HOST, also without TLS where that is right.  Return 0, or -1 when
 * it came to nothing, which all who were told nothing yet get to know. */
int smtpd_tour_connect(
    struct smtpd_tour *t, const struct smtpd_tour_host *host);

/* Whether a recipient has to go to another host. */
bool smtpd_tour_is_pending(const struct smtpd_parcel *p);

/*
 * Send to all who are pending over the open connection.  Return 0; or -1 when
 * that was OLD, and turned out to be closed before anything was said: then
 * nothing has happened.
 */
int smtpd_tour_send(struct smtpd_tour *t, bool old);

/* Take note of what a host means for the site; RESULT is the reason. */
void smtpd_tour_judge(struct smtpd_tour *t, enum smtpd_site_verdict verdict,
    const char *host, const struct smtpd_result *result);

/* Make R temporary, whatever it was, and its status so, too. */
void smtpd_tour_soften(struct smtpd_result *r);

/* Whether a result is about us: no host is to be blamed. */
bool smtpd_tour_is_own(
    const struct smtpd_tour *t, const struct smtpd_result *r);

/* Whether the tour was cancelled. */
bool smtpd_tour_is_cancelled(const struct smtpd_tour *t);

/* Add a line to the trail: where we are connected; what host STOP, or a host
 * for a recipient, said. */
void smtpd_tour_tell_stop(
    struct smtpd_tour *t, const struct smtpd_stop *stop, bool old);
void smtpd_tour_tell_result(struct smtpd_tour *t, const struct smtpd_stop *stop,
    const struct smtpd_result *result);
void smtpd_tour_tell_rcpt(struct smtpd_tour *t, size_t place);

/* Log what became of each recipient. */
void smtpd_tour_log(const struct smtpd_tour *t);

#endif
