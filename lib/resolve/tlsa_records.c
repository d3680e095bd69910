/* SPDX-License-Identifier: MIT */
#include "resolve/tlsa_records.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "resolve/fetch.h"
#include "resolve/hostname.h"

struct smtpd_tlsa_set *
smtpd__tlsa_records_read(const struct smtpd_dns_answer *answer)
{
	unsigned char record[SMTPD_TLSA_DATA_MAX + 4];
	struct smtpd_tlsa_set *set =
	    smtpd__tlsa_create(answer->count * sizeof(answer->records[0].text));
	size_t len = 0;

	if (set == NULL)
		return NULL;
	for (size_t i = 0; i < answer->count; i++) {
		const struct smtpd_dns_record *piece = &answer->records[i];
		size_t room = sizeof(record) - len;

		/* One that is too long is as good as any other such one. */
		if (piece->text_len < room)
			room = piece->text_len;
		memcpy(record + len, piece->text, room);
		len += room;
		if (i + 1 < answer->count && !answer->records[i + 1].begins)
			continue;
		smtpd__tlsa_add(set, record, len);
		len = 0;
	}
	smtpd__tlsa_finish(set);
	return set;
}

int
smtpd__tlsa_records_name(
    const char *host, uint16_t port, char *name, size_t size)
{
	int len = snprintf(name, size, "_%u._tcp.%s", (unsigned)port, host);

	return len < 0 || (size_t)len >= size ? -1 : 0;
}

/* The records of ANSWER, or NULL with errno. */
static struct smtpd_tlsa_set *
read_answer(const struct smtpd_dns_answer *answer, bool *secure)
{
	struct smtpd_tlsa_set *set;

	*secure = answer->authenticated;
	errno = answer->status == SMTPD_DNS_FAILED ? EAGAIN : ENOENT;
	if (answer->status != SMTPD_DNS_FOUND)
		return NULL;
	set = smtpd__tlsa_records_read(answer);
	errno = ENOMEM;
	return set;
}

struct smtpd_tlsa_set *
smtpd_resolve_tlsa(struct smtpd_resolver *r, const char *host, uint16_t port,
    const struct smtpd_cancel *cancel, bool *secure)
{
	char known[SMTPD_DNS_HOST_MAX], name[SMTPD_DNS_HOST_MAX];
	struct smtpd_dns_answer *answer;
	struct smtpd_tlsa_set *set;
	int error;

	*secure = false;
	errno = EINVAL;
	if (host == NULL || smtpd__hostname_normalise(host, known) == -1 ||
	    smtpd__tlsa_records_name(known, port, name, sizeof(name)) == -1)
		return NULL;
	answer = smtpd__fetch_answer(r, name, SMTPD_DNS_TLSA,
	    smtpd__clock_after(smtpd__clock_ms(), r->total_ms), cancel);
	errno = ENOMEM;
	if (answer == NULL)
		return NULL;
	set = read_answer(answer, secure);
	error = errno;
	free(answer);
	errno = error;
	return set;
}

size_t
smtpd_tlsa_count(const struct smtpd_tlsa_set *set)
{
	return set->count;
}

void
smtpd_tlsa_get(
    const struct smtpd_tlsa_set *set, size_t i, char *out, size_t size)
{
	struct smtpd_text text;

	smtpd__text_init(&text, out, size);
	if (i < set->count)
		smtpd__tlsa_write(&set->list[i], &text);
}

void
smtpd_tlsa_free(struct smtpd_tlsa_set *set)
{
	free(set);
}
