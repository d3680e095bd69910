/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_DNS_MESSAGE_H
#define SMTPD_RESOLVE_DNS_MESSAGE_H

/*
 * Messages of the DNS (RFC 1035, RFC 6891): questions are written, answers
 * are read.  Nothing is sent here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for a name as text, with its NUL; more than a host name can have, as
 * bytes that are no text take four each. */
#define SMTPD_DNS_NAME_MAX 1025

/* Room for the name of a host, with its NUL. */
#define SMTPD_DNS_HOST_MAX 254

/* Records of one answer that are kept. */
#define SMTPD_DNS_RECORDS_MAX 256

/* Room for a question. */
#define SMTPD_DNS_QUERY_MAX 512

/* Room for an answer. */
#define SMTPD_DNS_MESSAGE_MAX 65535

enum smtpd_dns_type {
	SMTPD_DNS_A = 1,
	SMTPD_DNS_CNAME = 5, /* that of the name itself: none is followed */
	SMTPD_DNS_PTR = 12,
	SMTPD_DNS_MX = 15,
	SMTPD_DNS_TXT = 16,
	SMTPD_DNS_AAAA = 28,
	SMTPD_DNS_TLSA = 52,
};

enum smtpd_dns_status {
	SMTPD_DNS_FOUND,    /* there are records */
	SMTPD_DNS_NODATA,   /* the name has none of this type */
	SMTPD_DNS_NXDOMAIN, /* there is no such name */
	SMTPD_DNS_FAILED,   /* anything else: there is no clear answer */
};

struct smtpd_dns_record {
	uint16_t preference; /* of an MX */
	uint8_t text_len;    /* of TXT and TLSA */
	bool begins;         /* of TXT and TLSA: the piece is the first of its
	                      * record, and those behind it up to the next such
	                      * one belong to it */
	union {
		/* MX, CNAME, PTR: without a last dot; "" for the root, "." for
		 * what is longer than a host's name can be. */
		char host[SMTPD_DNS_HOST_MAX];
		unsigned char address[16]; /* A has 4 of them */
		char text[255]; /* TXT: one of the strings of a record; TLSA:
		                 * a piece of its data */
	};
};

struct smtpd_dns_answer {
	enum smtpd_dns_status status;
	const char *reason; /* why it failed; a constant */
	bool silent;        /* it failed as no server answered */
	bool cached;        /* it was given earlier */
	bool authenticated; /* the AD bit was set, by a server that is
	                     * believed */
	bool claimed;       /* it was set, by whatever server */
	bool alias;         /* the name that was asked for is one */
	bool damaged;       /* records besides these could not be read */
	uint32_t ttl_s;     /* 0: not to be kept */
	size_t count;
	struct smtpd_dns_record records[];
};

/* The size of an answer with COUNT records. */
size_t smtpd__dns_message_answer_size(size_t count);

struct smtpd_dns_question {
	char name[SMTPD_DNS_HOST_MAX]; /* absolute, without a last dot */
	enum smtpd_dns_type type;
	uint16_t id;
	bool edns;
	bool alone;     /* nobody but the server that answers can be asked */
	bool unchecked; /* the server is to check no signatures (CD): what it
	                 * says is not authentic */
};

/* Write Q to BUF of SMTPD_DNS_QUERY_MAX bytes; return its length, or 0 when
 * the name cannot be asked for. */
size_t smtpd__dns_message_write(
    const struct smtpd_dns_question *q, unsigned char *buf);

enum smtpd_dns_reading {
	SMTPD_DNS_STRAY,   /* no answer to this question */
	SMTPD_DNS_CUT,     /* to be asked for over TCP */
	SMTPD_DNS_NO_EDNS, /* the server may not know EDNS */
	SMTPD_DNS_UNCLEAR, /* an answer that says nothing: `reason` is set */
	SMTPD_DNS_ALIAS,   /* the name is an alias of one that the answer does
	                    * not go on with */
	SMTPD_DNS_CLEAR,   /* all but `authenticated` holds */
};

/* CNAMEs one after the other, in one answer or several. */
#define SMTPD_DNS_ALIASES_MAX 8

/* State that is carried from one answer to the next: begins with zeros. */
struct smtpd_dns_chain {
	unsigned aliases;              /* that were followed */
	uint32_t ttl_s;                /* of the shortest lived among them */
	char name[SMTPD_DNS_NAME_MAX]; /* the last */
};

/*
 * Read LEN bytes at MSG as the answer to Q into OUT, which has room for
 * SMTPD_DNS_RECORDS_MAX records, following aliases with CHAIN.  *AD tells the
 * server's claim that the data is authentic.
 */
enum smtpd_dns_reading smtpd__dns_message_read(
    const struct smtpd_dns_question *q, const unsigned char *msg, size_t len,
    struct smtpd_dns_chain *chain, struct smtpd_dns_answer *out, bool *ad);

#endif
