/* SPDX-License-Identifier: MIT */
#include "server/verb_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct smtpd_verb *
smtpd__verb_table_find(const struct smtpd_verb_table *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->verbs[i].name, name) == 0)
			return &t->verbs[i];
	}
	return NULL;
}

static uint32_t
letter_bit(char c)
{
	int upper = smtpd__text_to_upper(c);

	return upper >= 'A' && upper <= 'Z' ? UINT32_C(1) << (upper - 'A') : 0;
}

struct smtpd_verb *
smtpd__verb_table_add(struct smtpd_verb_table *t, const struct smtpd_verb *verb)
{
	struct smtpd_verb *more =
	    realloc(t->verbs, (t->count + 1) * sizeof(*more));

	if (more == NULL)
		return NULL;
	t->verbs = more;
	more += t->count++;
	*more = *verb;
	if (verb->octets > t->most_octets)
		t->most_octets = verb->octets;
	if ((verb->traits & SMTPD_TRAIT_SECRET) != 0)
		t->secret_letters |= letter_bit(verb->name[0]);
	else if (verb->octets > t->most_octets_without_secret)
		t->most_octets_without_secret = verb->octets;
	return more;
}

bool
smtpd__verb_table_may_be_secret(const struct smtpd_verb_table *t, char c)
{
	return (t->secret_letters & letter_bit(c)) != 0;
}

int
smtpd__verb_table_add_handler(
    struct smtpd_verb *verb, smtpd_handler_fn *fn, void *user)
{
	struct smtpd_handler *more =
	    realloc(verb->handlers, (verb->nhandlers + 1) * sizeof(*more));

	if (more == NULL)
		return -1;
	verb->handlers = more;
	more[verb->nhandlers++] = (struct smtpd_handler){ fn, user };
	return 0;
}

void
smtpd__verb_table_finish(struct smtpd_verb_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->verbs[i].handlers);
	free(t->verbs);
}
