/* SPDX-License-Identifier: MIT */
#include "queue/delivery/source_copy.h"

#include <stdio.h>

#include "base/sized.h"
#include "client/sources.h"

int
smtpd__source_copy_fill(struct smtpd_source_copy *copy,
    const struct smtpd_source *given, size_t count)
{
	struct smtpd_client_sources known;

	if (smtpd__client_sources_read(given, count, &known) == -1)
		return -1;
	copy->count = count;
	for (size_t i = 0; i < count; i++) {
		struct smtpd_source *to = &copy->sources[i];

		smtpd__sized_copy_nth(to, sizeof(*to), given, i);
		snprintf(copy->addresses[i], sizeof(copy->addresses[i]), "%s",
		    to->address);
		to->address = copy->addresses[i];
		if (to->hostname == NULL)
			continue;
		snprintf(copy->hostnames[i], sizeof(copy->hostnames[i]), "%s",
		    to->hostname);
		to->hostname = copy->hostnames[i];
	}
	return 0;
}

void
smtpd__source_copy_use(const struct smtpd_source_copy *copy,
    struct smtpd_source room[SMTPD_SOURCES_MAX],
    struct smtpd_client_settings *client)
{
	struct smtpd_client_sources known;
	struct smtpd_source both[2];
	size_t count = copy->count;

	for (size_t i = 0; i < count; i++)
		room[i] = copy->sources[i];
	for (size_t i = 0; i < client->nsources; i++) {
		if (count == SMTPD_SOURCES_MAX)
			break;
		/* It stands where no other is of its family. */
		both[0] = room[0];
		both[1] = client->sources[i];
		if (count == 1 &&
		    smtpd__client_sources_read(both, 2, &known) == -1)
			continue;
		room[count++] = client->sources[i];
	}
	client->sources = count > 0 ? room : NULL;
	client->nsources = count;
}
