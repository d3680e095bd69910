/* SPDX-License-Identifier: MIT */
#include "milters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "complain.h"
#include "log.h"
#include "peer_names.h"

/* The longest wait for the answer to one command. */
#define COMMAND_MS 30000

/* Read NAME, or NULL, into OUT.  Return 0 or -1. */
static int
read_failure(const char *name, enum smtpd_milter_failure *out)
{
	static const char *const names[] = {
		[SMTPD_MILTER_FAILURE_TEMPFAIL] = "tempfail",
		[SMTPD_MILTER_FAILURE_ACCEPT] = "accept",
		[SMTPD_MILTER_FAILURE_REJECT] = "reject",
	};

	*out = SMTPD_MILTER_FAILURE_TEMPFAIL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (name == NULL || strcmp(name, names[i]) == 0) {
			*out = (enum smtpd_milter_failure)i;
			return 0;
		}
	}
	return -1;
}

/* Let SETTINGS be those that OPTIONS say. */
static int
read_settings(const struct receiver_options *options,
    const struct milters_daemon *daemon, struct smtpd_milter_settings *settings)
{
	const uint32_t ms = (uint32_t)options->milter_timeout * 1000;

	*settings = (struct smtpd_milter_settings){
		SMTPD_MILTER_SETTINGS_INIT,
		.connect_timeout_ms = ms < COMMAND_MS ? ms : COMMAND_MS,
		.command_timeout_ms = ms < COMMAND_MS ? ms : COMMAND_MS,
		.message_timeout_ms = ms,
		.hostname = options->name,
		.daemon_name = daemon->program,
		.mailer = daemon->mailer,
		.log = options->log_level > 0 ? log_text : NULL,
		.log_user = daemon->log,
		.log_level = log_level_nearest(options->log_level),
	};
	if (read_failure(options->milter_failure, &settings->failure) == 0)
		return 0;
	return complain(daemon->program, EX_USAGE,
	    "--milter-failure %s: say tempfail, accept or reject",
	    options->milter_failure);
}

/* Have clients looked up, unless OPTIONS say otherwise. */
static int
add_names(struct milters *m, const struct receiver_options *options,
    const struct milters_daemon *daemon, struct smtpd_server *srv)
{
	if (options->no_ptr)
		return 0;
	m->resolver = smtpd_resolver_create(NULL);
	if (m->resolver != NULL)
		return peer_names_add(srv, m->resolver);
	log_line(daemon->log, SMTPD_LOG_WARNING,
	    "clients have no names for milters, since there is no DNS server: "
	    "name one in /etc/resolv.conf, or say --no-ptr");
	return 0;
}

int
milters_add(struct milters *m, const struct receiver_options *options,
    const struct milters_daemon *daemon, struct smtpd_server *srv)
{
	const struct text_list *addresses = &options->milters;
	struct smtpd_milter_settings settings;
	int status = read_settings(options, daemon, &settings);

	if (status == 0 && addresses->count == 0 &&
	    options->milter_failure != NULL)
		return complain(daemon->program, EX_USAGE,
		    "--milter-failure: there is no --milter ADDRESS");
	if (status != 0 || addresses->count == 0)
		return status;
	m->list = calloc(addresses->count, sizeof(struct smtpd_milter *));
	if (m->list == NULL || add_names(m, options, daemon, srv) == -1 ||
	    smtpd_server_claim_auth_results(srv, options->name) == -1)
		return complain(daemon->program, EX_OSERR, "no memory");
	for (; m->count < addresses->count; m->count++) {
		const char *address = addresses->items[m->count];

		m->list[m->count] = smtpd_milter_create(address, &settings);
		if (m->list[m->count] == NULL && errno == EINVAL)
			return complain(daemon->program, EX_USAGE,
			    "--milter %s: that is no address: say unix:/path "
			    "or host:port",
			    address);
		if (m->list[m->count] == NULL ||
		    smtpd_server_add_milter(srv, m->list[m->count]) == -1) {
			smtpd_milter_destroy(m->list[m->count]);
			return complain(daemon->program, EX_OSERR, "no memory");
		}
	}
	return 0;
}

void
milters_finish(struct milters *m)
{
	for (size_t i = 0; i < m->count; i++)
		smtpd_milter_destroy(m->list[i]);
	free(m->list);
	smtpd_resolver_destroy(m->resolver);
}
