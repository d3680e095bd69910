/* SPDX-License-Identifier: MIT */
#include "server/owned.h"

#include <stddef.h>

void
smtpd__owned_set(struct smtpd_owned *own, void *data, void (*destroy)(void *))
{
	smtpd__owned_clear(own);
	own->data = data;
	own->destroy = destroy;
}

void
smtpd__owned_clear(struct smtpd_owned *own)
{
	const struct smtpd_owned old = *own;

	/* First, since the function may set data itself. */
	own->data = NULL;
	own->destroy = NULL;
	if (old.destroy != NULL)
		old.destroy(old.data);
}
