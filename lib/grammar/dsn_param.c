/* SPDX-License-Identifier: MIT */
#include "grammar/dsn_param.h"

#include <string.h>

#include "base/text.h"
#include "grammar/unitext.h"
#include "grammar/xtext.h"

/* The bit that LEN bytes at S stand for, or 0. */
static unsigned
notify_bit(const char *s, size_t len)
{
	static const struct {
		const char *name;
		unsigned bit;
	} names[] = {
		{ "NEVER", SMTPD_NOTIFY_NEVER },
		{ "SUCCESS", SMTPD_NOTIFY_SUCCESS },
		{ "FAILURE", SMTPD_NOTIFY_FAILURE },
		{ "DELAY", SMTPD_NOTIFY_DELAY },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (len == strlen(names[i].name) &&
		    smtpd__text_same_bytes(s, names[i].name, len))
			return names[i].bit;
	}
	return 0;
}

/* notify-esmtp-value = "NEVER" / 1#notify-list-element */
int
smtpd__dsn_param_notify_parse(const char *value, unsigned *notify)
{
	unsigned bits = 0;

	if (value == NULL)
		return -1;
	for (;;) {
		size_t len = strcspn(value, ",");
		unsigned bit = notify_bit(value, len);

		if (bit == 0)
			return -1;
		bits |= bit;
		if (value[len] == '\0')
			break;
		value += len + 1;
	}
	if ((bits & SMTPD_NOTIFY_NEVER) != 0 && bits != SMTPD_NOTIFY_NEVER)
		return -1;
	*notify = bits;
	return 0;
}

int
smtpd__dsn_param_ret_parse(const char *value, enum smtpd_ret *ret)
{
	if (value == NULL)
		return -1;
	if (smtpd__text_same(value, "FULL"))
		*ret = SMTPD_RET_FULL;
	else if (smtpd__text_same(value, "HDRS"))
		*ret = SMTPD_RET_HDRS;
	else
		return -1;
	return 0;
}

/* Whether S is xtext of 1 to MAX printable characters. */
static bool
is_printable_xtext(const char *s, size_t max)
{
	char decoded[SMTPD_ORCPT_MAX + 1];
	int len = smtpd__xtext_decode(s, strlen(s), decoded, max + 1);

	for (int i = 0; i < len; i++) {
		if (decoded[i] < ' ' || decoded[i] > '~')
			return false;
	}
	return len > 0;
}

bool
smtpd__dsn_param_envid_is_valid(const char *value)
{
	return value != NULL && is_printable_xtext(value, SMTPD_ENVID_MAX);
}

/* utf-8-enc-addr (RFC 6533, 3), and what says that it is one, but is not: xtext
 * of the kind that others have. */
static bool
is_utf8_address(const char *s)
{
	char decoded[SMTPD_ORCPT_MAX + 1];

	return smtpd__unitext_decode(s, strlen(s), decoded, sizeof(decoded)) >
	    0 ||
	    is_printable_xtext(s, SMTPD_ORCPT_MAX);
}

/* original-recipient-address = addr-type ";" xtext, addr-type = atom */
bool
smtpd__dsn_param_orcpt_is_valid(const char *value)
{
	const char *semicolon = value != NULL ? strchr(value, ';') : NULL;

	if (semicolon == NULL || semicolon == value ||
	    strlen(value) > SMTPD_ORCPT_MAX)
		return false;
	for (const char *at = value; at < semicolon; at++) {
		if (*at <= ' ' || *at > '~' ||
		    strchr("()<>@,:\\\".[]", *at) != NULL)
			return false;
	}
	if (smtpd__dsn_param_orcpt_is_utf8(value))
		return is_utf8_address(semicolon + 1);
	return is_printable_xtext(semicolon + 1, SMTPD_ORCPT_MAX);
}

bool
smtpd__dsn_param_orcpt_is_utf8(const char *value)
{
	static const char type[] = "utf-8;";

	return strlen(value) >= strlen(type) &&
	    smtpd__text_same_bytes(value, type, strlen(type));
}

bool
smtpd__dsn_param_is_valid(const char *name, const char *value)
{
	enum smtpd_ret ret;
	unsigned notify;

	if (strcmp(name, "NOTIFY") == 0)
		return smtpd__dsn_param_notify_parse(value, &notify) == 0;
	if (strcmp(name, "RET") == 0)
		return smtpd__dsn_param_ret_parse(value, &ret) == 0;
	if (strcmp(name, "ENVID") == 0)
		return smtpd__dsn_param_envid_is_valid(value);
	return strcmp(name, "ORCPT") == 0 &&
	    smtpd__dsn_param_orcpt_is_valid(value);
}

bool
smtpd__dsn_param_is_wanted(unsigned notify, enum smtpd_dsn_action action)
{
	if (notify == 0)
		notify = SMTPD_NOTIFY_FAILURE | SMTPD_NOTIFY_DELAY;
	switch (action) {
	case SMTPD_DSN_FAILED:
		return (notify & SMTPD_NOTIFY_FAILURE) != 0;
	case SMTPD_DSN_DELAYED:
		return (notify & SMTPD_NOTIFY_DELAY) != 0;
	case SMTPD_DSN_RELAYED:
	case SMTPD_DSN_DELIVERED:
		return (notify & SMTPD_NOTIFY_SUCCESS) != 0;
	}
	return false;
}
