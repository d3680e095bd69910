/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_ADDRESS_FIELD_H
#define SMTPD_GRAMMAR_ADDRESS_FIELD_H

/*
 * The addresses in a field of the header (RFC 5322, 3.4; RFC 5322, 4.4), made
 * ones that other hosts can use (RFC 6409, 8.5) while the field passes through
 * in pieces of any size: those without a domain get one, and the domain of
 * senders may be hidden behind another.  All else stays as it is, and so does
 * what is no address.
 */

#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/sink.h"
#include "grammar/fields.h"

/* Octets of one address with its name and comments; a longer one stays as it
 * is. */
#define SMTPD_ADDRESS_FIELD_MAX 2048

/* The domains of this host; the texts must last as long as the fields. */
struct smtpd_address_domains {
	const char *domain; /* for addresses without one, or in "localhost" */
	const char *hidden; /* for those of senders in DOMAIN or HOST too; NULL:
	                     * they are shown */
	const char *host;
};

enum smtpd_address_field_kind {
	SMTPD_ADDRESS_FIELD_NONE,   /* it holds no addresses */
	SMTPD_ADDRESS_FIELD_SENDER, /* From, Sender, Reply-To, and those of
	                             * Resent- */
	SMTPD_ADDRESS_FIELD_RCPT,   /* To, Cc, Bcc, likewise */
};

struct smtpd_address_field {
	const struct smtpd_address_domains *domains;
	enum smtpd_address_field_kind kind;
	smtpd_sink_fn *sink;
	void *user;
	char text[SMTPD_ADDRESS_FIELD_MAX]; /* the present element */
	size_t len;
	bool too_long;  /* the beginning of it is gone already */
	char enclosing; /* what ends a quoted string or a literal; 0 */
	int depth;      /* of comments */
	bool escaped;
	bool angle; /* between "<" and ">" */
};

/* The kind of the field that P, a SMTPD_FIELDS_NAME, begins. */
enum smtpd_address_field_kind smtpd__address_field_kind(
    const struct smtpd_piece *p);

/* Begin the value of a field of KIND, which is not NONE; it goes to SINK with
 * USER. */
void smtpd__address_field_begin(struct smtpd_address_field *f,
    const struct smtpd_address_domains *domains,
    enum smtpd_address_field_kind kind, smtpd_sink_fn *sink, void *user);

/* Pass on LEN bytes at DATA, and at the end what is left.  Return 0, or -1 once
 * the sink did. */
int smtpd__address_field_feed(
    struct smtpd_address_field *f, const char *data, size_t len);
int smtpd__address_field_end(struct smtpd_address_field *f);

/* The domain in the place of DOMAIN, of LEN bytes, in an address of a sender or
 * not; NULL: it stays. */
const char *smtpd__address_field_domain(const struct smtpd_address_domains *d,
    bool sender, const char *domain, size_t len);

#endif
