/* SPDX-License-Identifier: MIT */
#include "blanks.h"

#include <stddef.h>
#include <string.h>

char *
blanks_trim(char *text)
{
	static const char blanks[] = " \t\r\n";
	size_t len;

	text += strspn(text, blanks);
	len = strlen(text);
	while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
		text[--len] = '\0';
	return text;
}
