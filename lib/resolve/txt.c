/* SPDX-License-Identifier: MIT */
#include "resolve/txt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sized.h"
#include "os/clock.h"
#include "resolve/dns.h"

#define TIMEOUT_MS 5000
#define TRIES      2
#define TOTAL_MS   20000

struct smtpd_txt_source {
	struct smtpd_dns *dns;
};

static uint32_t
or_default(uint32_t value, uint32_t fallback)
{
	return value == 0 ? fallback : value;
}

struct smtpd_txt_source *
smtpd__txt_create(const struct smtpd_resolver_settings *settings)
{
	struct smtpd_resolver_settings known;
	struct smtpd_dns_settings dns;
	struct smtpd_txt_source *s;
	int code;

	if (smtpd__sized_copy(&known, sizeof(known), settings) == -1)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	dns = (struct smtpd_dns_settings){
		.servers = known.servers,
		.timeout_ms = or_default(known.timeout_ms, TIMEOUT_MS),
		.tries = or_default(known.tries, TRIES),
		.trust = known.trust_servers,
	};
	s->dns = smtpd__dns_create(&dns);
	if (s->dns != NULL)
		return s;
	code = errno;
	free(s);
	errno = code;
	return NULL;
}

void
smtpd__txt_destroy(struct smtpd_txt_source *s)
{
	if (s == NULL)
		return;
	smtpd__dns_destroy(s->dns);
	free(s);
}

size_t
smtpd__txt_join(
    const struct smtpd_dns_answer *answer, size_t i, struct smtpd_text *text)
{
	do {
		smtpd__text_bytes(
		    text, answer->records[i].text, answer->records[i].text_len);
		i++;
	} while (i < answer->count && !answer->records[i].begins);
	return i;
}

static void
choose_record(const struct smtpd_dns_answer *answer,
    bool (*is_kind)(const char *text, size_t len), struct smtpd_txt *out)
{
	char buf[SMTPD_TXT_SIZE];
	size_t found = 0;

	for (size_t i = 0; i < answer->count;) {
		struct smtpd_text text;

		smtpd__text_init(&text, buf, sizeof(buf));
		i = smtpd__txt_join(answer, i, &text);
		if (!is_kind(text.at, text.len))
			continue;
		found++;
		if (text.cut)
			found = 2;
		out->len = text.len;
		memcpy(out->text, buf, text.len);
	}
	out->status = found == 1 ? SMTPD_TXT_FOUND : SMTPD_TXT_NONE;
}

void
smtpd__txt_find(struct smtpd_txt_source *s, const char *name,
    bool (*is_kind)(const char *text, size_t len),
    const struct smtpd_cancel *cancel, struct smtpd_txt *out)
{
	struct smtpd_dns_answer *answer =
	    smtpd__dns_ask(s->dns, name, SMTPD_DNS_TXT,
		smtpd__clock_after(smtpd__clock_ms(), TOTAL_MS), cancel);

	out->status = SMTPD_TXT_FAILED;
	out->ttl_s = 0;
	out->len = 0;
	if (answer != NULL && answer->status != SMTPD_DNS_FAILED) {
		out->status = SMTPD_TXT_NONE;
		out->ttl_s = answer->ttl_s;
		choose_record(answer, is_kind, out);
	}
	free(answer);
}
