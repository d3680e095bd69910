/* SPDX-License-Identifier: MIT */
#ifndef TEXT_LIST_H
#define TEXT_LIST_H

/*
 * A list of strings that grows.  All zero is an empty list.
 */

#include <stdbool.h>
#include <stddef.h>

struct text_list {
	char **items;
	size_t count;
};

/* Append a copy of TEXT.  Return 0, or -1 when there is no memory. */
int text_list_add(struct text_list *list, const char *text);

/* Whether TEXT is in LIST. */
bool text_list_has(const struct text_list *list, const char *text);

/* Free what LIST holds; it is empty then. */
void text_list_finish(struct text_list *list);

#endif
