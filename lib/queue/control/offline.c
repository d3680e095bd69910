/* SPDX-License-Identifier: MIT */
#include "queue/control/offline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal/disk/engine.h"
#include "queue/control/commands.h"
#include "queue/schedule/schedule.h"

/* The schedule only keeps the destinations' names; nothing is put into it. */
struct smtpd_control_offline {
	struct smtpd_schedule *schedule;
	struct smtpd_spool *spool;
};

static struct smtpd_destination *
ref_destination(
    void *user, const char *domain, const struct smtpd_spool_addressees *mail)
{
	struct smtpd_control_offline *o = user;

	(void)mail;
	return smtpd__destination_ref(o->schedule, domain);
}

static void
unref_destination(void *user, struct smtpd_destination *d)
{
	struct smtpd_control_offline *o = user;

	smtpd__destination_unref(o->schedule, d);
}

struct smtpd_control_offline *
smtpd__control_offline_open(
    const char *directory, bool changes, char *error, size_t size)
{
	static const struct smtpd_schedule_settings schedule = { .workers = 1,
		.site_connections = 1 };
	struct smtpd_control_offline *o = calloc(1, sizeof(*o));
	int code = ENOMEM;

	snprintf(error, size, "out of memory");
	if (o == NULL)
		return NULL;
	o->schedule = smtpd__schedule_create(&schedule);
	if (o->schedule != NULL) {
		struct smtpd_spool_settings settings = {
			.read_only = !changes,
			.destination = ref_destination,
			.release = unref_destination,
			.user = o,
		};

		o->spool = smtpd__spool_open(
		    &smtpd__disk_engine, directory, &settings, error, size);
		code = errno;
	}
	if (o->spool != NULL)
		return o;
	smtpd__control_offline_close(o);
	errno = code;
	return NULL;
}

void
smtpd__control_offline_close(struct smtpd_control_offline *o)
{
	if (o == NULL)
		return;
	smtpd__spool_close(o->spool);
	if (o->schedule != NULL)
		smtpd__schedule_destroy(o->schedule);
	free(o);
}

int
smtpd__control_offline_ask(void *offline, const struct smtpd_control_call *call)
{
	struct smtpd_control_offline *o = offline;

	return smtpd__control_commands_run(o->spool, NULL, call);
}
