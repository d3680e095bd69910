/* SPDX-License-Identifier: MIT */
#include "resolve/dane_rules.h"

enum smtpd_dane_place
smtpd__dane_rules_place(
    enum smtpd_dane_state host, bool is_alias, enum smtpd_dane_state alias)
{
	if (host == SMTPD_DANE_BOGUS || host == SMTPD_DANE_FAILED)
		return SMTPD_DANE_NOT_NOW;
	if (!is_alias)
		return host == SMTPD_DANE_SECURE ? SMTPD_DANE_AT_NAME
						 : SMTPD_DANE_NOWHERE;
	if (host == SMTPD_DANE_SECURE)
		return SMTPD_DANE_AT_END;
	if (alias == SMTPD_DANE_INSECURE)
		return SMTPD_DANE_NOWHERE;
	return alias == SMTPD_DANE_SECURE ? SMTPD_DANE_AT_NAME
					  : SMTPD_DANE_NOT_NOW;
}

enum smtpd_dane_demand
smtpd__dane_rules_demand(enum smtpd_dane_state records, bool any)
{
	if (records == SMTPD_DANE_BOGUS || records == SMTPD_DANE_FAILED)
		return SMTPD_DANE_LATER;
	return records == SMTPD_DANE_SECURE && any ? SMTPD_DANE_RECORDS
						   : SMTPD_DANE_NOTHING;
}
