/* SPDX-License-Identifier: MIT */
#include "policies.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "complain.h"
#include "places.h"

/* Read what follows the policy of RULE, "match=NAME[,NAME]". */
static int
read_match(struct settings *s, char *text, struct smtpd_security_rule *rule)
{
	static const char match[] = "match=";
	char *at = text + strlen(match), *comma;

	if (strncmp(text, match, strlen(match)) != 0)
		return complain(PROGRAM, EX_USAGE,
		    "--tls: \"%s\" is not match=NAME[,NAME]", text);
	rule->names = s->names + s->nnames;
	for (; at != NULL; at = comma) {
		comma = strchr(at, ',');
		if (comma != NULL)
			*comma++ = '\0';
		if (!hostname_is_valid(at))
			return complain(PROGRAM, EX_USAGE,
			    "--tls: \"%s\" is not the name of a host", at);
		s->names[s->nnames++] = at;
		rule->nnames++;
	}
	return 0;
}

/* One of --tls: POLICY for all, or DOMAIN=POLICY, with or without match=. */
static int
read_policy(struct settings *s, char *text)
{
	struct smtpd_security_rule *rule = &s->rules[s->nrules];
	size_t len = strcspn(text, ", ");
	char *match = text[len] != '\0' ? text + len + 1 : NULL;
	char *equals, *word;

	text[len] = '\0';
	equals = strchr(text, '=');
	word = equals != NULL ? equals + 1 : text;
	*rule = (struct smtpd_security_rule){ SMTPD_SECURITY_RULE_INIT, text };
	if (sender_options_security(word, &rule->security) == -1)
		return complain(PROGRAM, EX_USAGE,
		    "--tls: \"%s\" is not opportunistic, encrypt, "
		    "require or never",
		    word);
	if (match != NULL &&
	    (equals == NULL || rule->security != SMTPD_SECURITY_REQUIRED))
		return complain(PROGRAM, EX_USAGE,
		    "--tls: \"%s\" goes with DOMAIN=require only", match);
	if (equals == NULL) {
		if (s->security_given)
			return complain(PROGRAM, EX_USAGE,
			    "--tls: there are two policies for all domains");
		s->security_given = true;
		s->security = rule->security;
		return 0;
	}
	*equals = '\0';
	if (!hostname_is_valid(text))
		return complain(
		    PROGRAM, EX_USAGE, "--tls: \"%s\" is not a domain", text);
	for (size_t i = 0; i < s->nrules; i++)
		if (strcasecmp(s->rules[i].domain, text) == 0)
			return complain(PROGRAM, EX_USAGE,
			    "--tls: there are two policies for %s", text);
	s->nrules++;
	return match != NULL ? read_match(s, match, rule) : 0;
}

static int
check_tls_lost(const struct settings *s)
{
	if (s->tls_lost == NULL || strcmp(s->tls_lost, "plain") == 0 ||
	    strcmp(s->tls_lost, "defer") == 0)
		return 0;
	return complain(PROGRAM, EX_USAGE,
	    "--tls-lost: \"%s\" is neither defer nor plain", s->tls_lost);
}

int
policies_complete(struct settings *s)
{
	size_t names = 1;
	int status = check_tls_lost(s);

	for (size_t i = 0; i < s->tls.count; i++)
		names += strlen(s->tls.items[i]);
	s->rules = calloc(s->tls.count + 1, sizeof(*s->rules));
	s->names = calloc(names, sizeof(*s->names));
	if (s->rules == NULL || s->names == NULL)
		return complain(PROGRAM, EX_OSERR, "no memory");
	for (size_t i = 0; i < s->tls.count && status == 0; i++)
		status = read_policy(s, s->tls.items[i]);
	return status;
}

void
policies_set(const struct settings *s, struct smtpd_policy_settings *out)
{
	*out = (struct smtpd_policy_settings){
		SMTPD_POLICY_SETTINGS_INIT,
		.dane = !s->no_dane,
		.tls_lost_defer =
		    s->tls_lost != NULL && strcmp(s->tls_lost, "defer") == 0,
	};
}
