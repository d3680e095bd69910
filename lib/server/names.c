/* SPDX-License-Identifier: MIT */
#include "server/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int
smtpd__names_add(struct smtpd_names *list, const char *name)
{
	char **more = realloc(list->names, (list->count + 1) * sizeof(*more));

	if (more == NULL)
		return -1;
	list->names = more;
	more[list->count] = strdup(name);
	if (more[list->count] == NULL)
		return -1;
	list->count++;
	return 0;
}

bool
smtpd__names_have(const struct smtpd_names *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (smtpd__text_same(list->names[i], name))
			return true;
	}
	return false;
}

void
smtpd__names_finish(struct smtpd_names *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
}
