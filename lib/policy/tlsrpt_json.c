/* SPDX-License-Identifier: MIT */
#include "policy/tlsrpt_json.h"

#include <stdio.h>
#include <string.h>

#include "base/container.h"
#include "base/text.h"
#include "base/utf8.h"
#include "grammar/date.h"
#include "grammar/sts_policy.h"

#define DAY_S 86400

static void
put_text(struct smtpd_pack *out, const char *s)
{
	smtpd__pack_bytes(out, s, strlen(s));
}

/* Append LEN bytes at S as a string (RFC 8259, 7); what is no UTF-8 becomes
 * "?". */
static void
put_string(struct smtpd_pack *out, const char *s, size_t len)
{
	put_text(out, "\"");
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t point = '?';

		n = smtpd__utf8_decode(s + i, len - i, &point);
		if (n == 0 || smtpd__utf8_is_control(point)) {
			n = n == 0 ? 1 : n;
			put_text(out, "?");
			continue;
		}
		if (point == '"' || point == '\\')
			put_text(out, "\\");
		smtpd__pack_bytes(out, s + i, n);
	}
	put_text(out, "\"");
}

/* Append ,"NAME":"VALUE", or without the comma where it is the first. */
static void
put_member(
    struct smtpd_pack *out, bool first, const char *name, const char *value)
{
	put_text(out, first ? "" : ",");
	put_string(out, name, strlen(name));
	put_text(out, ":");
	put_string(out, value, strlen(value));
}

static void
put_number(struct smtpd_pack *out, bool first, const char *name, uint32_t n)
{
	char text[64];

	snprintf(text, sizeof(text), "%s\"%s\":%lu", first ? "" : ",", name,
	    (unsigned long)n);
	put_text(out, text);
}

static void
put_time(struct smtpd_pack *out, bool first, const char *name, int64_t when)
{
	char text[SMTPD_DATE_STAMP_MAX];

	smtpd__date_write_stamp((time_t)when, text);
	put_member(out, first, name, text);
}

/* The lines of the policy, or of those that allow hosts their patterns. */
static void
put_lines(struct smtpd_pack *out, const struct smtpd_tlsrpt_summary *s, bool mx)
{
	const struct smtpd_sts_policy p = { .text = s->policy,
		.len = strlen(s->policy) };
	size_t at = 0, len, name_len = 0;
	bool first = true;
	const char *line;

	put_text(out, mx ? ",\"mx-host\":[" : ",\"policy-string\":[");
	while ((line = smtpd__sts_policy_line(&p, &at, &len)) != NULL) {
		const char *name =
		    mx ? smtpd__sts_policy_mx(line, len, &name_len) : line;

		if (name == NULL || len == 0)
			continue;
		put_text(out, first ? "" : ",");
		put_string(out, name, mx ? name_len : len);
		first = false;
	}
	put_text(out, "]");
}

static void
put_failures(struct smtpd_pack *out, const struct smtpd_tlsrpt_summary *s)
{
	put_text(out, ",\"failure-details\":[");
	for (size_t i = 0; i < s->nfailures; i++) {
		const struct smtpd_tlsrpt_failure *f = &s->failures[i];

		put_text(out, i > 0 ? ",{" : "{");
		put_member(out, true, "result-type",
		    smtpd__tls_policy_failure(f->type));
		if (f->source[0] != '\0')
			put_member(out, false, "sending-mta-ip", f->source);
		if (f->host[0] != '\0')
			put_member(
			    out, false, "receiving-mx-hostname", f->host);
		if (f->address[0] != '\0')
			put_member(out, false, "receiving-ip", f->address);
		put_number(out, false, "failed-session-count", f->count);
		put_text(out, "}");
	}
	put_text(out, "]");
}

static void
put_summary(struct smtpd_pack *out, const struct smtpd_tlsrpt_summary *s)
{
	put_text(out, "{\"policy\":{");
	put_member(out, true, "policy-type", smtpd__tlsrpt_day_kind(s->kind));
	if (s->kind != SMTPD_TLSRPT_NO_POLICY)
		put_lines(out, s, false);
	put_member(out, false, "policy-domain", s->domain);
	if (s->kind == SMTPD_TLSRPT_STS)
		put_lines(out, s, true);
	put_text(out, "},\"summary\":{");
	put_number(out, true, "total-successful-session-count", s->good);
	put_number(out, false, "total-failure-session-count", s->bad);
	put_text(out, "}");
	if (s->nfailures > 0)
		put_failures(out, s);
	put_text(out, "}");
}

void
smtpd__tlsrpt_json_id(const struct smtpd_tlsrpt_reporter *who,
    const struct smtpd_tlsrpt_day *d, const char *domain,
    char id[SMTPD_TLSRPT_ID_SIZE])
{
	char text[SMTPD_DATE_STAMP_MAX];

	smtpd__date_write_stamp((time_t)d->day * DAY_S, text);
	snprintf(
	    id, SMTPD_TLSRPT_ID_SIZE, "%.10s.%s@%s", text, domain, who->host);
}

void
smtpd__tlsrpt_json_write(const struct smtpd_tlsrpt_reporter *who,
    const struct smtpd_tlsrpt_day *d, const char *domain,
    struct smtpd_pack *out)
{
	const int64_t begin = (int64_t)d->day * DAY_S;
	char id[SMTPD_TLSRPT_ID_SIZE];
	bool first = true;

	smtpd__tlsrpt_json_id(who, d, domain, id);
	put_text(out, "{");
	put_member(out, true, "organization-name", who->organization);
	put_text(out, ",\"date-range\":{");
	put_time(out, true, "start-datetime", begin);
	put_time(out, false, "end-datetime", begin + DAY_S - 1);
	put_text(out, "}");
	put_member(out, false, "contact-info", who->contact);
	put_member(out, false, "report-id", id);
	put_text(out, ",\"policies\":[");
	for (struct smtpd_ring *link = d->all.next; link != &d->all;
	    link = link->next) {
		const struct smtpd_tlsrpt_summary *s =
		    SMTPD_CONTAINER_OF(link, struct smtpd_tlsrpt_summary, ring);

		if (strcmp(s->domain, domain) != 0)
			continue;
		put_text(out, first ? "" : ",");
		put_summary(out, s);
		first = false;
	}
	put_text(out, "]}\n");
}
