/* SPDX-License-Identifier: MIT */
#include "tokens.h"

#include <stdlib.h>
#include <string.h>

static struct tokens_item *
create_item(const char *file, const char *command)
{
	struct tokens_item *item = calloc(1, sizeof(*item));

	if (item == NULL)
		return NULL;
	item->text = strdup(file != NULL ? file : command);
	if (item->text == NULL) {
		free(item);
		return NULL;
	}
	token_source_init(&item->source, file != NULL ? item->text : NULL,
	    file != NULL ? NULL : item->text);
	return item;
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

struct token_source *
tokens_find(struct tokens *t, const char *file, const char *command)
{
	struct tokens_item **items;

	for (size_t i = 0; i < t->count; i++) {
		struct token_source *s = &t->items[i]->source;

		if (is_same(s->file, file) && is_same(s->command, command))
			return s;
	}
	items = realloc(t->items, (t->count + 1) * sizeof(*items));
	if (items == NULL)
		return NULL;
	t->items = items;
	items[t->count] = create_item(file, command);
	return items[t->count] != NULL ? &items[t->count++]->source : NULL;
}

void
tokens_finish(struct tokens *t)
{
	for (size_t i = 0; i < t->count; i++) {
		token_source_finish(&t->items[i]->source);
		free(t->items[i]->text);
		free(t->items[i]);
	}
	free(t->items);
	*t = (struct tokens){ .count = 0 };
}
