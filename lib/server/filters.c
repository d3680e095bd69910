/* SPDX-License-Identifier: MIT */
#include "server/filters.h"

#include <stdlib.h>

#include "base/sized.h"

int
smtpd__filters_add(struct smtpd_filters *f, const struct smtpd_filter *filter)
{
	struct smtpd_filter copy;
	struct smtpd_filter *more;

	if (smtpd__sized_copy(&copy, sizeof(copy), filter) == -1)
		return -1;
	more = realloc(f->list, (f->count + 1) * sizeof(*more));
	if (more == NULL)
		return -1;
	f->list = more;
	more[f->count++] = copy;
	return 0;
}

void
smtpd__filters_finish(struct smtpd_filters *f)
{
	free(f->list);
}
