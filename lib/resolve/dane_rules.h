/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_DANE_RULES_H
#define SMTPD_RESOLVE_DANE_RULES_H

/* What the security of each answer of the DNS means for DANE: two small tables,
 * without a look-up (RFC 7672, 2.2.3). */

#include <smtpd/policy.h>

#include <stdbool.h>

/* What an answer of the DNS is worth (RFC 7672, 2.1.1). */
enum smtpd_dane_state {
	SMTPD_DANE_SECURE,   /* with AD, from a server that is believed */
	SMTPD_DANE_INSECURE, /* without */
	SMTPD_DANE_BOGUS,    /* its signatures are wrong */
	SMTPD_DANE_FAILED,   /* there was none */
};

/* Where the records of a host are looked for. */
enum smtpd_dane_place {
	SMTPD_DANE_NOWHERE, /* it has none that count */
	SMTPD_DANE_AT_NAME, /* at its name as it was given */
	SMTPD_DANE_AT_END,  /* where its aliases lead, and then as above */
	SMTPD_DANE_NOT_NOW, /* the host is not to be used for now */
};

/*
 * Decide by the state of the HOST's addresses, whether its name IS_ALIAS, and
 * if so by that of the first ALIAS alone.
 */
enum smtpd_dane_place smtpd__dane_rules_place(
    enum smtpd_dane_state host, bool is_alias, enum smtpd_dane_state alias);

/* Decide by the state of the answer for the RECORDS, and whether there are
 * any. */
enum smtpd_dane_demand smtpd__dane_rules_demand(
    enum smtpd_dane_state records, bool any);

#endif
