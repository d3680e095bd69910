/* SPDX-License-Identifier: MIT */
#include "queue/domain_policies.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "os/clock.h"
#include "policy/sts_thread.h"

/* Keep policies in a directory of the queue.  Return 0, or -1 with errno and
 * the PATH. */
static int
open_sts(struct smtpd_delivery *d, const char *directory, char path[PATH_MAX])
{
	const struct smtpd_sts_settings set = {
		.directory = path,
		.txt = smtpd__sts_source_txt,
		.txt_user = d->sts_source,
		.fetch = smtpd__sts_source_fetch,
		.fetch_user = d->sts_source,
		.logger = d->logger,
	};

	snprintf(path, PATH_MAX, "%s/mta-sts", directory);
	d->sts = smtpd__sts_create(&set);
	if (d->sts == NULL)
		return -1;
	smtpd__route_set_sts(d->router, d->sts);
	return 0;
}

static int
open_tlsrpt(struct smtpd_delivery *d, const struct smtpd_policy_settings *given,
    const char *directory, char path[PATH_MAX])
{
	const struct smtpd_tlsrpt_settings set = {
		.directory = path,
		.txt = smtpd__sts_source_tlsrpt,
		.txt_user = d->sts_source,
		.report = given->report,
		.report_user = given->report_user,
		.who = { d->organization, d->contact, d->hostname },
		.logger = d->logger,
	};

	snprintf(d->organization, sizeof(d->organization), "%s",
	    given->organization != NULL ? given->organization : d->hostname);
	snprintf(d->contact, sizeof(d->contact), "%s",
	    given->contact != NULL ? given->contact : d->settings.postmaster);
	snprintf(path, PATH_MAX, "%s/tls-report", directory);
	d->tlsrpt = smtpd__tlsrpt_create(&set, smtpd__clock_wall_ms() / 1000);
	d->agent.tlsrpt = d->tlsrpt;
	return d->tlsrpt != NULL ? 0 : -1;
}

int
smtpd__domain_policies_open(struct smtpd_delivery *d,
    const struct smtpd_queue_settings *settings, const char *directory,
    char *error, size_t size)
{
	const struct smtpd_policy_settings *set = settings->policy;
	char path[PATH_MAX] = "the DNS";
	int code;

	if (set->fetch == NULL && set->report == NULL)
		return 0;
	d->sts_source = smtpd__sts_source_create(
	    settings->resolver, set->fetch, set->fetch_user);
	if (d->sts_source != NULL &&
	    (set->fetch == NULL || open_sts(d, directory, path) == 0) &&
	    (set->report == NULL || open_tlsrpt(d, set, directory, path) == 0))
		return 0;
	code = errno;
	snprintf(error, size, "%s: %s", path, strerror(code));
	errno = code;
	return -1;
}

int
smtpd__domain_policies_start(struct smtpd_delivery *d)
{
	int code = d->sts != NULL ? smtpd__sts_thread_start(d->sts) : 0;

	if (code == 0 && d->tlsrpt != NULL)
		code = smtpd__tlsrpt_thread_start(&d->tlsrpt_thread, d->tlsrpt);
	return code;
}

void
smtpd__domain_policies_stop(struct smtpd_delivery *d)
{
	if (d->sts != NULL)
		smtpd__sts_thread_stop(d->sts);
	smtpd__tlsrpt_thread_stop(&d->tlsrpt_thread);
}

char *
smtpd__domain_policies_show(void *delivery)
{
	struct smtpd_delivery *d = delivery;
	struct smtpd_pack text = { .data = NULL };

	if (d->tlsrpt == NULL)
		return NULL;
	smtpd__tlsrpt_show(d->tlsrpt, &text);
	smtpd__pack_u8(&text, 0);
	if (!text.failed)
		return (char *)text.data;
	smtpd__pack_free(&text);
	return NULL;
}

void
smtpd__domain_policies_close(struct smtpd_delivery *d)
{
	smtpd__domain_policies_stop(d);
	smtpd__sts_destroy(d->sts);
	smtpd__tlsrpt_destroy(d->tlsrpt);
	smtpd__sts_source_destroy(d->sts_source);
}
