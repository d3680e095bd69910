/* SPDX-License-Identifier: MIT */
#include "queue/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sized.h"
#include "grammar/address_parse.h"
#include "os/nodename.h"

#define FIX_BITS                                                 \
	(SMTPD_FIX_DATE | SMTPD_FIX_MESSAGE_ID | SMTPD_FIX_BCC | \
	    SMTPD_FIX_ADDRESSES)

/* Copy what the settings point to.  Return 0, or -1 with errno. */
static int
copy_parts(struct smtpd_settings_copy *copy)
{
	struct smtpd_queue_settings *s = &copy->queue;

	if (smtpd__sized_copy(&copy->client, sizeof(copy->client), s->client) ==
	    -1)
		return -1;
	s->client = &copy->client;
	if (smtpd__sized_copy(&copy->policy, sizeof(copy->policy), s->policy) ==
	    -1)
		return -1;
	s->policy = &copy->policy;
	if (s->smarthost != NULL) {
		if (smtpd__sized_copy(&copy->smarthost, sizeof(copy->smarthost),
			s->smarthost) == -1)
			return -1;
		s->smarthost = &copy->smarthost;
	}
	if (s->rules == NULL)
		return 0;
	copy->rules = calloc(s->nrules + 1, sizeof(*copy->rules));
	if (copy->rules == NULL)
		return -1;
	for (size_t i = 0; i < s->nrules; i++)
		if (smtpd__sized_copy_nth(&copy->rules[i],
			sizeof(copy->rules[i]), s->rules, i) == -1)
			return -1;
	s->rules = copy->rules;
	return 0;
}

static void
set_default(uint32_t *value, uint32_t standard)
{
	if (*value == 0)
		*value = standard;
}

static void
apply_defaults(struct smtpd_settings_copy *copy)
{
	struct smtpd_queue_settings *s = &copy->queue;

	set_default(&s->workers, 64);
	set_default(&s->site_connections, 10);
	set_default(&s->idle_ms, 5000);
	set_default(&s->retry_min_s, 300);
	set_default(&s->retry_max_s, 7200);
	set_default(&s->lifetime_s, 432000);
	set_default(&s->bounce_lifetime_s, 172800);
	set_default(&s->delay_notice_s, 14400);
	set_default(&s->max_reports, 60);
	if (s->retry_max_s < s->retry_min_s)
		s->retry_max_s = s->retry_min_s;
	if (s->log_level == 0)
		s->log_level = SMTPD_LOG_INFO;
	if (s->fix == 0)
		s->fix = SMTPD_FIX_DATE | SMTPD_FIX_MESSAGE_ID;
	if (s->hostname == NULL) {
		if (smtpd__nodename_get(
			copy->hostname, sizeof(copy->hostname)) == -1)
			snprintf(copy->hostname, sizeof(copy->hostname),
			    "localhost");
		s->hostname = copy->hostname;
	}
	if (s->local_domain == NULL)
		s->local_domain = s->hostname;
}

bool
smtpd__queue_settings_is_fix(unsigned fix)
{
	return fix == SMTPD_FIX_NONE || (fix & ~(unsigned)FIX_BITS) == 0;
}

static const char *
find_names_fault(const struct smtpd_security_rule *rule)
{
	if (rule->nnames > 0 && rule->names == NULL)
		return "nnames of a rule is not 0, but there are no names";
	if (rule->nnames > 0 && rule->security != SMTPD_SECURITY_REQUIRED)
		return "only a rule that requires TLS can name certificates";
	for (size_t i = 0; i < rule->nnames; i++)
		if (rule->names[i] == NULL || rule->names[i][0] == '\0')
			return "a name in a rule is empty";
	return NULL;
}

/* Return what is wrong with the settings; NULL: nothing. */
static const char *
find_fault(const struct smtpd_queue_settings *s)
{
	const char *fault;
	char buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address postmaster;

	if (!smtpd__queue_settings_is_fix(s->fix))
		return "fix has an unknown bit, or SMTPD_FIX_NONE and others";
	if (s->log_level > SMTPD_LOG_TRACE)
		return "there is no such log level";
	if (s->client->security > SMTPD_SECURITY_ENCRYPTED)
		return "there is no such security of the client";
	if (strlen(s->hostname) >= SMTPD_HOSTNAME_SIZE ||
	    strlen(s->local_domain) >= SMTPD_HOSTNAME_SIZE)
		return "the host name or the local domain is too long";
	if (!smtpd__address_parse_helo(s->hostname, strlen(s->hostname)))
		return "hostname is not the name of a host";
	if (!smtpd__address_parse_helo(
		s->local_domain, strlen(s->local_domain)))
		return "local_domain is not a domain";
	if (s->masquerade != NULL &&
	    (strlen(s->masquerade) >= SMTPD_HOSTNAME_SIZE ||
		!smtpd__address_parse_helo(
		    s->masquerade, strlen(s->masquerade))))
		return "masquerade is not a domain";
	if (s->postmaster != NULL &&
	    (strlen(s->postmaster) >= SMTPD_MAILBOX_SIZE ||
		smtpd_address_parse(
		    s->postmaster, buf, sizeof(buf), &postmaster) == -1 ||
		postmaster.domain[0] == '\0'))
		return "postmaster is not an address with a domain";
	if (s->smarthost != NULL && s->smarthost->kind != SMTPD_ROUTE_HOST)
		return "the smarthost is not of kind SMTPD_ROUTE_HOST";
	if (s->smarthost != NULL && s->smarthost->host == NULL)
		return "the smarthost has no name";
	if (s->nroutes > 0 && s->routes == NULL)
		return "nroutes is not 0, but there are no routes";
	if (s->nrules > 0 && s->rules == NULL)
		return "nrules is not 0, but there are no rules";
	for (size_t i = 0; i < s->nrules; i++) {
		if (s->rules[i].domain == NULL)
			return "a security rule has no domain";
		if (s->rules[i].security > SMTPD_SECURITY_ENCRYPTED)
			return "there is no such security of a rule";
		fault = find_names_fault(&s->rules[i]);
		if (fault != NULL)
			return fault;
	}
	return NULL;
}

int
smtpd__queue_settings_copy(struct smtpd_settings_copy *copy,
    const struct smtpd_queue_settings *given, char *error, size_t size)
{
	const char *fault;

	*copy = (struct smtpd_settings_copy){ .rules = NULL };
	if (smtpd__sized_copy(&copy->queue, sizeof(copy->queue), given) == -1 ||
	    copy_parts(copy) == -1) {
		snprintf(error, size, "%s",
		    errno == EINVAL
			? "the size of a struct in the settings is not set, "
			  "or this library is too old for it"
			: "no memory");
		return -1;
	}
	apply_defaults(copy);
	fault = find_fault(&copy->queue);
	if (fault == NULL)
		return 0;
	snprintf(error, size, "%s", fault);
	errno = EINVAL;
	return -1;
}
