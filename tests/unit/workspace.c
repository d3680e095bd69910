/* SPDX-License-Identifier: MIT */
#include "workspace.h"

#include <string.h>

#include "server/session_state.h"

bool
workspace_has(const struct smtpd_session *s, const char *text)
{
	const char *at = (const char *)s->ws;
	const char *end = at + sizeof(*s->ws) - strlen(text);

	while (at <= end && memcmp(at, text, strlen(text)) != 0)
		at++;
	return at <= end;
}
