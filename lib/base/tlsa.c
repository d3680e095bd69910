/* SPDX-License-Identifier: MIT */
#include "base/tlsa.h"

#include <stdlib.h>
#include <string.h>

#define SHA256_SIZE 32
#define SHA512_SIZE 64

/* Octets before the data of a record, and of a digest in the log. */
#define FIXED 3
#define SHOWN 8

struct smtpd_tlsa_set *
smtpd__tlsa_create(size_t size)
{
	struct smtpd_tlsa_set *set = malloc(sizeof(*set) + size);

	if (set == NULL)
		return NULL;
	memset(set, 0, sizeof(*set));
	set->room = size;
	return set;
}

/* Whether LEN octets can be of MATCHING type. */
static bool
has_right_length(unsigned char matching, size_t len)
{
	switch (matching) {
	case SMTPD_TLSA_FULL:
		return len > 0 && len <= SMTPD_TLSA_DATA_MAX;
	case SMTPD_TLSA_SHA256:
		return len == SHA256_SIZE;
	case SMTPD_TLSA_SHA512:
		return len == SHA512_SIZE;
	default:
		return false;
	}
}

static bool
is_usable(const struct smtpd_tlsa *t)
{
	return (t->usage == SMTPD_TLSA_DANE_TA ||
		   t->usage == SMTPD_TLSA_DANE_EE) &&
	    t->selector <= SMTPD_TLSA_KEY &&
	    has_right_length(t->matching, t->len);
}

void
smtpd__tlsa_add(
    struct smtpd_tlsa_set *set, const unsigned char *data, size_t len)
{
	struct smtpd_tlsa t;

	if (len <= FIXED || set->count == SMTPD_TLSA_MAX) {
		set->unusable++;
		return;
	}
	t = (struct smtpd_tlsa){
		.usage = data[0],
		.selector = data[1],
		.matching = data[2],
		.data = set->bytes + set->used,
		.len = len - FIXED,
	};
	if (!is_usable(&t) || t.len > set->room - set->used) {
		set->unusable++;
		return;
	}
	memcpy(set->bytes + set->used, data + FIXED, t.len);
	set->used += t.len;
	set->list[set->count++] = t;
}

/* Whether B is a stronger digest of the same thing as A. */
static bool
is_outdone(const struct smtpd_tlsa *a, const struct smtpd_tlsa *b)
{
	return a->usage == b->usage && a->selector == b->selector &&
	    a->matching != SMTPD_TLSA_FULL && b->matching > a->matching;
}

static int
compare_records(const void *a, const void *b)
{
	const struct smtpd_tlsa *x = a, *y = b;

	if (x->usage != y->usage)
		return x->usage - y->usage;
	if (x->selector != y->selector)
		return x->selector - y->selector;
	if (x->matching != y->matching)
		return x->matching - y->matching;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->data, y->data, x->len);
}

void
smtpd__tlsa_finish(struct smtpd_tlsa_set *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		bool outdone = false;

		for (size_t k = 0; k < set->count; k++)
			outdone =
			    outdone || is_outdone(&set->list[i], &set->list[k]);
		if (!outdone)
			set->list[kept++] = set->list[i];
	}
	set->count = kept;
	qsort(set->list, set->count, sizeof(set->list[0]), compare_records);
}

void
smtpd__tlsa_write(const struct smtpd_tlsa *record, struct smtpd_text *text)
{
	smtpd__text_format(text, "%u %u %u ", (unsigned)record->usage,
	    (unsigned)record->selector, (unsigned)record->matching);
	for (size_t i = 0; i < record->len && i < SHOWN; i++)
		smtpd__text_format(text, "%02x", record->data[i]);
	if (record->len > SHOWN)
		smtpd__text_add(text, "...");
}
