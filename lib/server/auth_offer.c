/* SPDX-License-Identifier: MIT */
#include "server/auth_offer.h"

#include <string.h>

/* The length of the name at *LIST, which moves to it over blanks; 0 at the
 * end. */
static size_t
next_name(const char **list)
{
	while (**list == ' ')
		*list += 1;
	return strcspn(*list, " ");
}

/* sasl-mech = 1*20mech-char (RFC 4422, 3.1) */
static bool
is_mechanism(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((name[i] < 'A' || name[i] > 'Z') &&
		    !smtpd__text_is_digit(name[i]) && name[i] != '-' &&
		    name[i] != '_')
			return false;
	}
	return len <= SMTPD_MECHANISM_MAX;
}

bool
smtpd__auth_offer_is_valid(const char *list)
{
	size_t len;

	while ((len = next_name(&list)) > 0) {
		if (!is_mechanism(list, len))
			return false;
		list += len;
	}
	return true;
}

/* Whether the library can do what mechanism NAME of LEN bytes takes. */
static bool
is_possible(const char *name, size_t len)
{
	static const char scram[] = "SCRAM-SHA-256";

	return len != strlen(scram) || memcmp(name, scram, len) != 0 ||
	    smtpd_tls_supported();
}

/* Whether MECHANISM is in LIST, and possible. */
static bool
has_mechanism(const char *list, const char *mechanism)
{
	size_t len;

	while ((len = next_name(&list)) > 0) {
		if (len == strlen(mechanism) &&
		    memcmp(list, mechanism, len) == 0)
			return is_possible(list, len);
		list += len;
	}
	return false;
}

bool
smtpd__auth_offer_exists(const struct smtpd_session *s)
{
	return s->config->auth_mechanisms[0] != '\0';
}

enum smtpd_reply_key
smtpd__auth_offer_refusal(const struct smtpd_session *s, const char *mechanism)
{
	const struct smtpd_server_config *c = s->config;
	bool plain_allowed =
	    (c->settings.flags & SMTPD_FLAG_AUTH_WITHOUT_TLS) != 0;

	if (!s->esmtp)
		return SMTPD_REPLY_EHLO_FIRST;
	if (s->user != NULL)
		return SMTPD_REPLY_AUTH_TWICE;
	if (s->open)
		return SMTPD_REPLY_AUTH_IN_TRANSACTION;
	if (s->stream.tls == NULL && !plain_allowed)
		return SMTPD_REPLY_AUTH_NEEDS_TLS;
	/* Without a list the handlers know their mechanisms. */
	if (mechanism != NULL && smtpd__auth_offer_exists(s) &&
	    !has_mechanism(c->auth_mechanisms, mechanism))
		return SMTPD_REPLY_UNKNOWN_MECHANISM;
	return SMTPD_REPLY_NONE;
}

void
smtpd__auth_offer_write(const struct smtpd_session *s, struct smtpd_text *t)
{
	const char *list = s->config->auth_mechanisms;
	const char *before = "\nAUTH ";
	size_t len;

	if (smtpd__auth_offer_refusal(s, NULL) != SMTPD_REPLY_NONE)
		return;
	while ((len = next_name(&list)) > 0) {
		if (is_possible(list, len)) {
			smtpd__text_add(t, before);
			smtpd__text_bytes(t, list, len);
			before = " ";
		}
		list += len;
	}
}

bool
smtpd__auth_offer_is_missing(const struct smtpd_session *s)
{
	return s->user == NULL &&
	    (s->config->settings.flags & SMTPD_FLAG_AUTH_REQUIRED) != 0;
}
