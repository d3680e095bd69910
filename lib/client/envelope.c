/* SPDX-License-Identifier: MIT */
#include "client/envelope.h"

#include <smtpd/address.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/sized.h"
#include "client/exchange.h"
#include "client/result.h"
#include "grammar/address_key.h"
#include "grammar/dsn_param.h"
#include "grammar/param.h"
#include "grammar/unitext.h"

/* Octets of an address and of the value of a parameter, larger than anyone
 * takes them (RFC 5321, 4.5.3.1.3; RFC 3461, 4.2). */
#define ADDRESS_MAX 600
#define VALUE_MAX   600

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if (smtpd__text_is_control((unsigned char)*s))
			return true;
	return false;
}

/*
 * Whether S can stand between "<" and ">" without being taken for something
 * else.  More is the server's business: what it delivers, it knows better.
 */
static bool
is_path(const char *s)
{
	bool quoted = false;

	if (s == NULL || strlen(s) > ADDRESS_MAX || has_control(s))
		return false;
	for (; *s != '\0'; s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (quoted && *s == '\\' && s[1] != '\0')
			s++;
		else if (!quoted && strchr(" <>", *s) != NULL)
			return false;
	}
	return !quoted;
}

/* Whether S can be the value of a parameter, or there is none. */
static bool
is_value(const char *s)
{
	return s == NULL ||
	    (strlen(s) <= VALUE_MAX &&
		smtpd__param_value_is_valid(s, strlen(s)));
}

/* The same for one that is ASCII. */
static bool
is_ascii_value(const char *s)
{
	return is_value(s) && (s == NULL || smtpd__text_is_ascii(s, strlen(s)));
}

uint64_t
smtpd__client_envelope_size_limit(const struct smtpd_client *c)
{
	const char *offered = smtpd_client_offers(c, "SIZE");
	uint64_t limit = 0;

	if (offered == NULL || smtpd__param_number(offered, &limit) != 0)
		return 0;
	return limit;
}

/* Check M as a whole.  Return false and fill in WHY if it cannot be sent. */
static bool
check_message(const struct smtpd_client *c, const struct smtpd_outgoing *m,
    struct smtpd_result *why)
{
	uint64_t limit = smtpd__client_envelope_size_limit(c);
	const enum smtpd_phase phase = SMTPD_PHASE_MAIL;

	if (!is_path(m->envelope->sender)) {
		smtpd__result_set(why, SMTPD_OUTCOME_PERMANENT, phase, "5.1.7",
		    "the sender is no address");
		return false;
	}
	if (!is_ascii_value(m->envelope->ret) ||
	    !is_ascii_value(m->envelope->envid)) {
		smtpd__result_set(why, SMTPD_OUTCOME_PERMANENT, phase, "5.5.4",
		    "RET or ENVID cannot be sent");
		return false;
	}
	if ((m->envelope->utf8 ||
		smtpd__address_key_needs_utf8(m->envelope->sender)) &&
	    smtpd_client_offers(c, "SMTPUTF8") == NULL) {
		smtpd__result_set(why, SMTPD_OUTCOME_PERMANENT, phase, "5.6.7",
		    "the server does not offer SMTPUTF8");
		return false;
	}
	/* Only what is said in TLS counts (RFC 8689, 4.2.1). */
	if (m->envelope->requiretls &&
	    (c->stream.tls == NULL ||
		smtpd_client_offers(c, "REQUIRETLS") == NULL)) {
		smtpd__result_set(why, SMTPD_OUTCOME_PERMANENT, phase, "5.7.30",
		    "the server does not offer REQUIRETLS, which the sender "
		    "demands");
		return false;
	}
	if (limit > 0 && m->length > limit) {
		smtpd__result_set(why, SMTPD_OUTCOME_PERMANENT, phase, "5.3.4",
		    "the server takes no more than %" PRIu64 " octets", limit);
		return false;
	}
	return true;
}

/* The same for one recipient. */
static bool
check_rcpt(const struct smtpd_client *c,
    const struct smtpd_outgoing_envelope *e, size_t i, struct smtpd_result *why)
{
	const enum smtpd_phase phase = SMTPD_PHASE_RCPT;
	struct smtpd_outgoing_rcpt r;

	if (smtpd__sized_copy_nth(&r, sizeof(r), e->rcpts, i) == -1) {
		smtpd__result_set(why, SMTPD_OUTCOME_PERMANENT, phase, "5.5.4",
		    "a parameter of RCPT is not supported");
		return false;
	}
	if (!is_path(r.address) || *r.address == '\0') {
		smtpd__result_set(why, SMTPD_OUTCOME_PERMANENT, phase, "5.1.3",
		    "the recipient is no address");
		return false;
	}
	if (!is_ascii_value(r.notify) || !is_value(r.orcpt)) {
		smtpd__result_set(why, SMTPD_OUTCOME_PERMANENT, phase, "5.5.4",
		    "NOTIFY or ORCPT cannot be sent");
		return false;
	}
	if (smtpd__address_key_needs_utf8(r.address) &&
	    smtpd_client_offers(c, "SMTPUTF8") == NULL) {
		smtpd__result_set(why, SMTPD_OUTCOME_PERMANENT, phase, "5.6.7",
		    "the server does not offer SMTPUTF8");
		return false;
	}
	return true;
}

size_t
smtpd__client_envelope_check(const struct smtpd_client *c,
    const struct smtpd_outgoing *m, struct smtpd_result *results)
{
	const uint32_t max = c->limits.rcpts;
	struct smtpd_result why;
	bool good = check_message(c, m, &why);
	size_t count = 0;

	for (size_t i = 0; i < m->envelope->nrcpts; i++) {
		if (!good) {
			results[i] = why;
			continue;
		}
		if (!check_rcpt(c, m->envelope, i, &results[i]))
			continue;
		if (max > 0 && count == max) {
			smtpd__result_set(&results[i], SMTPD_OUTCOME_TEMPORARY,
			    SMTPD_PHASE_RCPT, "4.5.3",
			    "the server takes no more than %" PRIu32
			    " recipients at a time",
			    max);
			continue;
		}
		smtpd__result_set(&results[i], SMTPD_OUTCOME_IN_DOUBT,
		    SMTPD_PHASE_MAIL, "4.0.0", "not decided");
		count++;
	}
	return count;
}

/* Recipient I of M, which was checked. */
static struct smtpd_outgoing_rcpt
get_rcpt(const struct smtpd_outgoing *m, size_t i)
{
	struct smtpd_outgoing_rcpt r = { SMTPD_OUTGOING_RCPT_INIT };

	smtpd__sized_copy_nth(&r, sizeof(r), m->envelope->rcpts, i);
	return r;
}

/* Whether MAIL says SMTPUTF8 (RFC 6531, 3.4). */
static bool
is_smtputf8(const struct smtpd_client *c, const struct smtpd_outgoing *m)
{
	if (smtpd_client_offers(c, "SMTPUTF8") == NULL)
		return false;
	if (m->envelope->utf8 || m->envelope->utf8_wanted ||
	    smtpd__address_key_needs_utf8(m->envelope->sender))
		return true;
	for (size_t i = 0; i < m->envelope->nrcpts; i++)
		if (smtpd__address_key_needs_utf8(get_rcpt(m, i).address))
			return true;
	return false;
}

/* Append COMMAND and ADDRESS: as the grammar has it, if it can be; one of some
 * other grammar is the server's business. */
static void
add_path(struct smtpd_text *t, const char *command, const char *address)
{
	char buf[SMTPD_ADDRESS_MAX], ascii[SMTPD_ADDRESS_MAX];
	struct smtpd_address a;

	if (smtpd_address_parse(address, buf, sizeof(buf), &a) == 0)
		address = a.text;
	smtpd__text_format(
	    t, "%s<%s>", command, smtpd__address_key_ascii(address, ascii));
}

void
smtpd__client_envelope_mail(const struct smtpd_client *c,
    const struct smtpd_outgoing *m, struct smtpd_text *t)
{
	bool dsn = smtpd_client_offers(c, "DSN") != NULL;

	add_path(t, "MAIL FROM:", m->envelope->sender);
	if (m->length > 0 && smtpd_client_offers(c, "SIZE") != NULL)
		smtpd__text_format(t, " SIZE=%" PRIu64, m->length);
	if (m->envelope->eight_bit &&
	    smtpd_client_offers(c, "8BITMIME") != NULL)
		smtpd__text_add(t, " BODY=8BITMIME");
	if (is_smtputf8(c, m))
		smtpd__text_add(t, " SMTPUTF8");
	if (m->envelope->requiretls)
		smtpd__text_add(t, " REQUIRETLS");
	/* The body must not come back by another way (RFC 8689, 5). */
	if (dsn && m->envelope->requiretls)
		smtpd__text_add(t, " RET=HDRS");
	else if (dsn && m->envelope->ret != NULL)
		smtpd__text_format(t, " RET=%s", m->envelope->ret);
	if (dsn && m->envelope->envid != NULL)
		smtpd__text_format(t, " ENVID=%s", m->envelope->envid);
}

/* Append ORCPT= with VALUE, in ASCII unless UTF8 is allowed; one that is too
 * long so is left out (RFC 6533, 3). */
static void
add_orcpt(struct smtpd_text *t, const char *value, bool utf8)
{
	const char *semicolon = strchr(value, ';');
	char address[VALUE_MAX + 1], coded[VALUE_MAX + 1];
	struct smtpd_text text;

	if (utf8 || smtpd__text_is_ascii(value, strlen(value))) {
		smtpd__text_format(t, " ORCPT=%s", value);
		return;
	}
	smtpd__text_init(&text, coded, sizeof(coded));
	if (semicolon == NULL ||
	    smtpd__unitext_decode(semicolon + 1, strlen(semicolon + 1), address,
		sizeof(address)) == -1)
		return;
	smtpd__unitext_encode(&text, address);
	if (!text.cut && text.len <= SMTPD_ORCPT_MAX)
		smtpd__text_format(t, " ORCPT=utf-8;%s", coded);
}

void
smtpd__client_envelope_rcpt(const struct smtpd_client *c,
    const struct smtpd_outgoing *m, size_t i, struct smtpd_text *t)
{
	struct smtpd_outgoing_rcpt rcpt = get_rcpt(m, i);
	bool dsn = smtpd_client_offers(c, "DSN") != NULL;

	add_path(t, "RCPT TO:", rcpt.address);
	if (dsn && rcpt.notify != NULL)
		smtpd__text_format(t, " NOTIFY=%s", rcpt.notify);
	if (dsn && rcpt.orcpt != NULL)
		add_orcpt(t, rcpt.orcpt, is_smtputf8(c, m));
}
