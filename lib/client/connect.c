/* SPDX-License-Identifier: MIT */
#include "client/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/sized.h"
#include "os/clock.h"

#define ATTEMPTS_MAX 2

/* One address that is being tried. */
struct attempt {
	int fd;
	size_t target;
	uint64_t deadline;
};

struct field {
	struct smtpd_race *race;
	struct attempt attempts[ATTEMPTS_MAX];
	size_t count;
	uint64_t next_at; /* when another may be tried beside */
};

/* Remember which address it is about, and with its port. */
static void
note_peer(struct smtpd_race *r, size_t target)
{
	struct smtpd_target t;
	struct sockaddr_in *in = (struct sockaddr_in *)&r->peer.addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&r->peer.addr;

	smtpd__sized_copy_nth(&t, sizeof(t), r->targets, target);
	r->peer.addr = t.addr;
	r->peer.len = t.len;
	r->host = t.host;
	r->at = target;
	r->unbound = NULL;
	if (t.addr.ss_family == AF_INET6)
		in6->sin6_port = htons(r->port);
	else if (t.addr.ss_family == AF_INET)
		in->sin_port = htons(r->port);
}

/* An address failed by ERROR.  What our own network, or a lack here, is the
 * reason of says nothing of the host. */
static void
note_error(struct smtpd_race *r, int error)
{
	static const int own[] = { ENETUNREACH, EHOSTUNREACH, ENETDOWN,
		EADDRNOTAVAIL, EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM };
	bool is_own = false;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		is_own = is_own || error == own[i];
	r->error = error;
	r->answered = r->answered || !is_own;
}

static void
drop_attempt(struct field *f, size_t i, int error)
{
	note_peer(f->race, f->attempts[i].target);
	note_error(f->race, error);
	close(f->attempts[i].fd);
	f->attempts[i] = f->attempts[f->count - 1];
	f->count--;
	f->next_at = 0;
}

/* Have FD come from the source for the address of R, if there is one.  Return
 * 0, or -1 with errno. */
static int
bind_source(struct smtpd_race *r, int fd)
{
	const struct smtpd_client_source *source =
	    smtpd__client_sources_find(r->sources, r->peer.addr.ss_family);

	if (source == NULL || smtpd__socket_bind(fd, &source->address) == 0)
		return 0;
	r->unbound = source;
	return -1;
}

/* Start with the next address.  It may fail at once. */
static void
start_next(struct field *f)
{
	struct smtpd_race *r = f->race;
	uint64_t now = smtpd__clock_ms();
	struct attempt *x = &f->attempts[f->count];
	const int on = 1;

	x->target = r->next++;
	note_peer(r, x->target);
	x->fd = socket(r->peer.addr.ss_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd < 0) {
		note_error(r, errno);
		return;
	}
	if (bind_source(r, x->fd) == -1) {
		r->error = errno;
		close(x->fd);
		return;
	}
	f->count++;
	setsockopt(x->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	x->deadline = smtpd__clock_after(now, r->connect_ms);
	f->next_at = smtpd__clock_after(now, r->stagger_ms);
	if (connect(x->fd, (const struct sockaddr *)&r->peer.addr,
		r->peer.len) != 0 &&
	    errno != EINPROGRESS && errno != EINTR)
		drop_attempt(f, f->count - 1, errno);
}

static bool
may_start(const struct field *f)
{
	return f->race->next < f->race->count && f->count < ATTEMPTS_MAX &&
	    (f->count == 0 || smtpd__clock_ms() >= f->next_at);
}

/* Until when nothing needs to be done, unless an address answers. */
static uint64_t
next_event(const struct field *f)
{
	uint64_t at = SMTPD_NEVER;

	if (f->race->next < f->race->count && f->count < ATTEMPTS_MAX)
		at = f->next_at;
	for (size_t i = 0; i < f->count; i++)
		if (f->attempts[i].deadline < at)
			at = f->attempts[i].deadline;
	return at;
}

/* The errno of a connection that became ready to be written to; 0: it is
 * open. */
static int
error_of(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return errno;
	return error;
}

/* Wait for something to happen.  Return false when cancelled. */
static bool
wait_for(struct field *f, struct pollfd *pfds)
{
	for (size_t i = 0; i < f->count; i++)
		pfds[i] = (struct pollfd){
			.fd = f->attempts[i].fd,
			.events = POLLOUT,
		};
	pfds[f->count] =
	    (struct pollfd){ .fd = f->race->cancel_fd, .events = POLLIN };
	if (poll(pfds, (nfds_t)f->count + 1,
		smtpd__clock_poll_ms(smtpd__clock_ms(), next_event(f))) < 0)
		for (size_t i = 0; i <= f->count; i++)
			pfds[i].revents = 0;
	return pfds[f->count].revents == 0;
}

/* The one of F that has arrived, or -1.  Failed ones are dropped. */
static int
find_winner(struct field *f, const struct pollfd *pfds)
{
	uint64_t now = smtpd__clock_ms();

	for (size_t i = f->count; i-- > 0;) {
		int error = 0;

		if (pfds[i].revents != 0)
			error = error_of(f->attempts[i].fd);
		else if (now >= f->attempts[i].deadline)
			error = ETIMEDOUT;
		else
			continue;
		if (error == 0)
			return (int)i;
		drop_attempt(f, i, error);
	}
	return -1;
}

/* Close all of F but WINNER, which may be none: -1. */
static void
close_all_but(struct field *f, int winner)
{
	for (size_t i = 0; i < f->count; i++)
		if ((int)i != winner)
			close(f->attempts[i].fd);
}

int
smtpd__client_connect_race(struct smtpd_race *r)
{
	struct field f = { .race = r };
	struct pollfd pfds[ATTEMPTS_MAX + 1];
	int winner;

	r->error = EADDRNOTAVAIL;
	for (;;) {
		while (may_start(&f))
			start_next(&f);
		if (f.count == 0)
			return -1;
		if (!wait_for(&f, pfds)) {
			close_all_but(&f, -1);
			r->error = ECANCELED;
			return -1;
		}
		winner = find_winner(&f, pfds);
		if (winner >= 0)
			break;
	}
	close_all_but(&f, winner);
	note_peer(r, f.attempts[winner].target);
	return f.attempts[winner].fd;
}
