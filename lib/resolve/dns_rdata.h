/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_DNS_RDATA_H
#define SMTPD_RESOLVE_DNS_RDATA_H

/* The data of records of an answer that is read, but for those with names. */

#include <arpa/nameser.h>

#include "resolve/dns_message.h"

/* Write the address of RR to TO.  Return false if it has not SIZE octets. */
bool smtpd__dns_rdata_address(
    const ns_rr *rr, size_t size, struct smtpd_dns_record *to);

/* Append the strings of a TXT record (RFC 1035, 3.3.14) to OUT, all or none.
 * Return whether they are there. */
bool smtpd__dns_rdata_strings(const ns_rr *rr, struct smtpd_dns_answer *out);

/* Append the data of a TLSA record to OUT in pieces, all or none; it may have
 * no data, and is one piece then.  Return whether they are there. */
bool smtpd__dns_rdata_pieces(const ns_rr *rr, struct smtpd_dns_answer *out);

#endif
