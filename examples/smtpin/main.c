/* SPDX-License-Identifier: MIT */

/* smtpin: receive mail from the Internet and store it for local users. */

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <smtpd.h>

#include "complain.h"
#include "daemon.h"
#include "delivery.h"
#include "listen.h"
#include "log.h"
#include "options.h"
#include "privileges.h"
#include "settings.h"

/* Files in tmp/ that are older belong to nobody. */
#define OLD (36 * 3600)

/* Mailboxes that are looked after between two looks for a signal. */
#define SLICE 64

struct smtpin {
	struct settings settings;
	struct log *log;
	struct delivery delivery;
	struct smtpd_server *server;

	/* A round of housekeeping. */
	struct users *round;
	size_t round_at;
};

/* Mail to postmaster must arrive at each domain (RFC 5321, 4.5.1). */
static void
warn_postmasters(const struct smtpin *p, const struct users *users)
{
	struct owner owner;
	size_t at = 0;

	while (users_next_orphan(users, &at, &owner))
		log_line(p->log, SMTPD_LOG_WARNING,
		    "%s: no address postmaster@%s: user %s is given its mail",
		    p->settings.users, owner.domain, owner.user);
}

static void
reload(void *user)
{
	struct smtpin *p = user;
	struct users *users;
	char why[1024];
	int status;

	users = users_load(p->settings.users, &status, why, sizeof(why));
	if (users == NULL) {
		log_line(p->log, SMTPD_LOG_ERROR,
		    "the old map stays in use: %s", why);
		return;
	}
	log_line(p->log, SMTPD_LOG_INFO, "read %s again: %zu addresses",
	    p->settings.users, users_count(users));
	warn_postmasters(p, users);
	users_current_set(&p->delivery.users, users);
}

/* Remove what crashes left in tmp/, some mailboxes at a time. */
static bool
housekeep(void *user, bool begin)
{
	struct smtpin *p = user;
	time_t before = time(NULL) - OLD;
	struct owner owner;
	char path[PATH_MAX];

	if (begin) {
		p->round = users_current_get(&p->delivery.users);
		p->round_at = 0;
	}
	for (int i = 0; i < SLICE; i++) {
		if (!users_next(p->round, &p->round_at,
			p->delivery.pattern.by_domain, &owner)) {
			users_release(p->round);
			p->round = NULL;
			return false;
		}
		if (mailbox_path(&p->delivery.pattern, &owner, path,
			sizeof(path)) == 0 &&
		    smtpd_maildir_clean(path, before) > 0)
			log_line(p->log, SMTPD_LOG_INFO,
			    "removed old files from %s/tmp", path);
	}
	return true;
}

/* Check the pattern of the mailboxes, and that their root is there. */
static int
check_maildir(struct smtpin *p)
{
	const char *text = p->settings.maildir;
	const char *wrong;
	struct stat st;
	char root[PATH_MAX];

	if (text == NULL)
		text = SETTINGS_MAILDIR;
	wrong = mailbox_parse(text, &p->delivery.pattern);
	if (wrong == NULL &&
	    mailbox_root(&p->delivery.pattern, root, sizeof(root)) == -1)
		wrong = "the path is too long";
	if (wrong != NULL)
		return complain(
		    PROGRAM, EX_USAGE, "--maildir %s: %s", text, wrong);
	if (stat(root, &st) == -1 || !S_ISDIR(st.st_mode))
		return complain(PROGRAM, EX_CANTCREAT,
		    "--maildir %s: there is no directory %s: make it", text,
		    root);
	return 0;
}

/* The root must let new mailboxes be made, once we are who we will be. */
static void
warn_root(const struct smtpin *p)
{
	char root[PATH_MAX];

	if (mailbox_root(&p->delivery.pattern, root, sizeof(root)) == 0 &&
	    access(root, R_OK | W_OK | X_OK) == -1)
		log_line(p->log, SMTPD_LOG_WARNING,
		    "no mailbox can be made in %s: %s", root, strerror(errno));
	if (geteuid() == 0)
		log_line(p->log, SMTPD_LOG_WARNING,
		    "running as root: name a user to become (--user)");
}

static int
create_server(struct smtpin *p)
{
	struct smtpd_settings s;

	settings_for_server(&p->settings, &s);
	s.log = p->settings.log_level > 0 ? log_text : NULL;
	s.log_user = p->log;
	s.log_level = p->settings.log_level < SMTPD_LOG_TRACE
	    ? (enum smtpd_log_level)p->settings.log_level
	    : SMTPD_LOG_TRACE;
	p->delivery.hostname = p->settings.name;
	p->delivery.log = p->log;
	p->delivery.maildir = smtpd_maildir_create(p->settings.name);
	p->server = smtpd_server_create(&s);
	if (p->delivery.maildir == NULL || p->server == NULL ||
	    delivery_register(&p->delivery, p->server) == -1)
		return complain(PROGRAM, EX_OSERR, "no memory");
	return 0;
}

static int
open_ports(struct smtpin *p)
{
	struct listen_where where = {
		.interface = p->settings.interface,
		.loopback = p->settings.loopback,
		.addresses = &p->settings.listen,
		.port = (unsigned)p->settings.port,
	};

	return listen_open(PROGRAM, p->server, &where, p->log);
}

/* Become the user that the rest is done as. */
static int
settle(struct smtpin *p)
{
	char why[1024];
	int status = privileges_drop(p->settings.user, why, sizeof(why));

	if (status != 0)
		return complain(PROGRAM, status, "%s", why);
	if (p->settings.log != NULL &&
	    log_to(p->log, PROGRAM, p->settings.log) == -1)
		return complain(PROGRAM, EX_CANTCREAT,
		    "cannot write the journal %s: %s", p->settings.log,
		    strerror(errno));
	return 0;
}

static int
load_users(struct smtpin *p)
{
	struct users *users;
	char why[1024];
	int status;

	users = users_load(p->settings.users, &status, why, sizeof(why));
	if (users == NULL)
		return complain(PROGRAM, status, "%s", why);
	users_current_set(&p->delivery.users, users);
	warn_postmasters(p, users);
	return 0;
}

static int
run(struct smtpin *p)
{
	struct daemon d = {
		.program = PROGRAM,
		.log = p->log,
		.reload = reload,
		.housekeep = housekeep,
		.user = p,
	};
	struct smtpd_settings s;
	int status;

	if ((status = check_maildir(p)) != 0 ||
	    (status = create_server(p)) != 0 || (status = open_ports(p)) != 0)
		return status;
	settings_for_server(&p->settings, &s);
	daemon_raise_files(s.max_connections, p->log);
	if ((status = settle(p)) != 0 || (status = load_users(p)) != 0)
		return status;
	warn_root(p);
	d.server = p->server;
	return daemon_run(&d);
}

int
main(int argc, char **argv)
{
	struct smtpin p = { .log = NULL };
	int status = settings_read(argc, argv, &p.settings);

	if (status == OPTIONS_GO) {
		daemon_prepare();
		p.log = log_create(p.settings.log_level);
		pthread_mutex_init(&p.delivery.space.guard, NULL);
		if (p.log == NULL ||
		    users_current_init(&p.delivery.users, NULL) == -1)
			status = complain(PROGRAM, EX_OSERR, "no memory");
		else
			status = run(&p);
		smtpd_server_destroy(p.server);
		smtpd_maildir_destroy(p.delivery.maildir);
		users_release(p.round);
		users_current_finish(&p.delivery.users);
		pthread_mutex_destroy(&p.delivery.space.guard);
		log_destroy(p.log);
	}
	settings_finish(&p.settings);
	return status;
}
