/* SPDX-License-Identifier: MIT */
#include "server/gate.h"

#include "os/clock.h"
#include "server/server_state.h"
#include "server/session_list.h"

/* Where there are too many connections, one that has been silent for so long
 * makes room. */
#define SILENT_MS 10000

/* Those of level ERROR count as errors. */
static const struct {
	enum smtpd_reply_key reply;
	enum smtpd_log_level level;
	const char *reason;
} refusals[] = {
	[SMTPD_REFUSAL_FULL] = { SMTPD_REPLY_TOO_MANY_CONNECTIONS,
	    SMTPD_LOG_INFO, "too many connections" },
	[SMTPD_REFUSAL_PEER_FULL] = { SMTPD_REPLY_TOO_MANY_FROM_PEER,
	    SMTPD_LOG_INFO, "too many connections from it" },
	[SMTPD_REFUSAL_PEER_FAST] = { SMTPD_REPLY_TOO_FAST_FROM_PEER,
	    SMTPD_LOG_INFO, "too many new connections from it" },
	[SMTPD_REFUSAL_NO_MEMORY] = { SMTPD_REPLY_TOO_BUSY, SMTPD_LOG_ERROR,
	    "no memory" },
	[SMTPD_REFUSAL_NO_DESCRIPTOR] = { SMTPD_REPLY_TOO_BUSY, SMTPD_LOG_ERROR,
	    "no descriptors are left" },
	[SMTPD_REFUSAL_NO_THREAD] = { SMTPD_REPLY_TOO_BUSY, SMTPD_LOG_ERROR,
	    "cannot make a thread" },
};

static enum smtpd_refusal
to_refusal(enum smtpd_admission status)
{
	if (status == SMTPD_ADMISSION_OK)
		return SMTPD_REFUSAL_NONE;
	if (status == SMTPD_ADMISSION_NO_MEMORY)
		return SMTPD_REFUSAL_NO_MEMORY;
	return status == SMTPD_ADMISSION_PEER_FULL ? SMTPD_REFUSAL_PEER_FULL
						   : SMTPD_REFUSAL_FULL;
}

/* Whether PEER speaks for others: it counts as nobody. */
static bool
is_front(const struct smtpd_server *srv, const struct smtpd_sockaddr *peer)
{
	return smtpd__network_list_has(&srv->config.proxies, peer) ||
	    smtpd__network_list_has(&srv->config.xclients, peer);
}

/* Have those make room that are silent for too long where there are so many
 * connections.  The lock is held. */
static void
end_silent(struct smtpd_server *srv)
{
	uint32_t ms = srv->config.settings.crowded_idle_timeout_ms;

	if (ms == SMTPD_NO_TIMEOUT)
		return;
	while (smtpd__limits_are_near(&srv->limits) &&
	    smtpd__session_list_evict(srv, ms))
		continue;
}

/* As smtpd__gate_admit().  The lock is held. */
static enum smtpd_refusal
admit_locked(struct smtpd_server *srv, const struct smtpd_sockaddr *peer,
    const uid_t *uid, struct smtpd_slot *slot)
{
	static const struct smtpd_sockaddr nobody;
	enum smtpd_admission status;

	if (is_front(srv, peer)) {
		peer = &nobody;
		uid = NULL;
	}
	if (!smtpd__rates_admit(
		&srv->rates, SMTPD_RATE_CONNECTIONS, peer, smtpd__clock_ms()))
		return SMTPD_REFUSAL_PEER_FAST;
	end_silent(srv);
	status = smtpd__limits_admit(&srv->limits, peer, uid, slot);
	if (status == SMTPD_ADMISSION_FULL &&
	    smtpd__session_list_evict(srv, SILENT_MS))
		status = smtpd__limits_admit(&srv->limits, peer, uid, slot);
	return to_refusal(status);
}

enum smtpd_refusal
smtpd__gate_admit(struct smtpd_server *srv, const struct smtpd_sockaddr *peer,
    const uid_t *uid, struct smtpd_slot *slot)
{
	enum smtpd_refusal why;

	pthread_mutex_lock(&srv->lock);
	why = admit_locked(srv, peer, uid, slot);
	pthread_mutex_unlock(&srv->lock);
	return why;
}

enum smtpd_refusal
smtpd__gate_readmit(struct smtpd_server *srv, const struct smtpd_sockaddr *peer,
    struct smtpd_slot *slot)
{
	enum smtpd_refusal why;

	pthread_mutex_lock(&srv->lock);
	smtpd__limits_leave(&srv->limits, slot);
	why = admit_locked(srv, peer, NULL, slot);
	pthread_mutex_unlock(&srv->lock);
	return why;
}

/* The answer of ASK, smtpd__rates_admit() or smtpd__rates_has_room(), about
 * KIND by PEER. */
static bool
ask_rates(struct smtpd_server *srv, enum smtpd_rate_kind kind,
    const struct smtpd_sockaddr *peer,
    bool (*ask)(struct smtpd_rates *, enum smtpd_rate_kind,
	const struct smtpd_sockaddr *, uint64_t))
{
	bool answer;

	/* Most servers have no rates, and need no lock for that. */
	if (!smtpd__rates_limit(&srv->rates, kind) || is_front(srv, peer))
		return true;
	pthread_mutex_lock(&srv->lock);
	answer = ask(&srv->rates, kind, peer, smtpd__clock_ms());
	pthread_mutex_unlock(&srv->lock);
	return answer;
}

bool
smtpd__gate_admit_rcpt(
    struct smtpd_server *srv, const struct smtpd_sockaddr *peer)
{
	return ask_rates(srv, SMTPD_RATE_RCPTS, peer, smtpd__rates_admit);
}

bool
smtpd__gate_admit_auth(
    struct smtpd_server *srv, const struct smtpd_sockaddr *peer)
{
	return ask_rates(
	    srv, SMTPD_RATE_AUTH_FAILURES, peer, smtpd__rates_has_room);
}

void
smtpd__gate_count_auth_failure(
    struct smtpd_server *srv, const struct smtpd_sockaddr *peer)
{
	ask_rates(srv, SMTPD_RATE_AUTH_FAILURES, peer, smtpd__rates_admit);
}

void
smtpd__gate_release(struct smtpd_server *srv, struct smtpd_slot *slot)
{
	pthread_mutex_lock(&srv->lock);
	smtpd__limits_leave(&srv->limits, slot);
	pthread_mutex_unlock(&srv->lock);
}

/* Log how many connections, refused for WHY, had no line of their own. */
static void
log_sum(const struct smtpd_server *srv, enum smtpd_refusal why, uint32_t more)
{
	if (more > 0)
		smtpd__logger_write(&srv->config.logger, refusals[why].level,
		    "refused connections=%lu reason=\"%s\"",
		    (unsigned long)more, refusals[why].reason);
}

static void
log_refused(struct smtpd_server *srv, enum smtpd_refusal why,
    const struct smtpd_sockaddr *peer)
{
	const uint64_t second = smtpd__clock_ms() / 1000;
	struct smtpd_refused *r = &srv->refused[why];
	char host[SMTPD_ADDRESS_TEXT_SIZE];
	uint32_t more;
	bool same;

	pthread_mutex_lock(&srv->lock);
	same = r->second == second;
	r->second = second;
	more = r->more;
	r->more = same ? more + 1 : 0;
	pthread_mutex_unlock(&srv->lock);
	if (same)
		return;
	log_sum(srv, why, more);
	smtpd__socket_host(peer, host, sizeof(host));
	smtpd__logger_write(&srv->config.logger, refusals[why].level,
	    "refused peer=%s reason=\"%s\"", host, refusals[why].reason);
}

enum smtpd_reply_key
smtpd__gate_refuse(struct smtpd_server *srv, enum smtpd_refusal why,
    const struct smtpd_sockaddr *peer)
{
	struct smtpd_counters *counters = &srv->config.counters;

	smtpd__counters_add(counters, SMTPD_COUNTER_REFUSED_CONNECTIONS, 1);
	if (refusals[why].level == SMTPD_LOG_ERROR)
		smtpd__counters_add(counters, SMTPD_COUNTER_ERRORS, 1);
	log_refused(srv, why, peer);
	return refusals[why].reply;
}

void
smtpd__gate_log_rest(struct smtpd_server *srv)
{
	for (enum smtpd_refusal why = 0; why < SMTPD_REFUSAL_NONE; why++) {
		uint32_t more;

		pthread_mutex_lock(&srv->lock);
		more = srv->refused[why].more;
		srv->refused[why].more = 0;
		pthread_mutex_unlock(&srv->lock);
		log_sum(srv, why, more);
	}
}
