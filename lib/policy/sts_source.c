/* SPDX-License-Identifier: MIT */
#include "policy/sts_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/sized.h"
#include "grammar/sts_record.h"
#include "grammar/tlsrpt_record.h"
#include "resolve/dns_message.h"
#include "resolve/resolver.h"

/* The time to find a web server, in milliseconds: a message waits meanwhile. */
#define HOST_MS 10000

struct smtpd_sts_source {
	struct smtpd_txt_source *txt;
	struct smtpd_resolver *resolver;
	smtpd_sts_fetch_fn *fetch;
	void *user;
};

struct smtpd_sts_source *
smtpd__sts_source_create(const struct smtpd_resolver_settings *settings,
    smtpd_sts_fetch_fn *fetch, void *user)
{
	struct smtpd_sts_source *s = calloc(1, sizeof(*s));
	struct smtpd_resolver_settings known;
	int code;

	if (s == NULL)
		return NULL;
	if (smtpd__sized_copy(&known, sizeof(known), settings) == -1) {
		free(s);
		return NULL;
	}
	if (known.total_ms == 0 || known.total_ms > HOST_MS)
		known.total_ms = HOST_MS;
	s->fetch = fetch;
	s->user = user;
	s->txt = smtpd__txt_create(&known);
	if (s->txt != NULL)
		s->resolver = smtpd_resolver_create(&known);
	if (s->resolver != NULL)
		return s;
	code = errno;
	smtpd__sts_source_destroy(s);
	errno = code;
	return NULL;
}

void
smtpd__sts_source_destroy(struct smtpd_sts_source *s)
{
	if (s == NULL)
		return;
	smtpd__txt_destroy(s->txt);
	smtpd_resolver_destroy(s->resolver);
	free(s);
}

void
smtpd__sts_source_txt(void *source, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_txt *out)
{
	const struct smtpd_sts_source *s = source;
	char name[SMTPD_DNS_HOST_MAX + 16];

	snprintf(name, sizeof(name), "_mta-sts.%s", domain);
	smtpd__txt_find(s->txt, name, smtpd__sts_record_is, cancel, out);
}

void
smtpd__sts_source_tlsrpt(void *source, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_txt *out)
{
	const struct smtpd_sts_source *s = source;
	char name[SMTPD_DNS_HOST_MAX + 16];

	snprintf(name, sizeof(name), "_smtp._tls.%s", domain);
	smtpd__txt_find(s->txt, name, smtpd__tlsrpt_record_is, cancel, out);
}

enum smtpd_sts_fetched
smtpd__sts_source_fetch(struct smtpd_sts_fetch *fetch, void *source)
{
	const struct smtpd_sts_source *s = source;
	struct smtpd_targets *targets =
	    smtpd__resolver_host(s->resolver, fetch->host, fetch->cancel);
	enum smtpd_sts_fetched result = SMTPD_STS_UNREACHABLE;

	if (targets == NULL) {
		snprintf(fetch->reason, fetch->reason_size, "no memory");
	} else if (targets->outcome != SMTPD_RESOLVE_FOUND) {
		snprintf(
		    fetch->reason, fetch->reason_size, "%s", targets->reason);
	} else {
		fetch->targets = targets;
		result = s->fetch(fetch, s->user);
	}
	smtpd_targets_free(targets);
	return result;
}
