/* SPDX-License-Identifier: MIT */
#include "resolved.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/text.h"

static void
add_address(struct smtpd_text *text, const struct smtpd_target *target)
{
	const struct sockaddr_in *in = (const void *)&target->addr;
	const struct sockaddr_in6 *in6 = (const void *)&target->addr;
	char address[INET6_ADDRSTRLEN];

	smtpd__text_byte(text, ' ');
	smtpd__text_add(text,
	    inet_ntop(in->sin_family,
		in->sin_family == AF_INET ? (const void *)&in->sin_addr
					  : (const void *)&in6->sin6_addr,
		address, sizeof(address)));
}

const char *
resolved_text(const struct smtpd_targets *t, char *buf, size_t size)
{
	struct smtpd_text text;

	smtpd__text_init(&text, buf, size);
	if (t->outcome != SMTPD_RESOLVE_FOUND) {
		smtpd__text_add(&text,
		    t->outcome == SMTPD_RESOLVE_LATER ? "later " : "never ");
		smtpd__text_add(&text, t->status);
		return buf;
	}
	smtpd__text_add(&text, "found");
	for (size_t i = 0; i < t->count; i++)
		add_address(&text, smtpd_targets_get(t, i));
	return buf;
}

static bool
is_target(const struct smtpd_target *to)
{
	const struct sockaddr_in *in = (const void *)&to->addr;

	return in->sin_port == 0 && to->host[0] != '\0' &&
	    to->len ==
	    (in->sin_family == AF_INET ? sizeof(struct sockaddr_in)
				       : sizeof(struct sockaddr_in6));
}

bool
resolved_is_sound(const struct smtpd_targets *t, bool asked)
{
	bool found = t->outcome == SMTPD_RESOLVE_FOUND;

	for (size_t i = 0; i < t->count; i++)
		if (!is_target(smtpd_targets_get(t, i)))
			return false;
	for (const char *p = t->reason; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			return false;
	if (t->outcome == SMTPD_RESOLVE_LATER && t->ttl_s != 0)
		return false;
	if (asked && t->ttl_s > (found ? 3600u : 300u))
		return false;
	return (t->count > 0) == found && (t->reason[0] == '\0') == found;
}
