/* SPDX-License-Identifier: MIT */
#include "watchdog.h"

#include <poll.h>
#include <unistd.h>

#include "systemd.h"

void
watchdog_init(struct watchdog *w, struct smtpd_server *server, struct log *log,
    uint64_t now_ms)
{
	uint64_t within = systemd_watchdog_ms();

	*w = (struct watchdog){
		.server = server,
		.log = log,
		.every_ms = within == 1 ? 1 : within / 2,
		.next_ms = now_ms,
	};
}

/* Whether a client waits to be accepted. */
static bool
client_waits(struct smtpd_server *srv)
{
	bool waits = false;

	for (size_t i = 0; smtpd_server_address(srv, i) != NULL; i++) {
		struct pollfd p = { smtpd_server_share(srv, i), POLLIN, 0 };

		if (p.fd == -1)
			continue;
		waits |= poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0;
		close(p.fd);
	}
	return waits;
}

/* Whether connections are accepted, as far as anybody can tell; sent away with
 * a reply is accepted, too. */
static bool
server_lives(struct watchdog *w)
{
	struct smtpd_server_counters n = { SMTPD_SERVER_COUNTERS_INIT };
	bool waited = w->waiting;
	uint64_t before = w->accepted;

	w->waiting = client_waits(w->server);
	smtpd_server_count(w->server, &n);
	w->accepted = n.connections + n.refused_connections;
	return !waited || !w->waiting || w->accepted != before;
}

bool
watchdog_is_due(const struct watchdog *w, uint64_t now_ms)
{
	return w->every_ms != 0 && now_ms >= w->next_ms;
}

void
watchdog_look(struct watchdog *w, uint64_t now_ms)
{
	w->next_ms = now_ms + w->every_ms;
	if (server_lives(w))
		systemd_notify("WATCHDOG=1");
	else
		log_line(w->log, SMTPD_LOG_ERROR,
		    "clients wait, and no connection is accepted: the watchdog "
		    "is not told that all is well");
}
