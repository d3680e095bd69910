/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_ADDRESS_KEY_H
#define SMTPD_GRAMMAR_ADDRESS_KEY_H

/* The forms of an address in UTF-8: the keys of smtpd/address.h by which its
 * parts are compared, and the one in ASCII. */

#include <smtpd/address.h>

/*
 * Return ADDRESS if it is ASCII, or if only SMTPUTF8 can carry it because its
 * local part is not; else write it with its domain in A-labels, which hosts
 * without SMTPUTF8 take as well (RFC 6531, 3.2), to BUF and return that.
 */
const char *smtpd__address_key_ascii(
    const char *address, char buf[SMTPD_ADDRESS_MAX]);

/* Whether only SMTPUTF8 can carry ADDRESS. */
bool smtpd__address_key_needs_utf8(const char *address);

#endif
