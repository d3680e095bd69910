/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TESTS_DNS_SERVER_H
#define SMTPD_TESTS_DNS_SERVER_H

/*
 * A DNS server on 127.0.0.1, over UDP and TCP at one port, in a thread of its
 * own, that answers what its caller says, and in the wrong way if wanted.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dns_packet.h"

struct dns_query {
	uint16_t id;
	unsigned type;
	char name[256]; /* in lower case */
	bool edns;
	bool unchecked; /* CD is set */
	bool tcp;
};

enum dns_how {
	DNS_SEND,
	DNS_SILENT,
	DNS_OTHER_PORT,   /* from a port that was not asked */
	DNS_AFTER_STRAYS, /* after some that are no answers */
	DNS_RESET,        /* TCP: reset the connection */
	DNS_HALF,         /* TCP: send the first half, and close */
	DNS_DRIP,         /* TCP: a byte at a time, slowly */
};

struct dns_reply {
	enum dns_how how;
	struct dns_packet p;
};

/* Write the answer to Q; REPLY has the header and the question already, of a
 * server that recurses. */
typedef void dns_answer_fn(
    void *user, const struct dns_query *q, struct dns_reply *reply);

struct dns_server;

struct dns_server *dns_server_start(dns_answer_fn *answer, void *user);
void dns_server_stop(struct dns_server *s);

/* "127.0.0.1:PORT". */
const char *dns_server_address(const struct dns_server *s);

/* How many questions came so far, over UDP and TCP. */
unsigned dns_server_questions(struct dns_server *s);

#endif
