/* SPDX-License-Identifier: MIT */
#include "resolve/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/clock.h"
#include "resolve/fetch.h"

/* Names of one address that are looked at. */
#define NAMES_MAX 5

/* Room for the name that a PTR is asked by: 32 nibbles with dots, a zone. */
#define REVERSE_SIZE 96

struct smtpd_record_list {
	struct smtpd_records head;
	char *texts[]; /* into the memory behind them */
};

static const enum smtpd_dns_type types[] = {
	[SMTPD_LOOKUP_A] = SMTPD_DNS_A,
	[SMTPD_LOOKUP_AAAA] = SMTPD_DNS_AAAA,
	[SMTPD_LOOKUP_TXT] = SMTPD_DNS_TXT,
	[SMTPD_LOOKUP_PTR] = SMTPD_DNS_PTR,
};

/* Write the bytes of an IPv4 ADDRESS backwards. */
static void
write_bytes(struct smtpd_text *t, const unsigned char *address)
{
	for (int i = 3; i >= 0; i--)
		smtpd__text_format(t, "%u.", address[i]);
}

static void
write_nibbles(struct smtpd_text *t, const unsigned char *address)
{
	for (int i = 15; i >= 0; i--)
		smtpd__text_format(
		    t, "%x.%x.", address[i] & 15U, address[i] >> 4);
}

/* Write ADDRESS backwards, and behind it the zone of its family. */
static int
write_reverse(const char *address, const char *four, const char *six, char *buf,
    size_t size)
{
	unsigned char bytes[16];
	struct smtpd_text t;

	smtpd__text_init(&t, buf, size);
	if (inet_pton(AF_INET, address, bytes) == 1) {
		write_bytes(&t, bytes);
		smtpd__text_add(&t, four);
	} else if (inet_pton(AF_INET6, address, bytes) == 1) {
		write_nibbles(&t, bytes);
		smtpd__text_add(&t, six);
	} else {
		errno = EINVAL;
		return -1;
	}
	errno = ERANGE;
	return t.cut ? -1 : 0;
}

int
smtpd_lookup_reverse(
    const char *address, const char *zone, char *buf, size_t size)
{
	return write_reverse(address, zone, zone, buf, size);
}

/* Append the text of record *I of ANSWER to T, and move *I past it. */
static void
write_record(struct smtpd_text *t, const struct smtpd_dns_answer *answer,
    enum smtpd_lookup_type type, size_t *i)
{
	const struct smtpd_dns_record *record = &answer->records[*i];
	char text[INET6_ADDRSTRLEN] = "";

	(*i)++;
	switch (type) {
	case SMTPD_LOOKUP_A:
	case SMTPD_LOOKUP_AAAA:
		inet_ntop(type == SMTPD_LOOKUP_A ? AF_INET : AF_INET6,
		    record->address, text, sizeof(text));
		smtpd__text_add(t, text);
		break;
	case SMTPD_LOOKUP_PTR:
		smtpd__text_add(t, record->host);
		break;
	case SMTPD_LOOKUP_TXT:
		smtpd__text_bytes(t, record->text, record->text_len);
		while (*i < answer->count && !answer->records[*i].begins) {
			record = &answer->records[(*i)++];
			smtpd__text_bytes(t, record->text, record->text_len);
		}
		break;
	}
}

static enum smtpd_resolve_outcome
outcome_of(const struct smtpd_dns_answer *answer)
{
	switch (answer->status) {
	case SMTPD_DNS_FOUND:
		return SMTPD_RESOLVE_FOUND;
	case SMTPD_DNS_NODATA:
	case SMTPD_DNS_NXDOMAIN:
		return SMTPD_RESOLVE_NEVER;
	case SMTPD_DNS_FAILED:
		break;
	}
	return SMTPD_RESOLVE_LATER;
}

/* Octets that each record takes as text at most, with its NUL. */
#define RECORD_SIZE 256

/* Make records of ANSWER.  NULL without memory. */
static struct smtpd_records *
make_records(const struct smtpd_dns_answer *answer, enum smtpd_lookup_type type)
{
	size_t n = answer->status == SMTPD_DNS_FOUND ? answer->count : 0;
	struct smtpd_record_list *list =
	    calloc(1, sizeof(*list) + n * (sizeof(char *) + RECORD_SIZE));
	char *at;

	if (list == NULL)
		return NULL;
	at = (char *)(list->texts + n);
	list->head.outcome = outcome_of(answer);
	list->head.ttl_s = answer->ttl_s;
	for (size_t i = 0; i < n;) {
		size_t left = (n - i) * RECORD_SIZE;
		struct smtpd_text t;

		smtpd__text_init(&t, at, left);
		write_record(&t, answer, type, &i);
		list->texts[list->head.count++] = at;
		at += t.len + 1;
	}
	return &list->head;
}

struct smtpd_records *
smtpd_lookup(struct smtpd_resolver *r, const char *name,
    enum smtpd_lookup_type type, uint32_t timeout_ms,
    const struct smtpd_cancel *cancel)
{
	const uint64_t deadline =
	    smtpd__clock_after(smtpd__clock_ms(), timeout_ms);
	char lower[SMTPD_DNS_HOST_MAX], reverse[REVERSE_SIZE];
	struct smtpd_dns_answer *answer;
	struct smtpd_records *records;
	size_t len;

	if (name != NULL && type == SMTPD_LOOKUP_PTR &&
	    write_reverse(name, "in-addr.arpa", "ip6.arpa", reverse,
		sizeof(reverse)) == 0)
		name = reverse;
	len = name != NULL ? strlen(name) : 0;
	if (len == 0 || len >= sizeof(lower) || name[len - 1] == '.' ||
	    (unsigned)type > SMTPD_LOOKUP_PTR) {
		errno = EINVAL;
		return NULL;
	}
	for (size_t i = 0; i <= len; i++)
		lower[i] = (char)smtpd__text_to_lower((unsigned char)name[i]);
	answer = smtpd__fetch_answer(r, lower, types[type], deadline, cancel);
	errno = ENOMEM;
	if (answer == NULL)
		return NULL;
	records = make_records(answer, type);
	free(answer);
	return records;
}

const char *
smtpd_records_get(const struct smtpd_records *records, size_t i)
{
	const struct smtpd_record_list *list =
	    (const struct smtpd_record_list *)records;

	return i < records->count ? list->texts[i] : NULL;
}

void
smtpd_records_free(struct smtpd_records *records)
{
	free(records);
}

/* Whether S, from the DNS, may stand in log lines and fields as the name of a
 * host. */
static bool
is_host_name(const char *s)
{
	for (size_t i = 0; s[i] != '\0'; i++)
		if (!smtpd__text_is_alnum((unsigned char)s[i]) &&
		    strchr("-._", s[i]) == NULL)
			return false;
	return s[0] != '\0' && s[0] != '.';
}

/* Whether NAME has ADDRESS. */
static bool
has_address(struct smtpd_resolver *r, const char *name, const char *address,
    uint64_t deadline, const struct smtpd_cancel *cancel)
{
	const uint64_t now = smtpd__clock_ms();
	struct smtpd_records *found = smtpd_lookup(r, name,
	    strchr(address, ':') != NULL ? SMTPD_LOOKUP_AAAA : SMTPD_LOOKUP_A,
	    now < deadline ? (uint32_t)(deadline - now) : 0, cancel);
	bool has = false;

	for (size_t i = 0; found != NULL && i < found->count; i++)
		has = has || strcmp(smtpd_records_get(found, i), address) == 0;
	smtpd_records_free(found);
	return has;
}

int
smtpd_lookup_name(struct smtpd_resolver *r, const char *address,
    uint32_t timeout_ms, const struct smtpd_cancel *cancel, char *name,
    bool *confirmed)
{
	const uint64_t deadline =
	    smtpd__clock_after(smtpd__clock_ms(), timeout_ms);
	unsigned char bytes[16];
	struct smtpd_records *names = NULL;

	*confirmed = false;
	name[0] = '\0';
	if (inet_pton(AF_INET, address, bytes) == 1 ||
	    inet_pton(AF_INET6, address, bytes) == 1)
		names = smtpd_lookup(
		    r, address, SMTPD_LOOKUP_PTR, timeout_ms, cancel);
	for (size_t i = 0;
	    names != NULL && i < names->count && i < NAMES_MAX && !*confirmed;
	    i++) {
		const char *host = smtpd_records_get(names, i);

		if (!is_host_name(host))
			continue;
		*confirmed = has_address(r, host, address, deadline, cancel);
		if (*confirmed || name[0] == '\0')
			snprintf(name, SMTPD_DNS_HOST_MAX, "%s", host);
	}
	smtpd_records_free(names);
	return name[0] != '\0' ? 0 : -1;
}
