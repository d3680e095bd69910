/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "resolve/dns_message.h"

static void
must_be_name(const char *name, size_t size)
{
	const char *end = memchr(name, '\0', size);

	must(end != NULL);
	must(is_printable(name, (size_t)(end - name)));
}

/* What is clear holds together; what is not tells why. */
static void
must_be_sound(const struct smtpd_dns_question *q,
    const struct smtpd_dns_answer *a, enum smtpd_dns_reading reading)
{
	must(a->count <= SMTPD_DNS_RECORDS_MAX);
	if (reading == SMTPD_DNS_UNCLEAR)
		must(a->status == SMTPD_DNS_FAILED && a->reason[0] != '\0' &&
		    a->count == 0 && a->ttl_s == 0);
	if (reading != SMTPD_DNS_CLEAR)
		return;
	must(a->status != SMTPD_DNS_FAILED);
	must((a->count > 0) == (a->status == SMTPD_DNS_FOUND));
	must(a->count == 0 || a->ttl_s <= INT32_MAX);
	if (q->type != SMTPD_DNS_MX)
		return;
	for (size_t i = 0; i < a->count; i++)
		must_be_name(a->records[i].host, sizeof(a->records[i].host));
}

/* A byte for the type and for EDNS, then a message that answers for a.example
 * with whatever id. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum smtpd_dns_type types[] = { SMTPD_DNS_MX, SMTPD_DNS_A,
		SMTPD_DNS_AAAA, SMTPD_DNS_MX };
	struct smtpd_dns_question q = { .name = "a.example" };
	struct smtpd_dns_chain chain = { 0 };
	struct smtpd_dns_answer *answer;
	enum smtpd_dns_reading reading;
	bool ad;

	if (size < 3)
		return 0;
	answer = malloc(smtpd__dns_message_answer_size(SMTPD_DNS_RECORDS_MAX));
	must(answer != NULL);
	q.type = types[data[0] & 3];
	q.edns = data[0] & 4;
	q.id = (uint16_t)(data[1] << 8 | data[2]);
	reading = smtpd__dns_message_read(
	    &q, data + 1, size - 1, &chain, answer, &ad);
	if (reading != SMTPD_DNS_STRAY && reading != SMTPD_DNS_CUT &&
	    reading != SMTPD_DNS_NO_EDNS)
		must_be_sound(&q, answer, reading);
	must(reading != SMTPD_DNS_ALIAS || chain.aliases > 0);
	must(chain.aliases <= SMTPD_DNS_ALIASES_MAX + 1);
	free(answer);
	return 0;
}
