/* SPDX-License-Identifier: MIT */
#include "peer_names.h"

#include <string.h>

/* What a client waits at most for its name to be found. */
#define LOOKUP_MS 3000

/* A host itself has no name that tells anything. */
static bool
is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static int
find_name(struct smtpd_session *s, void *user)
{
	const char *address = smtpd_session_peer(s);
	char name[256];
	bool confirmed;

	if (!is_loopback(address) &&
	    smtpd_lookup_name(user, address, LOOKUP_MS, smtpd_session_cancel(s),
		name, &confirmed) == 0)
		smtpd_session_set_peer_name(s, name, confirmed);
	return 0;
}

int
peer_names_add(struct smtpd_server *srv, struct smtpd_resolver *resolver)
{
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.connect = find_name,
		.user = resolver,
	};

	return smtpd_server_add_events(srv, &events);
}
