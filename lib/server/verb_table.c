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

struct smtpd_verb *
smtpd__verb_table_add(struct smtpd_verb_table *t, const char *name,
    unsigned states, unsigned traits, smtpd_verb_fn *act)
{
	struct smtpd_verb *more =
	    realloc(t->verbs, (t->count + 1) * sizeof(*more));
	struct smtpd_text text;

	if (more == NULL)
		return NULL;
	t->verbs = more;
	more += t->count++;
	*more = (struct smtpd_verb){
		.states = states,
		.traits = traits,
		.act = act,
	};
	smtpd__text_init(&text, more->name, sizeof(more->name));
	smtpd__text_add(&text, name);
	return more;
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
