/* SPDX-License-Identifier: MIT */
#include "daemon.h"

#include <sys/resource.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "complain.h"
#include "hostname.h"
#include "privileges.h"
#include "systemd.h"

/* Seconds between two rounds of housekeeping, and between two looks. */
#define ROUND 3600
#define LOOK  60

/* How long messages that are being received have at the end. */
#define DRAIN_MS 30000

/* Descriptors of a connection (the socket, and while it stores a message the
 * file and its directories, however many mailboxes it goes to), and of
 * everything else. */
#define FILES_EACH  8
#define FILES_OTHER 64

static void
signals_of_interest(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

void
daemon_prepare(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	signals_of_interest(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	/* A file beyond RLIMIT_FSIZE: the write fails with EFBIG. */
	sigaction(SIGXFSZ, &ignore, NULL);
}

int
daemon_drop_privileges(const char *program, const char *user, bool keep_ports,
    const char *target, struct log *log)
{
	char why[1024];
	int status = privileges_drop(user, keep_ports, why, sizeof(why));

	if (status != 0)
		return complain(program, status, "%s", why);
	if (target != NULL && log_to(log, program, target) == -1)
		return complain(program, EX_CANTCREAT,
		    "cannot write the log %s: %s", target, strerror(errno));
	return 0;
}

void
daemon_warn_root(struct log *log)
{
	if (geteuid() == 0)
		log_line(log, SMTPD_LOG_WARNING,
		    "running as root: name a user to become (--user)");
}

void
daemon_warn_name(const char *name, struct log *log)
{
	if (!hostname_is_full(name))
		log_line(log, SMTPD_LOG_WARNING,
		    "the name of this host, \"%s\", has no domain: other hosts "
		    "may refuse its mail, and reports to its users: give one "
		    "that the DNS knows (--hostname)",
		    name);
}

void
daemon_raise_files(uint32_t connections, struct log *log)
{
	rlim_t want = (rlim_t)connections * FILES_EACH + FILES_OTHER;
	struct rlimit limit, more;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	if (connections == SMTPD_NO_LIMIT)
		want = limit.rlim_max;
	more = limit;
	/* All that may be had, as attempts at slow hosts may be many; only root
	 * may have more than rlim_max. */
	more.rlim_cur = limit.rlim_max;
	if (limit.rlim_max < want)
		more.rlim_cur = more.rlim_max = want;
	if (setrlimit(RLIMIT_NOFILE, &more) == 0)
		return;
	more.rlim_cur = more.rlim_max = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &more) == -1)
		more = limit;
	log_line(log, SMTPD_LOG_WARNING,
	    "only %llu files may be open, where %lu connections may need %llu: "
	    "raise the limit (LimitNOFILE=, ulimit -n) or lower "
	    "--max-connections",
	    (unsigned long long)more.rlim_cur, (unsigned long)connections,
	    (unsigned long long)want);
}

static time_t
monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void
reload_files(const struct daemon *d)
{
	if (log_reopen(d->log) == -1)
		log_line(d->log, SMTPD_LOG_ERROR,
		    "cannot open the log again, the old file stays in use: %s",
		    strerror(errno));
	if (d->reload != NULL)
		d->reload(d->user);
}

/* The periodic work, and when it is due. */
struct work {
	time_t round, look;
	bool busy; /* a round has begun and not ended */
};

/* Return for how many seconds there is no work. */
static time_t
idle_for(const struct work *w)
{
	time_t due = w->round < w->look ? w->round : w->look;
	time_t now = monotonic_s();

	return w->busy || due <= now ? 0 : due - now;
}

static void
work_on(const struct daemon *d, struct work *w)
{
	time_t now = monotonic_s();

	if (w->look <= now) {
		w->look = now + LOOK;
		if (d->look != NULL)
			d->look(d->user);
	}
	if (!w->busy && w->round > now)
		return;
	if (!w->busy)
		w->round = now + ROUND;
	w->busy = d->housekeep != NULL && d->housekeep(d->user, !w->busy);
}

/* Do the periodic work until a signal ends the daemon; return the signal. */
static int
wait_for_end(const struct daemon *d)
{
	struct work work = { .round = monotonic_s(), .look = monotonic_s() };
	sigset_t set;

	signals_of_interest(&set);
	for (;;) {
		struct timespec wait = { .tv_sec = idle_for(&work) };
		int sig = sigtimedwait(&set, NULL, &wait);

		if (sig == SIGTERM || sig == SIGINT)
			return sig;
		if (sig == SIGHUP)
			reload_files(d);
		if (sig == -1 && errno == EAGAIN)
			work_on(d, &work);
	}
}

static void
log_listeners(const struct daemon *d)
{
	const char *address;

	for (size_t i = 0;
	    (address = smtpd_server_address(d->server, i)) != NULL; i++) {
		unsigned flags = smtpd_server_listen_flags(d->server, i);

		log_line(d->log, SMTPD_LOG_INFO, "listening on %s%s%s", address,
		    (flags & SMTPD_LISTEN_LMTP) != 0 ? " for LMTP" : "",
		    (flags & SMTPD_LISTEN_TLS) != 0 ? " with TLS" : "");
	}
}

/* From now on SIGTERM or SIGINT ends the process at once: whatever has been
 * acknowledged is on disk. */
static void
let_signals_kill(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void
stop_daemon(const struct daemon *d, int sig)
{
	int cut;

	systemd_notify("STOPPING=1");
	log_line(d->log, SMTPD_LOG_INFO,
	    "stopping after %s; another one ends it at once",
	    sig == SIGINT ? "SIGINT" : "SIGTERM");
	let_signals_kill();
	if (d->stop != NULL)
		d->stop(d->user);
	cut = smtpd_server_drain(d->server, DRAIN_MS);
	log_line(d->log, SMTPD_LOG_INFO, "stopped; sessions cut off: %d", cut);
}

int
daemon_run(const struct daemon *d)
{
	if (smtpd_server_start(d->server) == -1)
		return complain(d->program, EX_OSERR, "cannot start: %s",
		    smtpd_server_error(d->server));
	log_listeners(d);
	if (systemd_notify("READY=1") == -1)
		log_line(d->log, SMTPD_LOG_WARNING,
		    "cannot tell systemd to be ready: %s", strerror(errno));
	stop_daemon(d, wait_for_end(d));
	return EX_OK;
}
