/* SPDX-License-Identifier: MIT */
#include "queue/delivery/source_copy.h"

#include <stdio.h>

#include "base/sized.h"
#include "client/sources.h"

int
smtpd__source_copy_fill(
    struct smtpd_source_copy *copy, struct smtpd_client_settings *client)
{
	struct smtpd_client_sources known;
	size_t count = client->nsources;

	if (smtpd__client_sources_read(client->sources, count, &known) == -1)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct smtpd_source *to = &copy->sources[i];

		smtpd__sized_copy_nth(to, sizeof(*to), client->sources, i);
		snprintf(copy->addresses[i], sizeof(copy->addresses[i]), "%s",
		    to->address);
		to->address = copy->addresses[i];
		if (to->hostname == NULL)
			continue;
		snprintf(copy->hostnames[i], sizeof(copy->hostnames[i]), "%s",
		    to->hostname);
		to->hostname = copy->hostnames[i];
	}
	client->sources = count > 0 ? copy->sources : NULL;
	return 0;
}
