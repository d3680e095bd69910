/* SPDX-License-Identifier: MIT */
#include "queue/delivery/trouble.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "os/clock.h"

/* The DNS is said to be silent again no earlier than so long after it was said
 * to answer: some names are never answered for, while others are. */
#define DNS_AGAIN_MS 600000

void
smtpd__trouble_tell_all(struct smtpd_delivery *d, bool all)
{
	if (atomic_load(&d->trouble.all) == all ||
	    atomic_exchange(&d->trouble.all, all) == all)
		return;
	if (all)
		smtpd__logger_write(&d->logger, SMTPD_LOG_WARNING,
		    "no mail goes out: every site that it is for is in "
		    "trouble");
	else
		smtpd__logger_write(
		    &d->logger, SMTPD_LOG_INFO, "mail goes out again");
}

void
smtpd__trouble_tell_site(struct smtpd_delivery *d,
    const struct smtpd_site_status *status, const struct smtpd_result *why)
{
	char name[SMTPD_LOGGER_LINE_SIZE / 2], code[16];

	if (status->trouble_begins || status->trouble_ends)
		smtpd__text_value(status->name, name, sizeof(name));
	if (status->trouble_ends)
		smtpd__logger_write(&d->logger, SMTPD_LOG_INFO,
		    "mail for site=%s goes out again", name);
	if (status->trouble_begins) {
		snprintf(code, sizeof(code), "%d ", why->code);
		smtpd__logger_write(&d->logger, SMTPD_LOG_WARNING,
		    "mail for site=%s waits: %s%s", name,
		    why->code != 0 ? code : "", why->text);
	}
	if (status->none_left)
		smtpd__trouble_tell_all(d, true);
}

void
smtpd__trouble_tell_dns(struct smtpd_delivery *d,
    const struct smtpd_found_route *route, uint64_t since)
{
	struct smtpd_delivery_trouble *t = &d->trouble;
	bool begins = false, ends = false;

	pthread_mutex_lock(&d->lock);
	if (route->answered) {
		ends = t->dns_silent;
		t->dns_silent = false;
		t->dns_answered = smtpd__clock_ms();
		if (ends)
			t->dns_again = t->dns_answered + DNS_AGAIN_MS;
	} else if (route->unanswered && !t->dns_silent &&
	    since > t->dns_answered && since >= t->dns_again) {
		begins = t->dns_silent = true;
	}
	pthread_mutex_unlock(&d->lock);
	if (begins)
		smtpd__logger_write(&d->logger, SMTPD_LOG_WARNING,
		    "the DNS does not answer, mail waits: %s", route->why.text);
	if (ends)
		smtpd__logger_write(
		    &d->logger, SMTPD_LOG_INFO, "the DNS answers again");
}

void
smtpd__trouble_tell_dnssec(
    struct smtpd_delivery *d, const struct smtpd_found_route *route)
{
	static const char *const words[] = {
		[SMTPD_DNSSEC_VALIDATED] = "validates: DANE is in use",
		[SMTPD_DNSSEC_UNTRUSTED] =
		    "validates, but is not believed, as it is not on this "
		    "host: there is no DANE",
		[SMTPD_DNSSEC_ABSENT] = "does not validate: there is no DANE",
		[SMTPD_DNSSEC_UNKNOWN] =
		    "does not say whether it validates: if not, there is no "
		    "DANE",
	};

	if (!route->answered ||
	    !atomic_exchange(&d->trouble.dnssec_untold, false))
		return;
	smtpd__logger_write(&d->logger, SMTPD_LOG_INFO, "the DNS server %s",
	    words[smtpd__route_dnssec(d->router, d->cancel)]);
}

bool
smtpd__trouble_await_disk(struct smtpd_delivery *d,
    struct smtpd_disk_trouble *t, const bool *stopping)
{
	const struct timespec second = { .tv_sec = 1 };

	t->last = t->last || errno == EFBIG || errno == EINVAL;
	if (!t->logged)
		smtpd__logger_write(&d->logger, SMTPD_LOG_ERROR,
		    "cannot record the result of an attempt: %s",
		    strerror(errno));
	t->logged = true;
	if (t->last)
		return false;
	nanosleep(&second, NULL);
	pthread_mutex_lock(&d->lock);
	t->last = *stopping;
	pthread_mutex_unlock(&d->lock);
	return true;
}
