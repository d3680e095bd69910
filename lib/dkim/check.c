/* SPDX-License-Identifier: MIT */
#include "dkim/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sized.h"
#include "base/text.h"
#include "dkim/key_record.h"
#include "dkim/signer.h"
#include "os/clock.h"
#include "resolve/dns.h"
#include "resolve/txt.h"

#define TIMEOUT_MS 5000
#define TRIES      2
#define TOTAL_MS   60000

/* Room for the strings of one record; what has more is no key record of a key
 * that can be used. */
#define TEXT_SIZE 8192

/* Compare all records with KEY.  Return NULL when one has it, or what is wrong
 * with the last. */
static const char *
compare_records(const struct smtpd_dns_answer *answer,
    const struct smtpd_dkim_signer_key *key)
{
	const char *fault = "has no text";
	char buf[TEXT_SIZE];

	for (size_t i = 0; i < answer->count && fault != NULL;) {
		struct smtpd_text text;

		smtpd__text_init(&text, buf, sizeof(buf));
		i = smtpd__txt_join(answer, i, &text);
		fault = smtpd__key_record_compare(buf, key);
	}
	return fault;
}

/* What ANSWER for NAME means for KEY.  Return 0, or -1 with errno. */
static int
judge_answer(const struct smtpd_dns_answer *answer, const char *name,
    const struct smtpd_dkim_signer_key *key, char *error, size_t size)
{
	const char *fault;

	if (answer->status == SMTPD_DNS_FAILED) {
		snprintf(error, size, "%s: %s", name, answer->reason);
		errno = EAGAIN;
		return -1;
	}
	if (answer->status != SMTPD_DNS_FOUND) {
		snprintf(error, size, "the DNS has no TXT record %s", name);
		errno = ENOENT;
		return -1;
	}
	fault = compare_records(answer, key);
	if (fault == NULL)
		return 0;
	snprintf(error, size, "the TXT record %s %s", name, fault);
	errno = EBADMSG;
	return -1;
}

static uint32_t
or_default(uint32_t value, uint32_t fallback)
{
	return value == 0 ? fallback : value;
}

/* Ask for the TXT records of NAME.  NULL with errno. */
static struct smtpd_dns_answer *
ask_txt(const struct smtpd_resolver_settings *s, const char *name)
{
	const struct smtpd_dns_settings settings = {
		.servers = s->servers,
		.timeout_ms = or_default(s->timeout_ms, TIMEOUT_MS),
		.tries = or_default(s->tries, TRIES),
	};
	struct smtpd_dns *dns = smtpd__dns_create(&settings);
	uint64_t deadline = smtpd__clock_after(
	    smtpd__clock_ms(), or_default(s->total_ms, TOTAL_MS));
	struct smtpd_dns_answer *answer;

	if (dns == NULL)
		return NULL;
	errno = ENOMEM;
	answer = smtpd__dns_ask(dns, name, SMTPD_DNS_TXT, deadline, NULL);
	smtpd__dns_destroy(dns);
	return answer;
}

int
smtpd_dkim_check(const struct smtpd_dkim *d, size_t i,
    const struct smtpd_resolver_settings *settings, char *error, size_t size)
{
	char name[SMTPD_DKIM_NAME_SIZE], record[SMTPD_DKIM_RECORD_SIZE];
	struct smtpd_resolver_settings known;
	struct smtpd_dns_answer *answer;
	int status, code;

	if (i >= d->count) {
		snprintf(error, size, "there is no such key");
		errno = ERANGE;
		return -1;
	}
	if (smtpd_dkim_record(d, i, name, record) == -1 && errno != ENOENT) {
		snprintf(error, size, "no memory");
		return -1;
	}
	if (smtpd__sized_copy(&known, sizeof(known), settings) == -1) {
		snprintf(error, size, "the size of the settings is not set");
		return -1;
	}
	answer = ask_txt(&known, name);
	if (answer == NULL) {
		snprintf(error, size,
		    errno == EINVAL ? "there are no DNS servers to ask"
				    : "no memory");
		return -1;
	}
	status = judge_answer(answer, name, &d->keys[i], error, size);
	code = errno;
	free(answer);
	errno = code;
	return status;
}
