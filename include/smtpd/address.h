/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_ADDRESS_H
#define SMTPD_ADDRESS_H

/*
 * Mail addresses, and the rules by which they are compared without regard to
 * the case of letters.
 */

#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A mail address, in the parts that a program decides by (RFC 5321, 4.1.2).
 * The texts are NUL-terminated, ASCII or UTF-8 (RFC 6531, 3.3), and hold no
 * control character.  In a handler they
 * belong to the library, see session.h.
 */
struct smtpd_address {
	const char *text;   /* local@domain as it was written, but without
	                     * angle brackets, source route and a last dot of
	                     * the domain, and with the quotes that dots in
	                     * "a..b" and "a." need; "" is the null path <> */
	const char *local;  /* the local part, its quoting removed: it may hold
	                     * "/" and be "..", so it is no file name */
	const char *domain; /* the domain or [address literal] as in text; ""
	                     * for <> and for <postmaster> */
	bool literal;       /* domain is an address literal */
};

/* A buffer of this many bytes is large enough for any address. */
#define SMTPD_ADDRESS_MAX 1600

/*
 * Read one mailbox, local@domain, that fills TEXT (no angle brackets, no
 * source route, no white space around it).  The parts are written to BUF of
 * SIZE bytes, and OUT points into it:
 *
 *	char buf[SMTPD_ADDRESS_MAX];
 *	struct smtpd_address a;
 *
 *	if (smtpd_address_parse("user@example.org", buf, sizeof(buf), &a) == 0)
 *		puts(a.domain);
 *
 * Characters outside ASCII are UTF-8, and a domain with some has A-labels: none
 * has, where the library was built without libidn2 and libunistring.  Beyond
 * RFC 5321, "_" is a letter in domains, a domain may end in a dot, and
 * dots may stand anywhere in a local part.  Return 0, or -1 with errno: EINVAL
 * when TEXT is not a mailbox, ERANGE when BUF is too small.  Any thread.
 * Since 0.1.
 */
SMTPD_API int smtpd_address_parse(
    const char *text, char *buf, size_t size, struct smtpd_address *out);

/*
 * Write the ASCII letters of TEXT in lower case to BUF of SIZE bytes,
 * whatever the locale says: the key for a look-up.  Return the length, or -1
 * with errno ERANGE when it does not fit.  Any thread.  Since 0.1.
 */
SMTPD_API int smtpd_ascii_lower(const char *text, char *buf, size_t size);

/*
 * Write LOCAL, a local part, to BUF of SIZE bytes as a key for a look-up: in
 * lower case, whatever the locale says, and, where it is outside ASCII, in
 * Normalization Form C.  Return the length, or -1 with errno: EINVAL when it is
 * not UTF-8, or the library was built without libidn2 and libunistring; ERANGE
 * when it does not fit.  Any thread.  Since 0.2.
 */
SMTPD_API int smtpd_address_local_key(
    const char *local, char *buf, size_t size);

/* The same for a domain, whose key is in A-labels: all spellings of one in
 * U-labels have the same.  Since 0.2. */
SMTPD_API int smtpd_address_domain_key(
    const char *domain, char *buf, size_t size);

/*
 * Write TEXT, an address for instance, to BUF of SIZE bytes so that it can
 * stand between "<" and ">" in a line of a log, and return BUF: a blank, "<",
 * ">", "\\" and what is not printable ASCII become \xhh, so "c d"@x is
 * "c\x20d"@x.  What does not fit is left out.  Since 0.2.
 */
SMTPD_API const char *smtpd_address_escape(
    const char *text, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
