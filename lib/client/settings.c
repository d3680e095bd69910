/* SPDX-License-Identifier: MIT */
#include "client/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/auth_mechanisms.h"
#include "crypto/secret.h"
#include "os/nodename.h"

bool
smtpd__client_settings_are_mechanisms(const char *list)
{
	list += strspn(list, " ");
	if (*list == '\0')
		return false;
	for (; *list != '\0'; list += strspn(list, " ")) {
		if (smtpd__client_auth_mechanisms_find(list) == NULL)
			return false;
		list += strcspn(list, " ");
	}
	return true;
}

bool
smtpd__client_settings_are_valid(const struct smtpd_client_settings *s)
{
	struct smtpd_client_sources sources;

	return smtpd__client_sources_read(s->sources, s->nsources, &sources) ==
	    0 &&
	    s->security <= SMTPD_SECURITY_ENCRYPTED &&
	    (s->mechanisms == NULL ||
		smtpd__client_settings_are_mechanisms(s->mechanisms));
}

static void
set_time(uint32_t *ms, uint32_t value)
{
	if (*ms == 0)
		*ms = value;
}

/* RFC 5321, 4.5.3.2, and the minutes that it leaves open. */
static void
set_default_times(struct smtpd_client_settings *s)
{
	set_time(&s->connect_ms, 30000);
	set_time(&s->stagger_ms, 3000);
	set_time(&s->greeting_ms, 300000);
	set_time(&s->hello_ms, 300000);
	set_time(&s->tls_ms, 120000);
	set_time(&s->auth_ms, 300000);
	set_time(&s->mail_ms, 300000);
	set_time(&s->rcpt_ms, 300000);
	set_time(&s->data_ms, 120000);
	set_time(&s->block_ms, 180000);
	set_time(&s->dot_ms, 600000);
	set_time(&s->reset_ms, 20000);
	set_time(&s->quit_ms, 5000);
	set_time(&s->total_ms, 600000);
}

static void
set_hostname(struct smtpd_client *c)
{
	struct smtpd_text t;

	smtpd__text_init(&t, c->hostname, sizeof(c->hostname));
	if (c->set.hostname != NULL)
		smtpd__text_add(&t, c->set.hostname);
	else
		smtpd__nodename_get(c->hostname, sizeof(c->hostname));
}

static char *
copy_text(const char *text, bool *failed)
{
	char *copy = text != NULL ? strdup(text) : NULL;

	*failed |= text != NULL && copy == NULL;
	return copy;
}

int
smtpd__client_settings_complete(struct smtpd_client *c)
{
	struct smtpd_client_settings *s = &c->set;
	bool failed = false;

	set_default_times(s);
	set_hostname(c);
	s->hostname = c->hostname;
	smtpd__client_sources_read(s->sources, s->nsources, &c->sources);
	s->sources = NULL;
	s->user = c->user = copy_text(s->user, &failed);
	s->password = c->password = copy_text(s->password, &failed);
	if (s->mechanisms == NULL)
		s->mechanisms = SMTPD_CLIENT_MECHANISMS;
	s->mechanisms = c->mechanisms =
	    copy_text(s->mechanisms + strspn(s->mechanisms, " "), &failed);
	if (s->trust != NULL)
		smtpd_trust_ref(s->trust);
	return failed ? -1 : 0;
}

void
smtpd__client_settings_policy(
    const struct smtpd_client_settings *s, struct smtpd_tls_policy *policy)
{
	*policy = (struct smtpd_tls_policy){
		.level = s->security,
		.first = s->tls_first,
		.reason = "the settings",
	};
	smtpd__tls_policy_identify(policy);
}

void
smtpd__client_settings_finish(struct smtpd_client *c)
{
	smtpd_trust_unref(c->set.trust);
	smtpd__secret_free(c->user);
	smtpd__secret_free(c->password);
	free(c->mechanisms);
}
