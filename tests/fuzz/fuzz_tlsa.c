/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "base/tlsa.h"
#include "resolve/tlsa_records.h"

/* Whatever came in, a set holds what can be used, within its bounds, in
 * order. */
static void
must_be_set(const struct smtpd_tlsa_set *set)
{
	must(set->count <= SMTPD_TLSA_MAX && set->used <= set->room);
	for (size_t i = 0; i < set->count; i++) {
		const struct smtpd_tlsa *t = &set->list[i];
		char line[64];
		struct smtpd_text text;

		must(t->usage == 2 || t->usage == 3);
		must(t->selector <= 1 && t->matching <= 2);
		must(t->matching != 1 || t->len == 32);
		must(t->matching != 2 || t->len == 64);
		must(t->len > 0 && t->len <= SMTPD_TLSA_DATA_MAX);
		must(t->data >= set->bytes &&
		    t->data + t->len <= set->bytes + set->used);
		must(i == 0 || t[-1].usage <= t->usage);
		smtpd__text_init(&text, line, sizeof(line));
		smtpd__tlsa_write(t, &text);
		must(is_printable(line, strlen(line)));
	}
}

/* Each byte is the length of a record that follows. */
static void
read_records(const uint8_t *data, size_t size)
{
	struct smtpd_tlsa_set *set = smtpd__tlsa_create(size);

	must(set != NULL);
	while (size > 0) {
		size_t len = data[0] < size - 1 ? data[0] : size - 1;
		uint8_t *exact = malloc(len + 1);

		must(exact != NULL);
		memcpy(exact, data + 1, len);
		smtpd__tlsa_add(set, exact, len);
		free(exact);
		data += 1 + len;
		size -= 1 + len;
	}
	smtpd__tlsa_finish(set);
	must_be_set(set);
	free(set);
}

/* A message that answers for a.example, with whatever id. */
static void
read_message(const uint8_t *data, size_t size)
{
	struct smtpd_dns_question q = { .name = "a.example",
		.type = SMTPD_DNS_TLSA };
	struct smtpd_dns_chain chain = { 0 };
	struct smtpd_dns_answer *answer =
	    malloc(smtpd__dns_message_answer_size(SMTPD_DNS_RECORDS_MAX));
	struct smtpd_tlsa_set *set;
	bool ad;

	must(answer != NULL);
	q.id = (uint16_t)(data[0] << 8 | data[1]);
	if (smtpd__dns_message_read(&q, data, size, &chain, answer, &ad) ==
	    SMTPD_DNS_CLEAR) {
		set = smtpd__tlsa_records_read(answer);
		must(set != NULL);
		must(answer->count == 0 || set->count + set->unusable > 0);
		must_be_set(set);
		free(set);
	}
	free(answer);
}

/* A byte says which of the two it is. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	if (data[0] & 1)
		read_message(data + 1, size - 1);
	else
		read_records(data + 1, size - 1);
	return 0;
}
