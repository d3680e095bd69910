/* SPDX-License-Identifier: MIT */

/* submission: take mail from the programs of people who log in, and hand it to
 * smtpout. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include <smtpd.h>

#include "complain.h"
#include "daemon.h"
#include "key_command.h"
#include "listen.h"
#include "login.h"
#include "options.h"
#include "settings.h"
#include "startup.h"
#include "submission.h"
#include "tls_files.h"

/* A number that each host has for itself, and tells nobody (machine-id(5)). */
#define MACHINE_ID "/etc/machine-id"

/* Everything that lives as long as the daemon. */
struct program {
	struct settings settings;
	struct log *log;
	struct submission submission;
	struct tls_files tls;
	struct smtpd_server *server;
	struct listen_where where;
	char *const *argv;
};

/* Read the number of this host into BUF; NULL when it has none. */
static const char *
read_machine_id(char *buf, int size)
{
	FILE *file = fopen(MACHINE_ID, "re");
	const char *text;

	if (file == NULL)
		return NULL;
	text = fgets(buf, size, file);
	fclose(file);
	return text;
}

static int
create_parts(struct program *p)
{
	struct submission *sub = &p->submission;
	struct smtpd_settings s;
	char secret[64];

	p->log = log_create(p->settings.in.log_level);
	if (p->log == NULL)
		return complain(
		    PROGRAM, EX_OSERR, "cannot start: %s", strerror(errno));
	sub->log = sub->accounts.log = p->log;
	sub->hostname = p->settings.in.name;
	sub->smtpout = p->settings.target;
	sub->port = p->settings.port;
	sub->any_from = p->settings.any_from;
	sub->allowances = allowances_create(
	    p->settings.user_hour, p->settings.user_day, p->log);
	if (sub->allowances == NULL)
		return complain(PROGRAM, EX_OSERR, "no memory");
	sub->accounts.path = p->settings.accounts;
	sub->accounts.only_scram = !p->settings.no_scram;
	settings_for_server(&p->settings, &s);
	s.log_user = p->log;
	s.auth = login_judge;
	s.auth_user = &sub->accounts;
	s.auth_secret = read_machine_id(secret, sizeof(secret));
	p->server = smtpd_server_create(&s);
	if (p->server == NULL || submission_register(sub, p->server) == -1)
		return complain(PROGRAM, EX_OSERR, "no memory");
	p->tls = (struct tls_files){
		.server = p->server,
		.log = p->log,
		.certs = &p->settings.in.tls_certs,
		.keys = &p->settings.in.tls_keys,
	};
	daemon_raise_files(s.max_connections, p->log);
	return 0;
}

static int
open_ports(struct program *p)
{
	p->where = (struct listen_where){
		.interfaces = &p->settings.interfaces,
		.loopback = p->settings.in.loopback,
		.addresses = &p->settings.in.listen,
		.port = (unsigned)p->settings.in.port,
		.tls_port = (unsigned)p->settings.in.tls_port,
		.has_tls = p->settings.in.tls_certs.count > 0,
	};
	return listen_open(PROGRAM, p->server, &p->where, p->log);
}

/* Become the user of --user, and read the files as that user, so that they can
 * be read again later. */
static int
drop_privileges(struct program *p)
{
	const char *accounts = p->settings.accounts;
	struct stat st;
	char why[1024];
	int status = daemon_drop_privileges(PROGRAM, p->settings.in.user,
	    p->where.follows, p->settings.in.check ? NULL : p->settings.in.log,
	    p->log);

	if (status != 0)
		return status;
	status = accounts_load(&p->submission.accounts, why, sizeof(why));
	if (status == 0)
		status = tls_files_load(&p->tls, why, sizeof(why));
	if (status != 0)
		return complain(PROGRAM, status, "%s", why);
	if (stat(accounts, &st) == 0 && (st.st_mode & 07) != 0)
		log_line(p->log, SMTPD_LOG_WARNING,
		    "any user may read the keys in %s: chmod o= %s", accounts,
		    accounts);
	daemon_warn_root(p->log);
	daemon_warn_name(p->settings.in.name,
	    "mail programs compare it with the certificate, "
	    "and it stands in the Received fields of all mail",
	    p->log);
	return 0;
}

static void
reload_files(void *user)
{
	struct program *p = user;

	accounts_reload(&p->submission.accounts);
	tls_files_reload(&p->tls);
	listen_follow(p->server, &p->where, p->log);
}

static void
look_at_files(void *user)
{
	struct program *p = user;

	accounts_look(&p->submission.accounts);
	tls_files_look(&p->tls, time(NULL));
	listen_follow(p->server, &p->where, p->log);
}

static int
run_daemon(struct program *p)
{
	int status;

	daemon_prepare();
	status = create_parts(p);
	if (status == 0 && !p->settings.in.check)
		status = open_ports(p);
	if (status == 0)
		status = drop_privileges(p);
	if (status != 0)
		return status;
	if (p->settings.in.check)
		return tls_files_status(&p->tls);
	return daemon_run(&(struct daemon){
	    .program = PROGRAM,
	    .argv = p->argv,
	    .server = p->server,
	    .where = &p->where,
	    .log = p->log,
	    .reload = reload_files,
	    .look = look_at_files,
	    .user = p,
	});
}

int
main(int argc, char **argv)
{
	struct program p = { .argv = argv };
	int status;

	startup_prepare();
	if (argc > 1 && strcmp(argv[1], "key") == 0)
		return key_command(argc - 1, argv + 1);
	status = settings_read(argc, argv, &p.settings);
	if (status == OPTIONS_GO) {
		accounts_init(&p.submission.accounts);
		status = run_daemon(&p);
		smtpd_server_destroy(p.server);
		allowances_destroy(p.submission.allowances);
		tls_files_finish(&p.tls);
		accounts_finish(&p.submission.accounts);
		listen_finish(&p.where);
		log_destroy(p.log);
	}
	settings_finish(&p.settings);
	return status;
}
