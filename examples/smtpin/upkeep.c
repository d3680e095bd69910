/* SPDX-License-Identifier: MIT */
#include "upkeep.h"

#include <limits.h>
#include <time.h>

/* Files in tmp/ that are older, in seconds, belong to nobody. */
#define OLD (36 * 3600)

/* Mailboxes that are cleaned between two looks for a signal. */
#define SLICE 64

/* Mail to postmaster must arrive at each domain (RFC 5321, 4.5.1). */
static void
warn_postmasters(const struct upkeep *u, const struct users *users)
{
	struct owner owner;
	size_t at = 0;

	while (users_next_orphan(users, &at, &owner))
		log_line(u->delivery->log, SMTPD_LOG_WARNING,
		    "%s: no address postmaster@%s: user %s is given its mail",
		    u->file, owner.domain, owner.user);
}

int
upkeep_load(struct upkeep *u, char *why, size_t size)
{
	struct users *users;
	int status;

	users = users_load(u->file, &status, why, size);
	if (users == NULL)
		return status;
	log_line(u->delivery->log, SMTPD_LOG_INFO, "read %s: %zu addresses",
	    u->file, users_count(users));
	warn_postmasters(u, users);
	users_current_set(&u->delivery->users, users);
	return 0;
}

void
upkeep_reload(void *upkeep)
{
	struct upkeep *u = upkeep;
	char why[1024];

	if (upkeep_load(u, why, sizeof(why)) != 0)
		log_line(u->delivery->log, SMTPD_LOG_ERROR,
		    "the old map stays in use: %s", why);
	tls_files_reload(&u->tls);
}

void
upkeep_look(void *upkeep)
{
	struct upkeep *u = upkeep;

	tls_files_look(&u->tls, time(NULL));
}

/* Clean the next mailbox; false when there is none. */
static bool
clean_next(struct upkeep *u)
{
	const struct mailbox_pattern *pattern = &u->delivery->pattern;
	struct owner owner;
	char path[PATH_MAX];

	if (!users_next(u->round, &u->round_at, pattern->by_domain, &owner))
		return false;
	if (mailbox_path(pattern, &owner, path, sizeof(path)) == 0 &&
	    smtpd_maildir_clean(path, time(NULL) - OLD) > 0)
		log_line(u->delivery->log, SMTPD_LOG_INFO,
		    "removed old files from %s/tmp", path);
	return true;
}

bool
upkeep_clean(void *upkeep, bool begin)
{
	struct upkeep *u = upkeep;

	if (begin) {
		u->round = users_current_get(&u->delivery->users);
		u->round_at = 0;
	}
	for (int i = 0; i < SLICE; i++) {
		if (!clean_next(u)) {
			upkeep_finish(u);
			return false;
		}
	}
	return true;
}

void
upkeep_finish(struct upkeep *u)
{
	users_release(u->round);
	u->round = NULL;
}
