/* SPDX-License-Identifier: MIT */
#include "daemon.h"

#include <sys/resource.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "complain.h"
#include "handover.h"
#include "hostname.h"
#include "listen_inherited.h"
#include "privileges.h"
#include "recheck.h"
#include "systemd.h"
#include "watchdog.h"

/* The time between two rounds of housekeeping, and between two looks. */
#define ROUND_MS 3600000
#define LOOK_MS  60000

/* How long messages that are being received have at the end. */
#define DRAIN_MS 30000

/* How long sessions may go on before that where clients are not refused
 * meanwhile: where they wait for the next process, and where that serves. */
#define GRACE_MS  5000
#define LINGER_MS 300000

/* How long a process that is to take over may take to be ready, and how often
 * somebody sees whether it is, or whether sessions have ended. */
#define READY_MS 60000
#define POLL_MS  20

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
	sigaddset(set, SIGUSR2);
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
daemon_warn_name(const char *name, const char *harm, struct log *log)
{
	if (!hostname_is_full(name))
		log_line(log, SMTPD_LOG_WARNING,
		    "the name of this host, \"%s\", has no domain: %s: give "
		    "one that the DNS knows (--hostname)",
		    name, harm);
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

static uint64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A daemon at work, and when its periodic work is due. */
struct running {
	const struct daemon *d;
	uint64_t round_ms, look_ms;
	bool busy; /* a round has begun and not ended */
	struct watchdog watchdog;
	struct handover_new new; /* the process that is to take over */
	uint64_t new_until_ms;   /* so long it has to be ready */
};

static void
tell_ready(const struct daemon *d)
{
	if (systemd_notify("READY=1") == -1)
		log_line(d->log, SMTPD_LOG_WARNING,
		    "cannot tell systemd to be ready: %s", strerror(errno));
}

static void
reload_files(const struct daemon *d)
{
	systemd_notify_reloading();
	if (log_reopen(d->log) == -1)
		log_line(d->log, SMTPD_LOG_ERROR,
		    "cannot open the log again, the old file stays in use: %s",
		    strerror(errno));
	if (recheck_passes(
		d->argv, "the old configuration stays in use", d->log))
		d->reload(d->user);
	log_line(d->log, SMTPD_LOG_INFO,
	    "files read again after SIGHUP; options that were changed count "
	    "after SIGUSR2 or a restart");
	tell_ready(d);
}

/* Tell systemd how the daemon does. */
static void
tell_status(const struct daemon *d)
{
	struct smtpd_server_counters n = { SMTPD_SERVER_COUNTERS_INIT };

	smtpd_server_count(d->server, &n);
	systemd_notify(
	    "STATUS=%llu connections now, %llu since the start; %llu "
	    "messages accepted, %llu refused",
	    (unsigned long long)n.connections_now,
	    (unsigned long long)n.connections, (unsigned long long)n.messages,
	    (unsigned long long)n.messages_refused);
}

/* Return for how many milliseconds there is nothing to do. */
static uint64_t
idle_for(const struct running *r)
{
	uint64_t due = r->round_ms < r->look_ms ? r->round_ms : r->look_ms;
	uint64_t now = monotonic_ms();

	if (r->watchdog.every_ms != 0 && r->watchdog.next_ms < due)
		due = r->watchdog.next_ms;
	if (r->new.begun && now + POLL_MS < due)
		due = now + POLL_MS;
	return r->busy || due <= now ? 0 : due - now;
}

static void
work_on(struct running *r)
{
	const struct daemon *d = r->d;
	uint64_t now = monotonic_ms();

	if (r->look_ms <= now) {
		r->look_ms = now + LOOK_MS;
		if (d->look != NULL)
			d->look(d->user);
		tell_status(d);
	}
	if (!r->busy && r->round_ms > now)
		return;
	if (!r->busy)
		r->round_ms = now + ROUND_MS;
	r->busy = d->housekeep != NULL && d->housekeep(d->user, !r->busy);
}

/* Start the process that is to take over, if it could start: why it could not
 * is in the log, as what it says itself is not. */
static void
start_new(struct running *r)
{
	const struct daemon *d = r->d;

	if (r->new.begun)
		return;
	systemd_notify_reloading();
	if (!recheck_passes(d->argv,
		"a new process would fail, going on as before", d->log)) {
		tell_ready(d);
		return;
	}
	if (handover_start(&r->new, d->argv, d->server, d->where->kept) == -1) {
		log_line(d->log, SMTPD_LOG_ERROR,
		    "cannot start %s again, going on as before: %s", d->argv[0],
		    strerror(errno));
		tell_ready(d);
		return;
	}
	log_line(d->log, SMTPD_LOG_INFO, "started %s again, to take over",
	    d->argv[0]);
	r->new_until_ms = monotonic_ms() + READY_MS;
}

/* See whether the process that is to take over does; if it fails, everything
 * goes on. */
static bool
new_takes_over(struct running *r)
{
	const struct daemon *d = r->d;
	char why[HANDOVER_WHY_SIZE];
	int ready;

	if (!r->new.begun)
		return false;
	ready = handover_poll(&r->new, why, sizeof(why));
	if (ready == 1)
		return true;
	if (ready == 0 && monotonic_ms() < r->new_until_ms)
		return false;
	if (ready == 0) {
		snprintf(why, sizeof(why), "not ready within %d seconds",
		    READY_MS / 1000);
		handover_cancel(&r->new);
	}
	log_line(d->log, SMTPD_LOG_ERROR,
	    "the new process has failed (%s), going on as before", why);
	tell_ready(d);
	return false;
}

static void
tell_watchdog(struct running *r)
{
	if (r->d->live != NULL)
		r->d->live(r->d->user);
	watchdog_look(&r->watchdog, monotonic_ms());
}

/* Do the periodic work until a signal ends the daemon, or a new process takes
 * over; return the signal. */
static int
wait_for_end(struct running *r)
{
	sigset_t set;

	signals_of_interest(&set);
	for (;;) {
		uint64_t idle = idle_for(r);
		struct timespec wait = { .tv_sec = (time_t)(idle / 1000),
			.tv_nsec = (long)(idle % 1000) * 1000000 };
		int sig = sigtimedwait(&set, NULL, &wait);

		if (sig == SIGTERM || sig == SIGINT)
			return sig;
		if (sig == SIGHUP)
			reload_files(r->d);
		if (sig == SIGUSR2)
			start_new(r);
		if (new_takes_over(r))
			return SIGUSR2;
		if (sig == -1 && errno == EAGAIN)
			work_on(r);
		if (watchdog_is_due(&r->watchdog, monotonic_ms()))
			tell_watchdog(r);
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

/* Wait for a moment; return whether a signal asks for the end in it. */
static bool
end_is_asked(void)
{
	static const struct timespec moment = { .tv_nsec = POLL_MS * 1000000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return sigtimedwait(&set, NULL, &moment) != -1;
}

/* Accept no more, but leave the listeners open for others, and let sessions go
 * on for up to MS milliseconds; for less once a signal asks for the end. */
static void
finish_sessions(const struct daemon *d, uint64_t ms)
{
	struct smtpd_server_counters n = { SMTPD_SERVER_COUNTERS_INIT };
	uint64_t until = monotonic_ms() + ms;
	int quiet = 0;

	for (size_t i = 0; smtpd_server_address(d->server, i) != NULL; i++) {
		int fd = smtpd_server_release(d->server, i);

		if (fd != -1)
			close(fd);
	}
	/* The last connection that was accepted may not be counted yet. */
	while (quiet < 5 && monotonic_ms() < until) {
		if (end_is_asked() && until > monotonic_ms() + GRACE_MS)
			until = monotonic_ms() + GRACE_MS;
		smtpd_server_count(d->server, &n);
		quiet = n.connections_now == 0 ? quiet + 1 : 0;
	}
}

/* A signal ends the daemon. */
static void
stop_daemon(struct running *r, int sig)
{
	const struct daemon *d = r->d;

	systemd_notify("STOPPING=1");
	log_line(d->log, SMTPD_LOG_INFO,
	    "stopping after %s; another one ends it at once",
	    sig == SIGINT ? "SIGINT" : "SIGTERM");
	if (r->new.begun)
		handover_cancel(&r->new);
	let_signals_kill();
	if (d->stop != NULL)
		d->stop(d->user);
	if (d->where->kept)
		finish_sessions(d, GRACE_MS);
}

/* The new process takes over.  The signal that systemd sends to both to end
 * them is the first one here. */
static void
give_way(struct running *r)
{
	const struct daemon *d = r->d;

	systemd_notify("MAINPID=%ld", (long)r->new.pid);
	handover_finish(&r->new);
	log_line(d->log, SMTPD_LOG_INFO,
	    "process %ld ends with its last session, as process %ld takes over",
	    (long)getpid(), (long)r->new.pid);
	if (d->stop != NULL)
		d->stop(d->user);
	finish_sessions(d, d->exclusive ? GRACE_MS : LINGER_MS);
	let_signals_kill();
}

/* A signal that was sent to the old process, and to all others of the service,
 * is not for this one, which that has started. */
static void
forget_handover(void)
{
	static const struct timespec now;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	(void)sigtimedwait(&set, NULL, &now);
}

int
daemon_run(const struct daemon *d)
{
	uint64_t now = monotonic_ms();
	struct running r = { .d = d, .round_ms = now, .look_ms = now };
	int sig, cut;

	if (smtpd_server_start(d->server) == -1)
		return complain(d->program, EX_OSERR, "cannot start: %s",
		    smtpd_server_error(d->server));
	if (d->where->old.channel != -1)
		forget_handover();
	handover_ready(&d->where->old);
	log_line(d->log, SMTPD_LOG_INFO, "process %ld serves", (long)getpid());
	log_listeners(d);
	tell_ready(d);
	watchdog_init(&r.watchdog, d->server, d->log, now);
	sig = wait_for_end(&r);
	if (sig == SIGUSR2)
		give_way(&r);
	else
		stop_daemon(&r, sig);
	cut = smtpd_server_drain(d->server, DRAIN_MS);
	if (sig != SIGUSR2)
		listen_inherited_close(d->server, d->where);
	log_line(d->log, SMTPD_LOG_INFO,
	    "process %ld stopped; sessions cut off: %d", (long)getpid(), cut);
	return EX_OK;
}
