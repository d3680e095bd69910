/* SPDX-License-Identifier: MIT */
#include "server/mail_params.h"

#include <string.h>

#include "base/text.h"
#include "grammar/address_parse.h"
#include "grammar/date.h"
#include "grammar/dsn_param.h"
#include "grammar/param.h"
#include "grammar/urgency.h"
#include "grammar/xtext.h"
#include "os/clock.h"
#include "server/answer.h"
#include "server/auth_offer.h"

#define SYNTAX SMTPD_COUNTER_REFUSED_SYNTAX
#define ERRORS SMTPD_COUNTER_ERRORS

/* Characters of AUTH=, decoded: the line of MAIL may be longer by them (RFC
 * 4954, 3). */
#define AUTH_VALUE_MAX 500

typedef bool accept_fn(struct smtpd_session *s, const struct smtpd_param *p);

/* A parameter that the library knows. */
struct known_param {
	const char *name;
	unsigned flags; /* the settings that it takes, all of them; 0: none */
	accept_fn *accept;
};

static bool
refuse_value(struct smtpd_session *s, const struct smtpd_param *p)
{
	smtpd__answer_refuse(s, SYNTAX, SMTPD_REPLY_BAD_PARAM_VALUE, p->name);
	return false;
}

static bool
refuse_memory(struct smtpd_session *s)
{
	smtpd__answer_refuse(s, ERRORS, SMTPD_REPLY_NO_MEMORY, NULL);
	return false;
}

/* A parameter that the library does not know may be one of the program's, in
 * NAMES (RFC 5321, 4.1.1.11). */
static bool
accept_registered(struct smtpd_session *s, const struct smtpd_names *names,
    const struct smtpd_param *p)
{
	if (smtpd__names_have(names, p->name))
		return true;
	smtpd__answer_refuse(s, SYNTAX, SMTPD_REPLY_UNKNOWN_PARAM, p->name);
	return false;
}

/* SIZE= (RFC 1870, 6.1): the declared size is refused as the message would
 * be. */
static bool
accept_size(struct smtpd_session *s, const struct smtpd_param *p)
{
	uint64_t limit = s->config->settings.max_message_size;
	uint64_t size;

	if (p->value == NULL || smtpd__param_number(p->value, &size) == -1) {
		smtpd__answer_refuse(s, SYNTAX, SMTPD_REPLY_BAD_SIZE, NULL);
		return false;
	}
	if (limit != SMTPD_NO_SIZE_LIMIT && size > limit) {
		smtpd__answer_refuse_limit(s, SMTPD_COUNTER_REFUSED_SIZE,
		    SMTPD_REPLY_MESSAGE_TOO_LARGE, limit);
		return false;
	}
	s->envelope.size = size;
	return true;
}

/* BODY= (RFC 6152, 3; RFC 3030, 3). */
static bool
accept_body(struct smtpd_session *s, const struct smtpd_param *p)
{
	bool binary = (s->config->settings.flags & SMTPD_FLAG_BINARYMIME) != 0;
	const char *value = p->value;

	if (value != NULL && smtpd__text_same(value, "7BIT")) {
		s->envelope.encoding = SMTPD_ENCODING_7BIT;
		return true;
	}
	if (value != NULL && smtpd__text_same(value, "8BITMIME")) {
		s->envelope.encoding = SMTPD_ENCODING_8BITMIME;
		return true;
	}
	if (value != NULL && binary && smtpd__text_same(value, "BINARYMIME")) {
		s->envelope.encoding = SMTPD_ENCODING_BINARYMIME;
		return true;
	}
	smtpd__answer_refuse(s, SYNTAX, SMTPD_REPLY_BAD_BODY,
	    binary ? "7BIT, 8BITMIME or BINARYMIME" : "7BIT or 8BITMIME");
	return false;
}

/* SMTPUTF8 (RFC 6531, 3.4) */
static bool
accept_smtputf8(struct smtpd_session *s, const struct smtpd_param *p)
{
	s->envelope.smtputf8 = p->value == NULL;
	return p->value == NULL || refuse_value(s, p);
}

/* RET= and ENVID=, NOTIFY= and ORCPT= (RFC 3461, 4). */
static bool
accept_dsn(struct smtpd_session *s, const struct smtpd_param *p)
{
	bool utf8 = (s->config->settings.flags & SMTPD_FLAG_SMTPUTF8) != 0;

	return (smtpd__dsn_param_is_valid(p->name, p->value) &&
		   (utf8 ||
		       smtpd__text_is_ascii(p->value, strlen(p->value)))) ||
	    refuse_value(s, p);
}

/* REQUIRETLS (RFC 8689, 2): a message that came in plain text has lost already
 * what it asks for. */
static bool
accept_requiretls(struct smtpd_session *s, const struct smtpd_param *p)
{
	if (p->value != NULL)
		return refuse_value(s, p);
	if (s->stream.tls == NULL) {
		smtpd__answer_refuse(s, SMTPD_COUNTER_NONE,
		    SMTPD_REPLY_REQUIRETLS_NEEDS_TLS, NULL);
		return false;
	}
	s->envelope.requiretls = true;
	return true;
}

/* BY= (RFC 2852, 4): who wants the message back that is late must leave time to
 * deliver it. */
static bool
accept_by(struct smtpd_session *s, const struct smtpd_param *p)
{
	const int64_t min = s->config->settings.min_deliver_by;
	struct smtpd_deliver_by *by = &s->envelope.deliver_by;

	if (smtpd__urgency_read_by(p->value, by) == -1)
		return refuse_value(s, p);
	if (by->mode != SMTPD_BY_RETURN || by->seconds >= min)
		return true;
	smtpd__answer_refuse_limit(s, SMTPD_COUNTER_NONE,
	    SMTPD_REPLY_DELIVERY_TOO_SOON, (uint64_t)min);
	return false;
}

/* HOLDFOR= and HOLDUNTIL= (RFC 4865, 3), one of which may stand: a time that is
 * over already is no hold. */
static bool
accept_hold(struct smtpd_session *s, const struct smtpd_param *p)
{
	const uint32_t max = s->config->settings.max_future_release;
	const int64_t now = (int64_t)(smtpd__clock_wall_ms() / 1000);
	uint32_t seconds;
	int64_t release;

	if (max == 0)
		return accept_registered(s, &s->config->mail_params, p);
	if (s->envelope.held) {
		smtpd__answer_refuse(
		    s, SYNTAX, SMTPD_REPLY_REPEATED_PARAM, NULL);
		return false;
	}
	if (strcmp(p->name, "HOLDFOR") == 0) {
		if (smtpd__urgency_read_holdfor(p->value, &seconds) == -1)
			return refuse_value(s, p);
		release = now + seconds;
	} else if (p->value == NULL ||
	    smtpd__date_read_stamp(p->value, &release) == -1) {
		return refuse_value(s, p);
	}
	if (release - now > max) {
		smtpd__answer_refuse_limit(
		    s, SMTPD_COUNTER_NONE, SMTPD_REPLY_RELEASE_TOO_LATE, max);
		return false;
	}
	s->envelope.held = true;
	s->envelope.release = release;
	return true;
}

/* MT-PRIORITY= (RFC 6710, 3) */
static bool
accept_priority(struct smtpd_session *s, const struct smtpd_param *p)
{
	if (smtpd__urgency_read_priority(p->value, &s->envelope.priority) == -1)
		return refuse_value(s, p);
	s->envelope.prioritized = true;
	return true;
}

/* Read the decoded value of AUTH=, TEXT of LEN bytes, a mailbox or "<>". */
static enum smtpd_path_fault
parse_submitter(struct smtpd_session *s, const char *text, size_t len,
    struct smtpd_address *out)
{
	static const struct smtpd_path_rules rules = {
		.kind = SMTPD_PATH_REVERSE, .bare = true
	};
	size_t used;
	enum smtpd_path_fault fault;

	if ((text[0] == '<' || text[0] == '@') && strcmp(text, "<>") != 0)
		return SMTPD_PATH_SYNTAX;
	fault =
	    smtpd__address_parse_path(text, len, &rules, &s->arena, out, &used);
	return fault == SMTPD_PATH_OK && used < len ? SMTPD_PATH_SYNTAX : fault;
}

/* AUTH= (RFC 4954, 5): nobody believes a client that has not authenticated. */
static bool
accept_submitter(struct smtpd_session *s, const struct smtpd_param *p)
{
	static const struct smtpd_address nobody = { "", "", "", false };
	char text[AUTH_VALUE_MAX + 1];
	struct smtpd_address *submitter =
	    smtpd__arena_alloc(&s->arena, sizeof(*submitter));
	int len = p->value == NULL ? -1
				   : smtpd__xtext_decode(p->value,
					 strlen(p->value), text, sizeof(text));
	enum smtpd_path_fault fault = SMTPD_PATH_SYNTAX;

	if (!smtpd__auth_offer_exists(s))
		return accept_registered(s, &s->config->mail_params, p);
	if (submitter == NULL)
		return refuse_memory(s);
	if (len != -1)
		fault = parse_submitter(s, text, (size_t)len, submitter);
	if (fault == SMTPD_PATH_NO_MEMORY)
		return refuse_memory(s);
	if (fault != SMTPD_PATH_OK)
		return refuse_value(s, p);
	s->envelope.submitter = s->user != NULL ? submitter : &nobody;
	return true;
}

static const struct known_param mail_params[] = {
	{ "SIZE", 0, accept_size },
	{ "BODY", 0, accept_body },
	{ "SMTPUTF8", SMTPD_FLAG_SMTPUTF8, accept_smtputf8 },
	{ "AUTH", 0, accept_submitter },
	{ "RET", SMTPD_FLAG_DSN, accept_dsn },
	{ "ENVID", SMTPD_FLAG_DSN, accept_dsn },
	{ "REQUIRETLS", SMTPD_FLAG_REQUIRETLS, accept_requiretls },
	{ "BY", SMTPD_FLAG_DELIVERBY, accept_by },
	{ "HOLDFOR", 0, accept_hold },
	{ "HOLDUNTIL", 0, accept_hold },
	{ "MT-PRIORITY", SMTPD_FLAG_MT_PRIORITY, accept_priority },
};

static const struct known_param rcpt_params[] = {
	{ "NOTIFY", SMTPD_FLAG_DSN, accept_dsn },
	{ "ORCPT", SMTPD_FLAG_DSN, accept_dsn },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Whether P is one of COUNT parameters in KNOWN, or of the program's in NAMES,
 * and its value is good. */
static bool
accept_param(struct smtpd_session *s, const struct known_param *known,
    size_t count, const struct smtpd_names *names, const struct smtpd_param *p)
{
	const unsigned flags = s->config->settings.flags;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(p->name, known[i].name) == 0 &&
		    (known[i].flags & ~flags) == 0)
			return known[i].accept(s, p);
	}
	return accept_registered(s, names, p);
}

/* Whether C has no characters outside ASCII where SMTPUTF8 must allow them
 * (RFC 6531, 3.5); ORCPT may have them in any case (RFC 6533, 3). */
static bool
is_ascii_command(const struct smtpd_command *c)
{
	const char *text = c->address->text;

	for (size_t i = 0; i < smtpd_params_count(c->params); i++) {
		const struct smtpd_param *p = smtpd_params_get(c->params, i);

		if (p->value != NULL && strcmp(p->name, "ORCPT") != 0 &&
		    !smtpd__text_is_ascii(p->value, strlen(p->value)))
			return false;
	}
	return smtpd__text_is_ascii(text, strlen(text));
}

/* Whether each parameter of C is one of COUNT in KNOWN, or in NAMES, and the
 * transaction allows the characters of C. */
static bool
accept_all(struct smtpd_session *s, const struct known_param *known,
    size_t count, const struct smtpd_names *names,
    const struct smtpd_command *c)
{
	for (size_t i = 0; i < smtpd_params_count(c->params); i++) {
		if (!accept_param(
			s, known, count, names, smtpd_params_get(c->params, i)))
			return false;
	}
	if (s->envelope.smtputf8 || is_ascii_command(c))
		return true;
	smtpd__answer_refuse_non_ascii(s, SMTPD_REPLY_ADDRESS_NEEDS_SMTPUTF8);
	return false;
}

bool
smtpd__mail_params_accept(
    struct smtpd_session *s, const struct smtpd_command *c)
{
	return accept_all(
	    s, mail_params, COUNT(mail_params), &s->config->mail_params, c);
}

bool
smtpd__mail_params_accept_rcpt(
    struct smtpd_session *s, const struct smtpd_command *c)
{
	return accept_all(
	    s, rcpt_params, COUNT(rcpt_params), &s->config->rcpt_params, c);
}

/* FUTURERELEASE (RFC 4865, 3): the longest time, and the latest date, as it is
 * now. */
static void
announce_hold(uint32_t max, struct smtpd_text *t)
{
	char date[SMTPD_DATE_STAMP_MAX];

	smtpd__date_write_stamp(
	    (time_t)(smtpd__clock_wall_ms() / 1000 + max), date);
	smtpd__text_format(t, "\nFUTURERELEASE %u %s", (unsigned)max, date);
}

void
smtpd__mail_params_announce(const struct smtpd_session *s, struct smtpd_text *t)
{
	const struct smtpd_settings *settings = &s->config->settings;

	if ((settings->flags & SMTPD_FLAG_REQUIRETLS) != 0 &&
	    s->stream.tls != NULL)
		smtpd__text_add(t, "\nREQUIRETLS");
	if ((settings->flags & SMTPD_FLAG_DELIVERBY) != 0) {
		smtpd__text_add(t, "\nDELIVERBY");
		if (settings->min_deliver_by > 0)
			smtpd__text_format(
			    t, " %u", (unsigned)settings->min_deliver_by);
	}
	if (settings->max_future_release > 0)
		announce_hold(settings->max_future_release, t);
	if ((settings->flags & SMTPD_FLAG_MT_PRIORITY) != 0)
		smtpd__text_format(t, "\nMT-PRIORITY%s%s",
		    s->config->priority_policy[0] != '\0' ? " " : "",
		    s->config->priority_policy);
}
