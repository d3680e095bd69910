/* SPDX-License-Identifier: MIT */

/* smtpout: accept mail from programs on this host, keep it safe, and send
 * it. */

#include <sys/stat.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <smtpd.h>

#include "complain.h"
#include "daemon.h"
#include "dkim_key_command.h"
#include "dkim_keys.h"
#include "dnssec_check.h"
#include "domain_policies.h"
#include "drop_box.h"
#include "listen.h"
#include "local.h"
#include "log.h"
#include "milters.h"
#include "options.h"
#include "places.h"
#include "queue_command.h"
#include "queue_place.h"
#include "queue_settings.h"
#include "routing.h"
#include "settings.h"
#include "smarthost.h"
#include "sources.h"
#include "startup.h"
#include "submission.h"
#include "tls_files.h"
#include "trust_files.h"
#include "verify.h"

/* How long a host may take at the end to say that it has a message. */
#define STOP_MS 60000

/* Everything that lives as long as the daemon. */
struct smtpout {
	struct settings settings;
	struct log *log;
	struct submission submission;
	struct routing routing;
	struct local local;
	struct drop_box drop;
	struct user_shares *shares;
	struct tls_files tls;
	struct smtpd_trust *trust;
	struct dkim_keys dkim;
	struct domain_policies policies;
	struct smtpd_server *server;
	struct milters milters;
	struct smtpd_queue *queue;
	struct listen_where where;
	char *const *argv;
};

static int
create_parts(struct smtpout *p)
{
	struct smtpd_settings s;

	p->log = log_create(p->settings.in.log_level);
	if (p->log == NULL)
		return complain(PROGRAM, EX_OSERR, "no memory");
	p->submission.log = p->log;
	p->routing.settings = &p->settings;
	p->routing.log = p->log;
	local_init(&p->local, &p->settings, p->log);
	p->local.has_route = &p->routing.has_local;
	settings_for_server(&p->settings, &s);
	s.log_user = p->log;
	p->server = smtpd_server_create(&s);
	if (p->server == NULL)
		return complain(PROGRAM, EX_OSERR, "no memory");
	p->tls = (struct tls_files){
		.server = p->server,
		.log = p->log,
		.certs = &p->settings.in.tls_certs,
		.keys = &p->settings.in.tls_keys,
	};
	p->dkim = (struct dkim_keys){
		.log = p->log,
		.specs = &p->settings.dkim,
		.fields = p->settings.dkim_fields,
		.subdomains = p->settings.dkim_subdomains,
	};
	daemon_raise_files(s.max_connections == SMTPD_NO_LIMIT
		? SMTPD_NO_LIMIT
		: s.max_connections + (uint32_t)p->settings.workers,
	    p->log);
	return milters_add(&p->milters, &p->settings.in,
	    &(struct milters_daemon){ PROGRAM, "smtp", p->log }, p->server);
}

/* Root makes DIRECTORY for the user of --user, who may not. */
static void
make_directory(const struct smtpout *p, const char *directory, mode_t mode)
{
	const char *name = p->settings.in.user;
	const struct passwd *user = name != NULL ? getpwnam(name) : NULL;

	/* If that fails, its use says why. */
	if (geteuid() != 0 || mkdir(directory, mode) == -1)
		return;
	(void)!chmod(directory, mode);
	if (user != NULL)
		(void)!chown(directory, user->pw_uid, user->pw_gid);
}

/* Programs find the socket by default, and over it each user has a share; where
 * it cannot be made, they come over loopback. */
static void
open_default_socket(struct smtpout *p)
{
	make_directory(p, SMTPOUT_RUN, 0755);
	if (smtpd_server_listen(p->server, SMTPOUT_SOCKET, 0) == 0 &&
	    chmod(SMTPOUT_SOCKET, 0666) == 0)
		return;
	log_line(p->log, SMTPD_LOG_INFO,
	    "not listening on " SMTPOUT_SOCKET
	    ", programs come over loopback: %s",
	    strerror(errno));
}

/* Any user of this host may submit over a socket, whatever the umask. */
static int
open_sockets(const struct smtpout *p)
{
	const struct text_list *list = &p->settings.in.listen;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i][0] == '/' &&
		    chmod(list->items[i], 0666) == -1)
			return complain(PROGRAM, EX_OSERR,
			    "cannot open %s to all users: %s", list->items[i],
			    strerror(errno));
	return 0;
}

static int
open_ports(struct smtpout *p)
{
	static const struct text_list none = { .count = 0 };
	int status;

	p->where = (struct listen_where){
		.interfaces = &none,
		.loopback = p->settings.in.loopback,
		.addresses = &p->settings.in.listen,
		.port = (unsigned)p->settings.in.port,
		.tls_port = (unsigned)p->settings.in.tls_port,
		.has_tls = p->settings.in.tls_certs.count > 0,
		.only_loopback = true,
	};
	status = listen_open(PROGRAM, p->server, &p->where, p->log);
	if (status != 0 || p->where.inherited)
		return status;
	if (p->settings.default_socket)
		open_default_socket(p);
	return open_sockets(p);
}

/* As root, files of a queue that belongs to another user would be made that
 * this user cannot read. */
static int
check_owner(const struct smtpout *p)
{
	const struct passwd *user;
	struct stat st;

	if (geteuid() != 0 || stat(p->settings.queue, &st) == -1 ||
	    st.st_uid == 0)
		return 0;
	user = getpwuid(st.st_uid);
	return complain(PROGRAM, EX_USAGE,
	    "the queue %s belongs to %s: --user %s", p->settings.queue,
	    user != NULL ? user->pw_name : "another user",
	    user != NULL ? user->pw_name : "NAME");
}

/* Whether the queue could be opened, but for what only its lock allows to know:
 * before the process that has it ends for this one.  MISSING is why it neither
 * was there nor could be made, or 0.  Return 0 or an exit status. */
static int
check_place(const struct smtpout *p, int missing)
{
	const char *directory = p->settings.queue;
	int error = missing != 0 ? missing : queue_place_use(directory);
	char why[1024];

	if (error == 0)
		return 0;
	snprintf(why, sizeof(why), "%s: %s", directory, strerror(error));
	return queue_place_complain(directory, p->settings.in.user, error, why);
}

/* Become the user of --user, and open the files as that user, so that they can
 * be opened again later. */
static int
drop_privileges(struct smtpout *p)
{
	char why[1024];
	int status, missing;

	if (!p->settings.in.check)
		make_directory(p, p->settings.queue, 0700);
	missing = queue_place_find(p->settings.queue);
	status = daemon_drop_privileges(PROGRAM, p->settings.in.user, false,
	    p->settings.in.check ? NULL : p->settings.in.log, p->log);
	if (status == 0)
		status = check_owner(p);
	if (status != 0)
		return status;
	status = tls_files_load(&p->tls, why, sizeof(why));
	if (status == 0)
		status = dkim_keys_load(&p->dkim, why, sizeof(why));
	if (status != 0)
		return complain(PROGRAM, status, "%s", why);
	status = trust_files_load(&p->settings, p->log, &p->trust);
	if (status != 0)
		return status;
	status = routing_load(&p->routing, why, sizeof(why));
	if (status != 0)
		return complain(PROGRAM, status, "%s", why);
	sources_warn(
	    p->settings.sources, p->settings.nsources, "--source", p->log);
	status = local_load(&p->local, p->settings.in.check, why, sizeof(why));
	if (status != 0)
		return complain(PROGRAM, status, "%s", why);
	daemon_warn_root(p->log);
	daemon_warn_name(p->settings.in.name,
	    "other hosts may refuse its mail, and reports to "
	    "its users",
	    p->log);
	local_warn(&p->local);
	status =
	    drop_box_open(&p->drop, p->settings.drop_box, why, sizeof(why));
	if (status != 0)
		return complain(PROGRAM, status, "%s", why);
	return check_place(p, missing);
}

/* Let the process that handed its listeners on, if one did, end, and so let go
 * of the queue; clients wait meanwhile.  Return OPTIONS_GO, or an exit
 * status. */
static int
wait_for_old(struct smtpout *p)
{
	if (p->where.old.channel == -1)
		return OPTIONS_GO;
	handover_ready(&p->where.old);
	log_line(p->log, SMTPD_LOG_INFO,
	    "waiting for the old process, which has the queue");
	return handover_wait(&p->where.old) ? OPTIONS_GO : EX_OK;
}

static int
open_queue(struct smtpout *p)
{
	struct smtpd_queue_settings s;
	struct queue_parts parts;
	char why[1024];
	int status;

	queue_settings_set(&p->settings, &parts, &s);
	status = domain_policies_begin(
	    &p->policies, &p->settings, p->log, &parts.policy);
	if (status != 0)
		return status;
	parts.client.trust = p->trust;
	s.routes = p->routing.routes.list;
	s.nroutes = p->routing.routes.count;
	parts.smarthost.credentials_user = p->routing.token;
	s.dkim = p->dkim.dkim;
	s.log_user = p->log;
	s.expand = local_expand;
	s.expand_user = &p->local;
	s.submitted = submission_note;
	s.submitted_user = &p->submission;
	p->queue = queue_place_open(p->settings.queue, &s, why, sizeof(why));
	if (p->queue == NULL)
		return queue_place_complain(
		    p->settings.queue, p->settings.in.user, errno, why);
	p->shares = user_shares_create(
	    p->settings.user_share, p->settings.queue, p->log);
	if (p->shares == NULL)
		return complain(
		    PROGRAM, EX_OSERR, "--user-share: %s", strerror(errno));
	p->submission.queue = p->policies.queue = p->queue;
	p->submission.shares = p->shares;
	if (submission_register(&p->submission, p->server) == -1 ||
	    verify_register(p->server, p->queue) == -1)
		return complain(PROGRAM, EX_OSERR, "no memory");
	if (smtpd_queue_start(p->queue, why, sizeof(why)) == -1)
		return complain(PROGRAM, EX_OSERR,
		    "cannot start the queue %s: %s", p->settings.queue, why);
	p->drop.take = (struct drop_take){
		.queue = p->queue,
		.log = p->log,
		.shares = p->shares,
		.hostname = s.hostname,
		.mailname = s.local_domain,
		.fix = s.fix,
		.max_size = p->settings.in.max_message_size,
	};
	status = drop_box_start(&p->drop, why, sizeof(why));
	return status == 0 ? 0 : complain(PROGRAM, status, "%s", why);
}

static void
reload_files(void *user)
{
	struct smtpout *p = user;
	struct smtpd_trust *trust;

	tls_files_reload(&p->tls);
	trust = trust_files_reload(&p->settings, p->log);
	if (trust != NULL) {
		smtpd_queue_set_trust(p->queue, trust);
		smtpd_trust_unref(p->trust);
		p->trust = trust;
	}
	routing_reload(&p->routing, p->queue);
	if (dkim_keys_reload(&p->dkim))
		smtpd_queue_set_dkim(p->queue, p->dkim.dkim);
	local_reload(&p->local);
}

static void
look_at_files(void *user)
{
	struct smtpout *p = user;

	tls_files_look(&p->tls, time(NULL));
	if (dkim_keys_look(&p->dkim))
		smtpd_queue_set_dkim(p->queue, p->dkim.dkim);
}

/* One that hangs holds the locks that this takes. */
static void
look_at_queue(void *user)
{
	struct smtpd_queue_counters n = { SMTPD_QUEUE_COUNTERS_INIT };
	struct smtpout *p = user;

	smtpd_queue_count(p->queue, &n);
}

/* Mail still comes in while attempts end: programs that have mail at the time
 * of a restart do not try twice. */
static void
stop_sending(void *user)
{
	struct smtpout *p = user;

	smtpd_queue_stop(p->queue, STOP_MS);
}

/* What --check ends with when a start would go well. */
static int
check_files(struct smtpout *p)
{
	struct smtpd_queue_settings s;
	struct queue_parts parts;
	int status;

	queue_settings_set(&p->settings, &parts, &s);
	status = dkim_keys_check(&p->dkim, s.resolver);
	if (!p->settings.no_dane)
		dnssec_check(s.resolver, p->log);
	return status != 0 ? status : tls_files_status(&p->tls);
}

static int
run_daemon(struct smtpout *p)
{
	int status;

	daemon_prepare();
	if ((status = create_parts(p)) != 0)
		return status;
	status = smarthost_read_password(
	    &p->settings, &p->routing.logins.passwords, p->log);
	if (status != 0)
		return status;
	if (!p->settings.in.check && (status = open_ports(p)) != 0)
		return status;
	status = drop_privileges(p);
	if (status != 0)
		return status;
	if (p->settings.in.check)
		return check_files(p);
	if ((status = wait_for_old(p)) != OPTIONS_GO ||
	    (status = open_queue(p)) != 0)
		return status;
	status = daemon_run(&(struct daemon){
	    .program = PROGRAM,
	    .argv = p->argv,
	    .server = p->server,
	    .where = &p->where,
	    .exclusive = true,
	    .log = p->log,
	    .reload = reload_files,
	    .look = look_at_files,
	    .live = look_at_queue,
	    .stop = stop_sending,
	    .user = p,
	});
	drop_box_finish(&p->drop);
	smtpd_queue_stop(p->queue, 0);
	log_line(p->log, SMTPD_LOG_INFO, "the queue is closed");
	return status;
}

int
main(int argc, char **argv)
{
	struct smtpout p = { .argv = argv,
		.local.lock = PTHREAD_RWLOCK_INITIALIZER };
	int status;

	startup_prepare();
	drop_box_init(&p.drop);
	if (argc > 1 && strcmp(argv[1], "queue") == 0)
		return queue_command(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "dkim-key") == 0)
		return dkim_key_command(argc - 1, argv + 1);
	status = settings_read(argc, argv, &p.settings);
	if (status == OPTIONS_GO) {
		status = run_daemon(&p);
		smtpd_server_destroy(p.server);
		drop_box_finish(&p.drop);
		milters_finish(&p.milters);
		smtpd_queue_close(p.queue);
		domain_policies_end(&p.policies);
		user_shares_destroy(p.shares);
		routing_finish(&p.routing);
		smtpd_trust_unref(p.trust);
		dkim_keys_finish(&p.dkim);
		local_finish(&p.local);
		tls_files_finish(&p.tls);
		listen_finish(&p.where);
		log_destroy(p.log);
	}
	settings_finish(&p.settings);
	return status;
}
