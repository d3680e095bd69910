/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <string.h>

struct message *
message_new(void)
{
	struct message *m = g_new0(struct message, 1);

	m->refs = 1;
	return m;
}

void
message_free(struct message *m)
{
	if (m == NULL)
		return;
	g_free(m->id);
	g_free(m->octets);
	g_free(m->summary);
	g_strfreev(m->from);
	g_strfreev(m->to);
	g_free(m->subject);
	g_free(m->text);
	g_free(m);
}

static size_t
cost_of_list(char **list)
{
	size_t cost = 0;

	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		cost += strlen(list[i]) + 32;
	return cost;
}

size_t
message_cost(const struct message *m)
{
	return sizeof(*m) + m->size + strlen(m->summary) + strlen(m->subject) +
	    strlen(m->text) + cost_of_list(m->from) + cost_of_list(m->to) + 256;
}

static char *
fold_case(const char *text)
{
	char *valid, *folded;

	if (text == NULL || *text == '\0')
		return NULL;
	valid = g_utf8_make_valid(text, -1);
	folded = g_utf8_casefold(valid, -1);
	g_free(valid);
	return folded;
}

void
query_init(struct query *q, const char *from, const char *to,
    const char *subject, const char *words)
{
	char *text = fold_case(words);

	q->from = fold_case(from);
	q->to = fold_case(to);
	q->subject = fold_case(subject);
	q->words = text == NULL ? NULL : g_strsplit_set(text, " \t\r\n", 32);
	g_free(text);
}

void
query_finish(struct query *q)
{
	g_free(q->from);
	g_free(q->to);
	g_free(q->subject);
	g_strfreev(q->words);
}

static bool
address_matches(const char *address, const char *wanted)
{
	const char *at = strchr(wanted, '@');

	if (at == NULL)
		return strstr(address, wanted) != NULL;
	if (at == wanted)
		return g_str_has_suffix(address, wanted);
	return strcmp(address, wanted) == 0;
}

static bool
any_matches(char **addresses, const char *wanted)
{
	for (size_t i = 0; addresses[i] != NULL; i++) {
		if (address_matches(addresses[i], wanted))
			return true;
	}
	return false;
}

bool
query_matches(const struct query *q, const struct message *m)
{
	if (q->from != NULL && !any_matches(m->from, q->from))
		return false;
	if (q->to != NULL && !any_matches(m->to, q->to))
		return false;
	if (q->subject != NULL && strstr(m->subject, q->subject) == NULL)
		return false;
	for (size_t i = 0; q->words != NULL && q->words[i] != NULL; i++) {
		if (strstr(m->text, q->words[i]) == NULL)
			return false;
	}
	return true;
}
