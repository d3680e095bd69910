/* SPDX-License-Identifier: MIT */
#include "text_list.h"

#include <stdlib.h>
#include <string.h>

int
text_list_add(struct text_list *list, const char *text)
{
	size_t size = (list->count + 1) * sizeof(*list->items);
	char **items = realloc(list->items, size);

	if (items == NULL)
		return -1;
	list->items = items;
	items[list->count] = strdup(text);
	if (items[list->count] == NULL)
		return -1;
	list->count++;
	return 0;
}

bool
text_list_has(const struct text_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

void
text_list_finish(struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){ 0 };
}
