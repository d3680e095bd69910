/* SPDX-License-Identifier: MIT */
#include "server/told.h"

#include <stdlib.h>
#include <string.h>

#include "server/session_state.h"

int
smtpd__told_begin(struct smtpd_session *s)
{
	if (s->told != NULL)
		return 0;
	s->told = calloc(1, sizeof(*s->told));
	if (s->told == NULL)
		return -1;
	s->told->origin = s->peer;
	return 0;
}

void
smtpd__told_forget_message(struct smtpd_session *s)
{
	if (s->told != NULL)
		memset(&s->told->xforward, 0, sizeof(s->told->xforward));
}

/* The value that A has for the attribute called NAME, or NULL. */
static const char *
get_value(const struct smtpd_attributes *a, const char *name)
{
	enum smtpd_attribute which = smtpd__attributes_find(name, strlen(name));

	if (which == SMTPD_ATTRIBUTES || a->values[which][0] == '\0')
		return NULL;
	return a->values[which];
}

const char *
smtpd_session_xclient(const struct smtpd_session *s, const char *attribute)
{
	return s->told != NULL ? get_value(&s->told->xclient, attribute) : NULL;
}

const char *
smtpd_session_xforward(const struct smtpd_session *s, const char *attribute)
{
	return s->told != NULL ? get_value(&s->told->xforward, attribute)
			       : NULL;
}
