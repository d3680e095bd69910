/* SPDX-License-Identifier: MIT */
#include "server/keywords.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for all of them in one reply. */
#define KEYWORDS_MAX 600

int
smtpd__keywords_add(struct smtpd_keywords *k, const char *text,
    smtpd_keyword_fn *fn, void *user)
{
	const size_t len = k->len + strlen(text) + 1;
	struct smtpd_keyword *list;
	char *copy;

	errno = ENOSPC;
	if (len > KEYWORDS_MAX)
		return -1;
	list = realloc(k->list, (k->count + 1) * sizeof(*list));
	if (list == NULL)
		return -1;
	k->list = list;
	copy = strdup(text);
	if (copy == NULL)
		return -1;
	list[k->count++] = (struct smtpd_keyword){ copy, fn, user };
	k->len = len;
	return 0;
}

void
smtpd__keywords_announce(const struct smtpd_keywords *k,
    struct smtpd_session *s, struct smtpd_text *t)
{
	for (size_t i = 0; i < k->count; i++) {
		const struct smtpd_keyword *word = &k->list[i];

		if (word->fn != NULL && !word->fn(s, word->user))
			continue;
		smtpd__text_byte(t, '\n');
		smtpd__text_add(t, word->text);
	}
}

void
smtpd__keywords_finish(struct smtpd_keywords *k)
{
	for (size_t i = 0; i < k->count; i++)
		free(k->list[i].text);
	free(k->list);
}
