/* SPDX-License-Identifier: MIT */
#include "maintenance.h"

#include <limits.h>
#include <time.h>

/* The age in seconds of files in tmp/ that no delivery has any more. */
#define OLD (36 * 3600)

/* Mailboxes that are cleaned between two looks for a signal. */
#define SLICE 64

/* So many domains without a postmaster have a line each. */
#define ORPHANS_LOGGED 5

/* Mail to postmaster must arrive at each domain (RFC 5321, 4.5.1). */
static void
warn_postmasters(const struct maintenance *m, const struct users *users)
{
	struct owner owner;
	size_t at = 0, count = 0;

	while (users_next_orphan(users, &at, &owner))
		if (count++ < ORPHANS_LOGGED)
			log_line(m->delivery->log, SMTPD_LOG_WARNING,
			    "%s: no address postmaster@%s: user %s gets its "
			    "mail",
			    m->file, owner.domain, owner.user);
	if (count > ORPHANS_LOGGED)
		log_line(m->delivery->log, SMTPD_LOG_WARNING,
		    "%s: no postmaster in %zu domains in all: their first "
		    "users get its mail",
		    m->file, count);
}

int
maintenance_load(struct maintenance *m, char *why, size_t size)
{
	struct users *users;
	int status;

	users = users_load(m->file, &status, why, size);
	if (users == NULL)
		return status;
	log_line(m->delivery->log, SMTPD_LOG_INFO, "read %s: %zu address%s",
	    m->file, users_count(users), users_count(users) == 1 ? "" : "es");
	warn_postmasters(m, users);
	users_current_set(&m->delivery->users, users);
	return 0;
}

void
maintenance_reload(void *maintenance)
{
	struct maintenance *m = maintenance;
	char why[1024];

	if (maintenance_load(m, why, sizeof(why)) != 0)
		log_line(m->delivery->log, SMTPD_LOG_ERROR,
		    "the old map stays in use: %s", why);
	tls_files_reload(&m->tls);
	listen_follow(m->tls.server, m->where, m->delivery->log);
}

void
maintenance_look(void *maintenance)
{
	struct maintenance *m = maintenance;

	tls_files_look(&m->tls, time(NULL));
	listen_follow(m->tls.server, m->where, m->delivery->log);
}

/* Clean the next mailbox; return false when there is none. */
static bool
clean_next(struct maintenance *m)
{
	const struct mailbox_pattern *pattern = &m->delivery->pattern;
	struct owner owner;
	char path[PATH_MAX];

	if (!users_next(m->round, &m->round_at, pattern->by_domain, &owner))
		return false;
	if (mailbox_path(
		pattern, owner.user, owner.domain, path, sizeof(path)) == 0 &&
	    smtpd_maildir_clean(path, pattern->root_len, time(NULL) - OLD) > 0)
		log_line(m->delivery->log, SMTPD_LOG_INFO,
		    "removed old files from %s/tmp", path);
	return true;
}

bool
maintenance_clean(void *maintenance, bool begin)
{
	struct maintenance *m = maintenance;

	if (begin) {
		m->round = users_current_get(&m->delivery->users);
		m->round_at = (struct users_round){ 0 };
	}
	for (int i = 0; i < SLICE; i++) {
		if (!clean_next(m)) {
			maintenance_finish(m);
			return false;
		}
	}
	return true;
}

void
maintenance_finish(struct maintenance *m)
{
	users_release(m->round);
	m->round = NULL;
}
