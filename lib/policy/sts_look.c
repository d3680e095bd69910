/* SPDX-License-Identifier: MIT */
#include "policy/sts_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fetch the policy of L. */
static void
fetch_policy(const struct smtpd_sts_settings *set, struct smtpd_sts_look *l,
    const struct smtpd_cancel *cancel)
{
	char *buf = malloc(SMTPD_STS_POLICY_MAX);
	char host[SMTPD_DNS_HOST_MAX + 16], url[sizeof(host) + 64];
	struct smtpd_sts_fetch f = {
		.url = url,
		.host = host,
		.cancel = cancel,
		.text = buf,
		.size = SMTPD_STS_POLICY_MAX,
		.reason = l->reason,
		.reason_size = sizeof(l->reason),
	};
	enum smtpd_sts_fetched fetched = SMTPD_STS_UNREACHABLE;
	const char *fault;

	snprintf(host, sizeof(host), "mta-sts.%s", l->domain);
	snprintf(url, sizeof(url), "https://%s/.well-known/mta-sts.txt", host);
	if (buf != NULL)
		fetched = set->fetch(&f, set->fetch_user);
	if (fetched != SMTPD_STS_FETCHED) {
		l->failure = fetched == SMTPD_STS_UNTRUSTED
		    ? SMTPD_TLS_FAILURE_STS_WEBPKI_INVALID
		    : SMTPD_TLS_FAILURE_STS_POLICY_FETCH_ERROR;
		free(buf);
		return;
	}
	fault = smtpd__sts_policy_read(buf, f.len, &l->policy);
	if (fault != NULL) {
		l->failure = SMTPD_TLS_FAILURE_STS_POLICY_INVALID;
		snprintf(l->reason, sizeof(l->reason), "%s", fault);
	} else {
		l->text = smtpd__sts_table_text(buf, f.len);
	}
	free(buf);
}

void
smtpd__sts_look_up(const struct smtpd_sts_settings *set,
    struct smtpd_sts_look *l, const struct smtpd_cancel *cancel)
{
	struct smtpd_txt *record = &l->record;

	set->txt(set->txt_user, l->domain, cancel, record);
	if (record->status == SMTPD_TXT_FOUND &&
	    smtpd__sts_record_read(record->text, record->len, l->id) == -1)
		record->status = SMTPD_TXT_NONE;
	/* No answer says nothing against a policy that is known. */
	if (record->status == SMTPD_TXT_FAILED && l->known[0] != '\0' &&
	    l->stale)
		memcpy(l->id, l->known, sizeof(l->id));
	else if (record->status != SMTPD_TXT_FOUND)
		return;
	if (l->stale || strcmp(l->id, l->known) != 0)
		fetch_policy(set, l, cancel);
}
