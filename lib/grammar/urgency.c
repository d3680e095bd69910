/* SPDX-License-Identifier: MIT */
#include "grammar/urgency.h"

#include <string.h>

#include "base/text.h"

/* Read 1*9DIGIT at *S, which moves behind them. */
static int
take_seconds(const char **s, uint32_t *seconds)
{
	size_t len = 0;

	*seconds = 0;
	for (; smtpd__text_is_digit((unsigned char)(*s)[len]); len++) {
		if (len == 9)
			return -1;
		*seconds = *seconds * 10 + (uint32_t)((*s)[len] - '0');
	}
	*s += len;
	return len > 0 ? 0 : -1;
}

/* by-value = by-time ";" by-mode [by-trace], by-time = ["-" / "+"] 1*9digit
 * (RFC 2852, 4) */
int
smtpd__urgency_read_by(const char *value, struct smtpd_deliver_by *by)
{
	const char *at = value;
	bool negative;
	uint32_t seconds;

	if (at == NULL)
		return -1;
	negative = *at == '-';
	if (negative || *at == '+')
		at++;
	if (take_seconds(&at, &seconds) == -1)
		return -1;
	by->seconds = negative ? -(int32_t)seconds : (int32_t)seconds;
	by->trace = strlen(at) == 3;
	if (smtpd__text_same_bytes(at, ";R", 2))
		by->mode = SMTPD_BY_RETURN;
	else if (smtpd__text_same_bytes(at, ";N", 2))
		by->mode = SMTPD_BY_NOTIFY;
	else
		return -1;
	if (by->trace ? !smtpd__text_same(at + 2, "T") : at[2] != '\0')
		return -1;
	return by->mode == SMTPD_BY_RETURN && by->seconds <= 0 ? -1 : 0;
}

/* future-release-integer = %x31-39 *8DIGIT (RFC 4865, 3) */
int
smtpd__urgency_read_holdfor(const char *value, uint32_t *seconds)
{
	if (value == NULL || *value == '0' ||
	    take_seconds(&value, seconds) == -1)
		return -1;
	return *value == '\0' ? 0 : -1;
}

/* priority-value = (["-"] NZDIGIT) / "0" (RFC 6710, 3) */
int
smtpd__urgency_read_priority(const char *value, int *priority)
{
	bool negative = value != NULL && *value == '-';
	const char *digit = negative ? value + 1 : value;

	if (digit == NULL || !smtpd__text_is_digit((unsigned char)*digit) ||
	    digit[1] != '\0' || (negative && *digit == '0'))
		return -1;
	*priority = negative ? '0' - *digit : *digit - '0';
	return 0;
}

bool
smtpd__urgency_is_policy(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		if (!smtpd__text_is_alnum((unsigned char)name[i]) &&
		    name[i] != '-')
			return false;
	}
	return len > 0 && len < SMTPD_PRIORITY_POLICY_SIZE;
}
