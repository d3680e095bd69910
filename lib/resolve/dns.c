/* SPDX-License-Identifier: MIT */
#include "resolve/dns.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/poll.h"
#include "os/random.h"
#include "resolve/dns_servers.h"

#define RESOLV_CONF "/etc/resolv.conf"

/* A server that was silent is asked after the others for so long. */
#define SILENT_MS 30000

/* How long a server is asked without EDNS that answered only so. */
#define PLAIN_MS 3600000

#define SERVFAIL 2

struct smtpd_dns {
	struct smtpd_dns_servers servers;
	bool system; /* they are the system's, and may change */
	bool trust;
	uint32_t timeout_ms;
	uint32_t tries;
	atomic_uint_fast64_t silent_until[SMTPD_DNS_SERVERS_MAX];
	atomic_uint_fast64_t plain_until[SMTPD_DNS_SERVERS_MAX]; /* no EDNS */
};

/* The result of asking one server, or of a step of it. */
enum result {
	RESULT_DONE,   /* it gave a clear answer; the step is done */
	RESULT_ALIAS,  /* ask for another name */
	RESULT_OTHER,  /* it gave another answer: it is not asked again */
	RESULT_SILENT, /* no answer came */
	RESULT_CANCELLED,
	RESULT_IMPOSSIBLE, /* no server can be asked */
};

/* One question under way. */
struct asking {
	struct smtpd_dns *dns;
	struct smtpd_dns_servers servers;
	struct smtpd_dns_question q;
	struct smtpd_dns_chain chain;
	struct smtpd_dns_answer *answer;
	const struct smtpd_cancel *cancel;
	uint64_t deadline; /* of it all */
	uint64_t until;    /* of one server */
	bool authenticated;
	const char *reason; /* the last that a server gave; NULL: none */
	unsigned char query[2 + SMTPD_DNS_QUERY_MAX]; /* begins with its length,
	                                               * as TCP wants it */
	size_t query_len;
	bool plain[SMTPD_DNS_SERVERS_MAX]; /* the next try is without EDNS */
	unsigned char message[SMTPD_DNS_MESSAGE_MAX];
};

struct smtpd_dns *
smtpd__dns_create(const struct smtpd_dns_settings *settings)
{
	struct smtpd_dns *d = calloc(1, sizeof(*d));
	int status;

	if (d == NULL)
		return NULL;
	d->system = settings->servers == NULL;
	d->trust = settings->trust;
	d->timeout_ms = settings->timeout_ms;
	d->tries = settings->tries;
	for (size_t i = 0; i < SMTPD_DNS_SERVERS_MAX; i++) {
		atomic_init(&d->silent_until[i], 0);
		atomic_init(&d->plain_until[i], 0);
	}
	status = d->system
	    ? smtpd__dns_servers_system(RESOLV_CONF, &d->servers)
	    : smtpd__dns_servers_parse(settings->servers, &d->servers);
	if (status == 0)
		return d;
	status = errno;
	free(d);
	errno = status;
	return NULL;
}

void
smtpd__dns_destroy(struct smtpd_dns *d)
{
	free(d);
}

/* Wait until FD is ready for EVENTS.  RESULT_DONE says it is.  A flood of
 * strays must not keep us past the deadline, so it is checked first. */
static enum result
wait_ready(const struct asking *a, int fd, short events)
{
	if (smtpd__clock_ms() >= a->until)
		return RESULT_SILENT;
	switch (smtpd__poll_wait(
	    fd, events, smtpd_cancel_fd(a->cancel), a->until)) {
	case SMTPD_POLL_READY:
		return RESULT_DONE;
	case SMTPD_POLL_CANCELLED:
		return RESULT_CANCELLED;
	case SMTPD_POLL_TIMEOUT:
	case SMTPD_POLL_ERROR:
		break;
	}
	return RESULT_SILENT;
}

static bool
may_try_again(void)
{
	return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
}

/* Read the LEN bytes that came.  *READING is more exact than the result. */
static enum result
understand_answer(struct asking *a, const struct smtpd_sockaddr *server,
    size_t len, enum smtpd_dns_reading *reading)
{
	struct smtpd_dns_chain chain = a->chain;
	bool ad;

	*reading = smtpd__dns_message_read(
	    &a->q, a->message, len, &chain, a->answer, &ad);
	a->answer->claimed = ad;
	ad = ad &&
	    (a->dns->trust || a->servers.trusted ||
		smtpd__dns_servers_is_local(server));
	if (*reading == SMTPD_DNS_UNCLEAR)
		a->reason = a->answer->reason;
	if (*reading != SMTPD_DNS_CLEAR && *reading != SMTPD_DNS_ALIAS)
		return RESULT_OTHER;
	a->chain = chain;
	a->authenticated = a->authenticated && ad;
	a->answer->authenticated = a->authenticated;
	return *reading == SMTPD_DNS_CLEAR ? RESULT_DONE : RESULT_ALIAS;
}

/* Send the question, and read what comes until something is an answer. */
static enum result
talk_udp(struct asking *a, const struct smtpd_sockaddr *server, int fd,
    enum smtpd_dns_reading *reading)
{
	enum result result;

	if (send(fd, a->query + 2, a->query_len, MSG_NOSIGNAL) < 0)
		return RESULT_SILENT;
	for (;;) {
		ssize_t n;

		result = wait_ready(a, fd, POLLIN);
		if (result != RESULT_DONE)
			return result;
		n = recv(fd, a->message, sizeof(a->message), 0);
		if (n < 0 && may_try_again())
			continue;
		if (n < 0)
			return RESULT_SILENT;
		result = understand_answer(a, server, (size_t)n, reading);
		if (*reading != SMTPD_DNS_STRAY)
			return result;
	}
}

static enum result
ask_udp(struct asking *a, const struct smtpd_sockaddr *server,
    enum smtpd_dns_reading *reading)
{
	int fd = smtpd__dns_servers_connect(server, SOCK_DGRAM);
	enum result result;

	if (fd < 0)
		return RESULT_SILENT;
	result = talk_udp(a, server, fd, reading);
	close(fd);
	return result;
}

/* Send or receive exactly LEN bytes.  RESULT_DONE says they were. */
static enum result
move_bytes(
    const struct asking *a, int fd, bool out, unsigned char *buf, size_t len)
{
	while (len > 0) {
		enum result result = wait_ready(a, fd, out ? POLLOUT : POLLIN);
		ssize_t n;

		if (result != RESULT_DONE)
			return result;
		n = out ? send(fd, buf, len, MSG_NOSIGNAL)
			: recv(fd, buf, len, 0);
		if (n < 0 && may_try_again())
			continue;
		if (n <= 0)
			return RESULT_SILENT;
		buf += n;
		len -= (size_t)n;
	}
	return RESULT_DONE;
}

/* Over TCP each message begins with its length (RFC 1035, 4.2.2). */
static enum result
talk_tcp(struct asking *a, const struct smtpd_sockaddr *server, int fd,
    enum smtpd_dns_reading *reading)
{
	unsigned char prefix[2];
	enum result result =
	    move_bytes(a, fd, true, a->query, a->query_len + 2);
	size_t len;

	if (result == RESULT_DONE)
		result = move_bytes(a, fd, false, prefix, 2);
	if (result != RESULT_DONE)
		return result;
	len = (size_t)(prefix[0] << 8 | prefix[1]);
	result = move_bytes(a, fd, false, a->message, len);
	if (result != RESULT_DONE)
		return result;
	result = understand_answer(a, server, len, reading);
	if (result == RESULT_OTHER && *reading != SMTPD_DNS_UNCLEAR &&
	    *reading != SMTPD_DNS_NO_EDNS)
		a->reason = "the DNS gave an answer over TCP that is none";
	return result;
}

static enum result
ask_tcp(struct asking *a, const struct smtpd_sockaddr *server,
    enum smtpd_dns_reading *reading)
{
	int fd = smtpd__dns_servers_connect(server, SOCK_STREAM);
	enum result result = RESULT_SILENT;

	if (fd >= 0) {
		result = talk_tcp(a, server, fd, reading);
		close(fd);
	}
	if (result == RESULT_SILENT)
		a->reason = "a DNS answer was too long for UDP, and the "
			    "server gave none over TCP";
	return result;
}

/* The deadline of one exchange. */
static void
start_clock(struct asking *a)
{
	a->until = smtpd__clock_earlier(a->deadline,
	    smtpd__clock_after(smtpd__clock_ms(), a->dns->timeout_ms));
}

/* A new id each time: an answer to an earlier try is none to this one. */
static bool
write_query(struct asking *a, bool edns)
{
	if (!smtpd__random_bytes(&a->q.id, sizeof(a->q.id)))
		return false;
	a->q.edns = edns;
	a->query_len = smtpd__dns_message_write(&a->q, a->query + 2);
	a->query[0] = (unsigned char)(a->query_len >> 8);
	a->query[1] = (unsigned char)a->query_len;
	return a->query_len > 0;
}

/* Ask over UDP, and then over TCP if that is what the answer says. */
static enum result
exchange_once(struct asking *a, const struct smtpd_sockaddr *server, bool edns,
    enum smtpd_dns_reading *reading)
{
	enum result result;

	*reading = SMTPD_DNS_STRAY;
	if (!write_query(a, edns))
		return RESULT_IMPOSSIBLE;
	start_clock(a);
	result = ask_udp(a, server, reading);
	if (result != RESULT_OTHER || *reading != SMTPD_DNS_CUT)
		return result;
	start_clock(a);
	return ask_tcp(a, server, reading);
}

/* Return true if the server may answer a question without EDNS: it does not
 * know EDNS, or failed. */
static bool
is_edns_refused(const struct asking *a, enum smtpd_dns_reading reading)
{
	return reading == SMTPD_DNS_NO_EDNS ||
	    (reading == SMTPD_DNS_UNCLEAR && (a->message[3] & 0xf) == SERVFAIL);
}

/*
 * Ask server number I, at once without EDNS if that is not known there or makes
 * it fail.  A path that drops such questions looks as a silent server does, so
 * the next try is without it.  When that is answered, so are all others for a
 * while.
 */
static enum result
exchange_with_server(struct asking *a, size_t i)
{
	const struct smtpd_sockaddr *server = &a->servers.list[i];
	bool plain = a->plain[i] ||
	    smtpd__clock_ms() < atomic_load(&a->dns->plain_until[i]);
	enum smtpd_dns_reading reading;
	enum result result = exchange_once(a, server, !plain, &reading);

	if (!plain && result == RESULT_OTHER && is_edns_refused(a, reading)) {
		result = exchange_once(a, server, false, &reading);
		a->plain[i] = true;
	}
	if (a->plain[i] && (result == RESULT_DONE || result == RESULT_ALIAS))
		atomic_store(
		    &a->dns->plain_until[i], smtpd__clock_ms() + PLAIN_MS);
	a->plain[i] = !plain && result == RESULT_SILENT;
	return result;
}

static enum result
ask_server(struct asking *a, size_t i)
{
	enum result result = exchange_with_server(a, i);

	if (result == RESULT_SILENT)
		atomic_store(
		    &a->dns->silent_until[i], smtpd__clock_ms() + SILENT_MS);
	else if (result != RESULT_CANCELLED)
		atomic_store(&a->dns->silent_until[i], 0);
	return result;
}

/* All servers: those that were silent of late come last. */
static void
order_servers(const struct asking *a, size_t *order)
{
	uint64_t now = smtpd__clock_ms();
	size_t n = 0;

	for (int silent = 0; silent < 2; silent++) {
		for (size_t i = 0; i < a->servers.count; i++) {
			uint64_t until = atomic_load(&a->dns->silent_until[i]);

			if ((until > now) == silent)
				order[n++] = i;
		}
	}
}

/* Ask one server after the other, and those that were silent again. */
static enum result
ask_all(struct asking *a)
{
	size_t order[SMTPD_DNS_SERVERS_MAX];
	bool done[SMTPD_DNS_SERVERS_MAX] = { false };
	uint32_t rounds = a->dns->tries;

	order_servers(a, order);
	for (; rounds > 0; rounds--) {
		for (size_t k = 0; k < a->servers.count; k++) {
			enum result result;

			if (done[k])
				continue;
			if (smtpd__clock_ms() >= a->deadline)
				return RESULT_SILENT;
			result = ask_server(a, order[k]);
			if (result != RESULT_OTHER && result != RESULT_SILENT)
				return result;
			done[k] = result == RESULT_OTHER;
		}
	}
	return RESULT_SILENT;
}

static void
fail_question(struct asking *a, enum result result)
{
	memset(a->answer, 0, sizeof(*a->answer));
	a->answer->status = SMTPD_DNS_FAILED;
	a->answer->reason = a->reason;
	a->answer->silent = result == RESULT_IMPOSSIBLE ||
	    (result != RESULT_CANCELLED && a->reason == NULL);
	if (result == RESULT_CANCELLED)
		a->answer->reason = "the look-up was cancelled";
	else if (result == RESULT_IMPOSSIBLE)
		a->answer->reason = "the DNS could not be asked";
	else if (a->reason == NULL)
		a->answer->reason = "no DNS server answered in time";
}

/* Ask again under another name as long as that is the answer; the number of
 * aliases is bounded. */
static void
ask_names(struct asking *a)
{
	enum result result;

	while ((result = ask_all(a)) == RESULT_ALIAS) {
		size_t len = strlen(a->chain.name);

		if (len >= sizeof(a->q.name)) {
			a->reason = "the DNS has an alias that is too long";
			break;
		}
		memcpy(a->q.name, a->chain.name, len + 1);
	}
	if (result != RESULT_DONE)
		fail_question(a, result);
}

/* The servers to ask at present. */
static void
get_servers(const struct smtpd_dns *d, struct smtpd_dns_servers *out)
{
	if (!d->system || smtpd__dns_servers_system(RESOLV_CONF, out) != 0)
		*out = d->servers;
}

void
smtpd__dns_list_servers(const struct smtpd_dns *d, struct smtpd_text *text)
{
	struct smtpd_dns_servers servers;

	get_servers(d, &servers);
	smtpd__dns_servers_write(&servers, text);
}

static struct asking *
begin_question(struct smtpd_dns *d, const char *name, enum smtpd_dns_type type)
{
	struct asking *a = malloc(sizeof(*a));
	size_t len = strlen(name);

	if (a == NULL)
		return NULL;
	memset(a, 0, offsetof(struct asking, message));
	a->answer =
	    malloc(smtpd__dns_message_answer_size(SMTPD_DNS_RECORDS_MAX));
	if (a->answer == NULL) {
		free(a);
		return NULL;
	}
	a->dns = d;
	get_servers(d, &a->servers);
	a->q.type = type;
	a->q.alone = a->servers.count == 1;
	a->authenticated = true;
	if (len < sizeof(a->q.name))
		memcpy(a->q.name, name, len + 1);
	return a;
}

static struct smtpd_dns_answer *
ask_question(struct smtpd_dns *d, const char *name, enum smtpd_dns_type type,
    bool unchecked, uint64_t deadline, const struct smtpd_cancel *cancel)
{
	struct asking *a = begin_question(d, name, type);
	struct smtpd_dns_answer *answer, *smaller;

	if (a == NULL)
		return NULL;
	a->q.unchecked = unchecked;
	a->deadline = deadline;
	a->cancel = cancel;
	ask_names(a);
	answer = a->answer;
	free(a);
	smaller =
	    realloc(answer, smtpd__dns_message_answer_size(answer->count));
	return smaller != NULL ? smaller : answer;
}

struct smtpd_dns_answer *
smtpd__dns_ask(struct smtpd_dns *d, const char *name, enum smtpd_dns_type type,
    uint64_t deadline, const struct smtpd_cancel *cancel)
{
	return ask_question(d, name, type, false, deadline, cancel);
}

bool
smtpd__dns_is_bogus(struct smtpd_dns *d, const char *name,
    enum smtpd_dns_type type, uint64_t deadline,
    const struct smtpd_cancel *cancel)
{
	struct smtpd_dns_answer *answer =
	    ask_question(d, name, type, true, deadline, cancel);
	bool clear = answer != NULL && answer->status != SMTPD_DNS_FAILED;

	free(answer);
	return clear;
}
