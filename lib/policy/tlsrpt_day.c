/* SPDX-License-Identifier: MIT */
#include "policy/tlsrpt_day.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/hash.h"
#include "base/text.h"
#include "os/random.h"

#define KEY_SIZE  320
#define LINE_SIZE 1024

/* Fields of a line, each behind a tab. */
#define FIELDS_MAX 5

static const char *const kinds[] = {
	[SMTPD_TLSRPT_NO_POLICY] = "no-policy-found",
	[SMTPD_TLSRPT_STS] = "sts",
	[SMTPD_TLSRPT_TLSA] = "tlsa",
};

const char *
smtpd__tlsrpt_day_kind(enum smtpd_tlsrpt_kind kind)
{
	return kinds[kind];
}

int
smtpd__tlsrpt_day_begin(struct smtpd_tlsrpt_day *d, uint32_t day)
{
	uint32_t seed;

	*d = (struct smtpd_tlsrpt_day){ .day = day };
	smtpd__ring_init(&d->all);
	smtpd__random_bytes(&seed, sizeof(seed));
	return smtpd__name_table_init(&d->table, seed);
}

static void
free_summary(struct smtpd_tlsrpt_day *d, struct smtpd_tlsrpt_summary *s)
{
	for (size_t i = 0; i < s->nfailures; i++) {
		free(s->failures[i].host);
		free(s->failures[i].address);
		free(s->failures[i].source);
	}
	smtpd__name_table_remove(&d->table, &s->node);
	smtpd__ring_remove(&s->ring);
	free(s->domain);
	free(s->policy);
	free(s);
}

static struct smtpd_tlsrpt_summary *
summary_at(struct smtpd_ring *link)
{
	return SMTPD_CONTAINER_OF(link, struct smtpd_tlsrpt_summary, ring);
}

void
smtpd__tlsrpt_day_finish(struct smtpd_tlsrpt_day *d)
{
	while (!smtpd__ring_is_empty(&d->all))
		free_summary(d, summary_at(d->all.next));
	smtpd__name_table_finish(&d->table);
}

void
smtpd__tlsrpt_day_forget(struct smtpd_tlsrpt_day *d, const char *domain)
{
	struct smtpd_ring *link, *next;

	for (link = d->all.next; link != &d->all; link = next) {
		struct smtpd_tlsrpt_summary *s = summary_at(link);

		next = link->next;
		if (strcmp(s->domain, domain) == 0)
			free_summary(d, s);
	}
}

/* Add a summary for what S says, of which KEY is the name.  NULL: there is no
 * room. */
static struct smtpd_tlsrpt_summary *
add_summary(struct smtpd_tlsrpt_day *d, const struct smtpd_tlsrpt_session *s,
    const char *key)
{
	const size_t len = strlen(key) + 1;
	struct smtpd_tlsrpt_summary *sum;

	if (d->table.count >= SMTPD_TLSRPT_DOMAINS_MAX)
		return NULL;
	sum = calloc(1, sizeof(*sum) + len);
	if (sum == NULL)
		return NULL;
	sum->domain = strdup(s->domain);
	sum->policy = strdup(s->policy);
	if (sum->domain == NULL || sum->policy == NULL) {
		free(sum->domain);
		free(sum->policy);
		free(sum);
		return NULL;
	}
	memcpy(sum->key, key, len);
	sum->kind = s->kind;
	sum->node.name = sum->key;
	smtpd__name_table_add(&d->table, &sum->node);
	smtpd__ring_init(&sum->ring);
	smtpd__ring_append(&d->all, &sum->ring);
	return sum;
}

/* Write the policy of S to OUT, with one form of line ends and of blanks, as
 * far as it fits. */
static void
copy_policy(const struct smtpd_tlsrpt_session *s, struct smtpd_text *out)
{
	for (size_t i = 0; s->policy != NULL && i < s->policy_len; i++)
		if (s->policy[i] == '\t')
			smtpd__text_byte(out, ' ');
		else if (s->policy[i] != '\r' && s->policy[i] != '\0' &&
		    (s->policy[i] != '\n' || out->len > 0))
			smtpd__text_byte(out, s->policy[i]);
	while (out->len > 0 && out->at[out->len - 1] == '\n')
		out->at[--out->len] = '\0';
}

/* The summary that S belongs to; NULL: there is no room. */
static struct smtpd_tlsrpt_summary *
find_summary(struct smtpd_tlsrpt_day *d, const struct smtpd_tlsrpt_session *s)
{
	char key[KEY_SIZE], policy[SMTPD_TLSRPT_POLICY_MAX];
	struct smtpd_tlsrpt_session same = *s;
	struct smtpd_named *node;
	struct smtpd_text text;

	smtpd__text_init(&text, policy, sizeof(policy));
	copy_policy(s, &text);
	same.policy = policy;
	snprintf(key, sizeof(key), "%s %s %08lx", s->domain, kinds[s->kind],
	    (unsigned long)smtpd__hash_text(SMTPD_HASH_START, policy));
	node = smtpd__name_table_find(&d->table, key);
	if (node != NULL)
		return SMTPD_CONTAINER_OF(
		    node, struct smtpd_tlsrpt_summary, node);
	return add_summary(d, &same, key);
}

/* The failure of SUM that is like S; NULL: there is no room. */
static struct smtpd_tlsrpt_failure *
find_failure(
    struct smtpd_tlsrpt_summary *sum, const struct smtpd_tlsrpt_session *s)
{
	struct smtpd_tlsrpt_failure *f;

	for (size_t i = 0; i < sum->nfailures; i++) {
		f = &sum->failures[i];
		if (f->type == s->failure && strcmp(f->host, s->host) == 0 &&
		    strcmp(f->address, s->address) == 0 &&
		    strcmp(f->source, s->source) == 0)
			return f;
	}
	if (sum->nfailures == SMTPD_TLSRPT_FAILURES_MAX)
		return NULL;
	f = &sum->failures[sum->nfailures];
	f->type = s->failure;
	f->host = strdup(s->host);
	f->address = strdup(s->address);
	f->source = strdup(s->source);
	if (f->host != NULL && f->address != NULL && f->source != NULL) {
		sum->nfailures++;
		return f;
	}
	free(f->host);
	free(f->address);
	free(f->source);
	return NULL;
}

static void
add_sessions(struct smtpd_tlsrpt_day *d, const struct smtpd_tlsrpt_session *s,
    uint32_t count)
{
	struct smtpd_tlsrpt_summary *sum = find_summary(d, s);
	struct smtpd_tlsrpt_failure *f;

	if (sum == NULL)
		return;
	if (s->failure == SMTPD_TLS_FAILURE_NONE) {
		sum->good += count;
		return;
	}
	sum->bad += count;
	f = find_failure(sum, s);
	if (f != NULL)
		f->count += count;
}

void
smtpd__tlsrpt_day_count(
    struct smtpd_tlsrpt_day *d, const struct smtpd_tlsrpt_session *s)
{
	add_sessions(d, s, 1);
}

static void SMTPD_PRINTF(2, 3)
    put_line(struct smtpd_pack *out, const char *format, ...)
{
	char line[LINE_SIZE];
	struct smtpd_text t;
	va_list ap;

	smtpd__text_init(&t, line, sizeof(line));
	va_start(ap, format);
	smtpd__text_vformat(&t, format, ap);
	va_end(ap);
	if (!t.cut)
		smtpd__pack_bytes(out, t.at, t.len);
}

void
smtpd__tlsrpt_day_write(
    const struct smtpd_tlsrpt_day *d, struct smtpd_pack *out)
{
	for (struct smtpd_ring *link = d->all.next; link != &d->all;
	    link = link->next) {
		const struct smtpd_tlsrpt_summary *s = summary_at(link);

		/* The policy comes first, since it is a part of the key. */
		for (const char *at = s->policy; *at != '\0';) {
			const size_t len = strcspn(at, "\n");

			smtpd__pack_bytes(out, "P\t", 2);
			smtpd__pack_bytes(out, at, len);
			smtpd__pack_bytes(out, "\n", 1);
			at += len + (at[len] == '\n');
		}
		put_line(out, "D\t%s\t%s\t%u\t%u\n", s->domain, kinds[s->kind],
		    (unsigned)s->good, (unsigned)s->bad);
		for (size_t i = 0; i < s->nfailures; i++) {
			const struct smtpd_tlsrpt_failure *f = &s->failures[i];

			put_line(out, "F\t%s\t%s\t%s\t%s\t%u\n",
			    smtpd__tls_policy_failure(f->type), f->host,
			    f->address, f->source, (unsigned)f->count);
		}
	}
}

/* What is being read of a day. */
struct reading {
	struct smtpd_tlsrpt_day *day;
	struct smtpd_text policy;
	char policy_text[SMTPD_TLSRPT_POLICY_MAX];
	struct smtpd_tlsrpt_session session;
	struct smtpd_tlsrpt_summary *summary; /* NULL: none yet */
};

/* Divide LINE at tabs, in place.  Return how many fields are behind the
 * first. */
static size_t
split_fields(char *line, char *fields[FIELDS_MAX])
{
	size_t n = 0;

	while (n < FIELDS_MAX && (line = strchr(line, '\t')) != NULL) {
		*line++ = '\0';
		fields[n++] = line;
	}
	return n;
}

static void
read_summary(struct reading *r, char *fields[FIELDS_MAX])
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(fields[1], kinds[i]) != 0)
			continue;
		r->session = (struct smtpd_tlsrpt_session){
			.domain = fields[0],
			.kind = (enum smtpd_tlsrpt_kind)i,
			.policy = r->policy.at,
			.policy_len = r->policy.len,
		};
		r->summary = find_summary(r->day, &r->session);
		if (r->summary != NULL) {
			r->summary->good +=
			    (uint32_t)strtoul(fields[2], NULL, 10);
			r->summary->bad +=
			    (uint32_t)strtoul(fields[3], NULL, 10);
		}
	}
	smtpd__text_init(&r->policy, r->policy_text, sizeof(r->policy_text));
}

static void
read_failure(struct reading *r, char *fields[FIELDS_MAX])
{
	struct smtpd_tlsrpt_session s = {
		.host = fields[1],
		.address = fields[2],
		.source = fields[3],
	};
	struct smtpd_tlsrpt_failure *f;

	for (int i = SMTPD_TLS_FAILURE_STARTTLS_NOT_SUPPORTED;
	    i <= SMTPD_TLS_FAILURE_STS_WEBPKI_INVALID; i++)
		if (strcmp(fields[0],
			smtpd__tls_policy_failure((enum smtpd_tls_failure)i)) ==
		    0)
			s.failure = (enum smtpd_tls_failure)i;
	if (r->summary == NULL || s.failure == SMTPD_TLS_FAILURE_NONE)
		return;
	f = find_failure(r->summary, &s);
	if (f != NULL)
		f->count += (uint32_t)strtoul(fields[4], NULL, 10);
}

static void
read_line(struct reading *r, char *line)
{
	char *fields[FIELDS_MAX];

	if (strncmp(line, "P\t", 2) == 0) {
		if (r->policy.len > 0)
			smtpd__text_byte(&r->policy, '\n');
		smtpd__text_add(&r->policy, line + 2);
		return;
	}
	if (*line == 'D' && split_fields(line, fields) == 4)
		read_summary(r, fields);
	else if (*line == 'F' && split_fields(line, fields) == 5)
		read_failure(r, fields);
}

void
smtpd__tlsrpt_day_read(struct smtpd_tlsrpt_day *d, char *text, size_t len)
{
	struct reading *r = calloc(1, sizeof(*r));
	char *end = text + len;

	if (r == NULL)
		return;
	r->day = d;
	smtpd__text_init(&r->policy, r->policy_text, sizeof(r->policy_text));
	while (text < end) {
		char *next = memchr(text, '\n', (size_t)(end - text));

		/* A line without its end is cut off. */
		if (next == NULL)
			break;
		*next = '\0';
		read_line(r, text);
		text = next + 1;
	}
	free(r);
}
