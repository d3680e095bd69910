/* SPDX-License-Identifier: MIT */
#include "server/attached.h"

#include <errno.h>
#include <stdlib.h>

#include "server/session_state.h"

struct smtpd_attached {
	const void *owner;
	struct smtpd_owned own;
	struct smtpd_attached *next;
};

static struct smtpd_attached *
find_attached(const struct smtpd_session *s, const void *owner)
{
	struct smtpd_attached *a = s->attached;

	while (a != NULL && a->owner != owner)
		a = a->next;
	return a;
}

int
smtpd_session_attach(struct smtpd_session *s, const void *owner, void *data,
    void (*destroy)(void *))
{
	struct smtpd_attached *a = find_attached(s, owner);

	if (a == NULL) {
		a = calloc(1, sizeof(*a));
		if (a == NULL)
			return -1;
		a->owner = owner;
		a->next = s->attached;
		s->attached = a;
	}
	smtpd__owned_set(&a->own, data, destroy);
	return 0;
}

void *
smtpd_session_attached(const struct smtpd_session *s, const void *owner)
{
	const struct smtpd_attached *a = find_attached(s, owner);

	return a != NULL ? a->own.data : NULL;
}

void
smtpd__attached_clear(struct smtpd_attached **list)
{
	struct smtpd_attached *a;

	while ((a = *list) != NULL) {
		*list = a->next;
		smtpd__owned_clear(&a->own);
		free(a);
	}
}
