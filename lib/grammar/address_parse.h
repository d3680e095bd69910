/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_ADDRESS_PARSE_H
#define SMTPD_GRAMMAR_ADDRESS_PARSE_H

/* Path, Mailbox and Domain (RFC 5321, 4.1.2), also in UTF-8 (RFC 6531, 3.3);
 * address literal (RFC 5321, 4.1.3). */

#include <smtpd/address.h>

#include "base/arena.h"

/* Octets of a local part and of a domain.  RFC 5321, 4.5.3.1.1 says 64
 * and RFC 5321, 4.5.3.1.2 says 255; one should take more where that is
 * possible, as encoded return addresses are often longer. */
#define SMTPD_LOCAL_MAX  256
#define SMTPD_DOMAIN_MAX 255

enum smtpd_path_fault {
	SMTPD_PATH_OK,
	SMTPD_PATH_SYNTAX, /* not a path */
	SMTPD_PATH_UTF8,   /* the same, and it holds bytes outside ASCII: no
	                    * UTF-8, controls, or a domain without A-labels */
	SMTPD_PATH_TOO_LONG,
	SMTPD_PATH_NO_MEMORY,
};

/* What besides <local@domain> may stand there. */
enum smtpd_path_kind {
	SMTPD_PATH_REVERSE, /* MAIL: <> */
	SMTPD_PATH_FORWARD, /* RCPT: <postmaster> in any case of letters */
};

struct smtpd_path_rules {
	enum smtpd_path_kind kind;
	bool bare;          /* it may stand without angle brackets too */
	const char *domain; /* of a local part alone; NULL: that is no path */
};

/*
 * Read the path by RULES, in angle brackets, at the beginning of LEN bytes at
 * S; a source route in it is checked and left out.  Whether characters outside
 * ASCII are allowed there is the caller's to say.  On SMTPD_PATH_OK, OUT is
 * filled with texts in ARENA, as smtpd_address_parse() does, and *USED is the
 * length up to and with ">".
 */
enum smtpd_path_fault smtpd__address_parse_path(const char *s, size_t len,
    const struct smtpd_path_rules *rules, struct smtpd_arena *arena,
    struct smtpd_address *out, size_t *used);

/*
 * Whether LEN bytes at S are a name that we may give in EHLO: a Domain, where
 * "_" is taken as well because so many hosts have one, or an address literal.
 */
bool smtpd__address_parse_helo(const char *s, size_t len);

#endif
