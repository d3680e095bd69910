/* SPDX-License-Identifier: MIT */

/* smtpin: receive mail from the Internet and store it for local users. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <smtpd.h>

#include "complain.h"
#include "daemon.h"
#include "delivery.h"
#include "dns_lists.h"
#include "listen.h"
#include "log.h"
#include "maintenance.h"
#include "milters.h"
#include "options.h"
#include "settings.h"
#include "startup.h"
#include "sts_check.h"
#include "tlsa_check.h"

/* Everything that lives as long as the daemon. */
struct smtpin {
	struct settings settings;
	struct log *log;
	struct delivery delivery;
	struct maintenance maintenance;
	struct smtpd_server *server;
	struct milters milters;
	struct dns_lists lists;
	struct listen_where where;
	char *const *argv;
};

/* Check the pattern of the mailboxes, and open their root. */
static int
open_mailboxes(struct smtpin *p)
{
	struct mailbox_pattern *pattern = &p->delivery.pattern;
	const char *text = p->settings.maildir;
	const char *wrong = mailbox_parse(text, pattern);

	if (wrong != NULL)
		return complain(
		    PROGRAM, EX_USAGE, "--maildir %s: %s", text, wrong);
	if (delivery_open(&p->delivery) == 0)
		return 0;
	if (errno == ENAMETOOLONG)
		return complain(PROGRAM, EX_USAGE,
		    "--maildir %s: the path is too long", text);
	if (errno == ENOENT || errno == ENOTDIR)
		return complain(PROGRAM, EX_CANTCREAT,
		    "--maildir %s: there is no directory %.*s: make it", text,
		    (int)pattern->root_len, text);
	return complain(PROGRAM, EX_CANTCREAT,
	    "--maildir %s: cannot open %.*s: %s", text, (int)pattern->root_len,
	    text, strerror(errno));
}

/* Have the server trust the networks of OPTION by ADD. */
static int
add_networks(struct smtpin *p, const char *option, const struct text_list *list,
    int (*add)(struct smtpd_server *, const char *))
{
	for (size_t i = 0; i < list->count; i++) {
		if (add(p->server, list->items[i]) == -1)
			return complain(PROGRAM, EX_USAGE, "%s: %s", option,
			    smtpd_server_error(p->server));
	}
	return 0;
}

static int
create_parts(struct smtpin *p)
{
	struct smtpd_settings s;
	int status;

	p->log = log_create(p->settings.in.log_level);
	if (p->log == NULL)
		return complain(PROGRAM, EX_OSERR, "no memory");
	delivery_init(&p->delivery, p->settings.in.name, p->log);
	p->delivery.min_free = p->settings.min_free;
	p->delivery.quota = p->settings.quota;
	p->maintenance.delivery = &p->delivery;
	p->maintenance.file = p->settings.users;
	p->maintenance.tls.certs = &p->settings.in.tls_certs;
	p->maintenance.tls.keys = &p->settings.in.tls_keys;
	p->maintenance.tls.log = p->log;
	p->maintenance.tls.cbc_suites = true;
	p->maintenance.tls.no_tickets = !p->settings.tls_tickets;
	status = open_mailboxes(p);
	if (status != 0)
		return status;
	settings_for_server(&p->settings, &s);
	s.log_user = p->log;
	p->server = smtpd_server_create(&s);
	if (p->server == NULL ||
	    delivery_register(&p->delivery, p->server) == -1)
		return complain(PROGRAM, EX_OSERR, "no memory");
	p->maintenance.tls.server = p->server;
	daemon_raise_files(s.max_connections, p->log);
	status = add_networks(
	    p, "--proxy-from", &p->settings.proxy_from, smtpd_server_add_proxy);
	if (status == 0)
		status = add_networks(p, "--xclient-from",
		    &p->settings.xclient_from, smtpd_server_add_xclient);
	p->lists.log = p->log;
	if (status == 0)
		status = dns_lists_add(&p->lists, PROGRAM, &p->settings.dnsbl,
		    &p->settings.dnswl, p->settings.list_dns, p->server);
	if (status == 0)
		status = milters_add(&p->milters, &p->settings.in,
		    &(struct milters_daemon){ PROGRAM, "local", p->log },
		    p->server);
	return status;
}

static int
open_ports(struct smtpin *p)
{
	p->where = (struct listen_where){
		.interfaces = &p->settings.interfaces,
		.lmtp = &p->settings.lmtp,
		.loopback = p->settings.in.loopback,
		.addresses = &p->settings.in.listen,
		.port = (unsigned)p->settings.in.port,
		.tls_port = (unsigned)p->settings.in.tls_port,
		.has_tls = p->settings.in.tls_certs.count > 0,
	};

	p->maintenance.where = &p->where;
	return listen_open(PROGRAM, p->server, &p->where, p->log);
}

/* Whether a mailbox, or the directory of a domain, in ROOT can be used; also
 * when nobody can tell. */
static bool
has_mailbox(const char *root)
{
	DIR *dir = opendir(root);
	const struct dirent *entry;
	bool found = dir == NULL;

	while (!found && (entry = readdir(dir)) != NULL)
		found = entry->d_name[0] != '.' &&
		    faccessat(dirfd(dir), entry->d_name, W_OK | X_OK, 0) == 0 &&
		    faccessat(dirfd(dir), entry->d_name, R_OK, 0) == 0;
	if (dir != NULL)
		closedir(dir);
	return found;
}

/* See whether new mailboxes can be made in the root: that is fatal only where
 * there is none.  Return 0, or an exit status after a complaint. */
static int
check_root(const struct smtpin *p)
{
	const char *what = "give it to the user of smtpin (chown), or name "
			   "another place (--maildir)";
	char root[PATH_MAX], why[256];

	if (mailbox_root(&p->delivery.pattern, root, sizeof(root)) == -1 ||
	    access(root, R_OK | W_OK | X_OK) == 0)
		return 0;
	snprintf(why, sizeof(why), "%s", strerror(errno));
	if (errno == EROFS)
		what = "in a unit of systemd, ReadWritePaths= must have it";
	if (!has_mailbox(root))
		return complain(PROGRAM, EX_CANTCREAT,
		    "no mailbox can be made in %s: %s: %s", root, why, what);
	log_line(p->log, SMTPD_LOG_WARNING,
	    "no new mailbox can be made in %s: %s: %s", root, why, what);
	return 0;
}

/* Become the user of --user, and open the files as that user, so that they can
 * be opened again later. */
static int
drop_privileges(struct smtpin *p)
{
	char why[1024];
	int status = daemon_drop_privileges(PROGRAM, p->settings.in.user,
	    p->where.follows, p->settings.in.check ? NULL : p->settings.in.log,
	    p->log);

	if (status != 0)
		return status;
	status = maintenance_load(&p->maintenance, why, sizeof(why));
	if (status == 0)
		status = tls_files_load(&p->maintenance.tls, why, sizeof(why));
	if (status != 0)
		return complain(PROGRAM, status, "%s", why);
	daemon_warn_root(p->log);
	daemon_warn_name(p->settings.in.name,
	    "clients that look for the name in the greeting, "
	    "and readers of Received fields, cannot tell which host it is",
	    p->log);
	return check_root(p);
}

/* What to publish, where there is TLS. */
static void
show_sts(struct smtpin *p)
{
	struct users *users;

	if (p->maintenance.tls.tls == NULL)
		return;
	users = users_current_get(&p->delivery.users);
	if (users != NULL)
		sts_check(users, p->settings.in.name, p->log);
	users_release(users);
}

static int
run_daemon(struct smtpin *p)
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
	if (p->settings.in.check) {
		tlsa_check(p->maintenance.tls.tls, p->settings.in.name,
		    p->settings.dns, p->log);
		show_sts(p);
		return tls_files_status(&p->maintenance.tls);
	}
	return daemon_run(&(struct daemon){
	    .program = PROGRAM,
	    .argv = p->argv,
	    .server = p->server,
	    .where = &p->where,
	    .log = p->log,
	    .reload = maintenance_reload,
	    .housekeep = maintenance_clean,
	    .look = maintenance_look,
	    .user = &p->maintenance,
	});
}

int
main(int argc, char **argv)
{
	struct smtpin p = { .argv = argv };
	int status;

	startup_prepare();
	status = settings_read(argc, argv, &p.settings);
	if (status == OPTIONS_GO) {
		status = run_daemon(&p);
		smtpd_server_destroy(p.server);
		milters_finish(&p.milters);
		dns_lists_finish(&p.lists);
		maintenance_finish(&p.maintenance);
		tls_files_finish(&p.maintenance.tls);
		delivery_finish(&p.delivery);
		listen_finish(&p.where);
		log_destroy(p.log);
	}
	settings_finish(&p.settings);
	return status;
}
