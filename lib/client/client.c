/* SPDX-License-Identifier: MIT */
#include "base/sizes.h"
#include "client/client_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/sized.h"
#include "base/text.h"
#include "client/ahead.h"
#include "client/auth.h"
#include "client/connect.h"
#include "client/convert.h"
#include "client/credentials.h"
#include "client/ehlo.h"
#include "client/envelope.h"
#include "client/exchange.h"
#include "client/outgoing.h"
#include "client/result.h"
#include "client/settings.h"
#include "client/starttls.h"
#include "client/transaction.h"
#include "grammar/address_parse.h"
#include "os/clock.h"
#include "os/pages.h"

#define BUFFERS_SIZE (SMTPD_STREAM_IN_SIZE + SMTPD_STREAM_OUT_SIZE)

struct smtpd_client *
smtpd_client_create(const struct smtpd_client_settings *settings)
{
	struct smtpd_client_settings known;
	struct smtpd_client *c;

	if (smtpd__sized_copy(&known, sizeof(known), settings) == -1)
		return NULL;
	if (!smtpd__client_settings_are_valid(&known)) {
		errno = EINVAL;
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->fd = -1;
	c->set = known;
	smtpd__client_settings_policy(&known, &c->policy);
	smtpd__result_set(&c->result, SMTPD_OUTCOME_TEMPORARY,
	    SMTPD_PHASE_CONNECT, "4.4.1", "not connected");
	c->buffers = smtpd__pages_map(BUFFERS_SIZE);
	if (smtpd__client_settings_complete(c) == 0 && c->buffers != NULL)
		return c;
	smtpd_client_destroy(c);
	errno = ENOMEM;
	return NULL;
}

void
smtpd_client_destroy(struct smtpd_client *c)
{
	if (c == NULL)
		return;
	smtpd__client_exchange_close(c);
	smtpd_trust_unref(c->trust);
	smtpd__pages_unmap(c->buffers, BUFFERS_SIZE);
	smtpd__client_settings_finish(c);
	free(c->results);
	free(c);
}

/* The name that goes into TLS: an address literal without its brackets. */
static void
set_host(struct smtpd_client *c, const char *host)
{
	static const char tag[] = "[IPv6:";
	struct smtpd_text t;
	size_t len;

	if (host == NULL)
		host = "";
	if (strncmp(host, tag, strlen(tag)) == 0)
		host += strlen(tag);
	else if (*host == '[')
		host++;
	len = strlen(host);
	if (len > 0 && host[len - 1] == ']')
		len--;
	smtpd__text_init(&t, c->host, sizeof(c->host));
	smtpd__text_bytes(&t, host, len);
}

static int
not_bound(
    struct smtpd_client *c, const struct smtpd_race *r, const char *reason)
{
	char source[SMTPD_ADDRESS_TEXT_SIZE];

	smtpd__socket_host(&r->unbound->address, source, sizeof(source));
	return smtpd__client_exchange_fail(c, SMTPD_PHASE_CONNECT, "4.4.1",
	    "cannot connect to %s from %s: %s", c->peer, source,
	    r->error == EADDRNOTAVAIL ? "this host does not have that address"
				      : reason);
}

static int
not_connected(struct smtpd_client *c, const struct smtpd_race *r)
{
	char reason[SMTPD_ERROR_TEXT_SIZE];

	c->offline = !r->answered;
	if (r->error == ECANCELED)
		return smtpd__client_exchange_fail(
		    c, SMTPD_PHASE_CONNECT, "4.4.2", "cancelled");
	if (strerror_r(r->error, reason, sizeof(reason)) != 0)
		reason[0] = '\0';
	if (r->unbound != NULL)
		return not_bound(c, r, reason);
	if (r->peer.addr.ss_family == AF_UNIX)
		return smtpd__client_exchange_fail(c, SMTPD_PHASE_CONNECT,
		    "4.4.1", "cannot connect to %s: %s",
		    ((const struct sockaddr_un *)&r->peer.addr)->sun_path,
		    reason);
	return smtpd__client_exchange_fail(c, SMTPD_PHASE_CONNECT, "4.4.1",
	    "cannot connect to %s port %u: %s", c->peer, r->port, reason);
}

/* The name by which we call ourselves to an address of FAMILY. */
static void
set_helo(struct smtpd_client *c, int family)
{
	const struct smtpd_client_source *source =
	    smtpd__client_sources_find(&c->sources, family);

	c->helo = source != NULL && source->hostname[0] != '\0'
	    ? source->hostname
	    : c->hostname;
}

/* Connect to the next address that answers. */
static int
open_connection(struct smtpd_client *c, struct smtpd_race *r)
{
	int fd = smtpd__client_connect_race(r);

	smtpd__socket_host(&r->peer, c->peer, sizeof(c->peer));
	if (fd < 0)
		return not_connected(c, r);
	c->fd = fd;
	c->port = r->port;
	set_helo(c, r->peer.addr.ss_family);
	set_host(c, r->host);
	smtpd__stream_init(
	    &c->stream, fd, fd, c->buffers, c->buffers + SMTPD_STREAM_IN_SIZE);
	c->stream.wire.cancel_fd = r->cancel_fd;
	c->stream.wire.budget_ms = smtpd__clock_span(c->set.total_ms);
	c->stream.reads_on = true;
	return 0;
}

/* Up to the greeting: what goes wrong there may go well at another address. */
static int
reach_host(struct smtpd_client *c, struct smtpd_race *r)
{
	do {
		if (open_connection(c, r) == -1)
			return -1;
		if ((!c->policy.first || smtpd__client_starttls_now(c) == 0) &&
		    smtpd__client_ehlo_greeting(c) == 0)
			return 0;
	} while (r->next < r->count && !c->legacy_tls &&
	    !smtpd_cancel_is_triggered(c->set.cancel));
	return -1;
}

static int
open_session(struct smtpd_client *c, struct smtpd_race *r)
{
	return reach_host(c, r) == 0 && smtpd__client_ehlo(c) == 0 &&
		smtpd__client_starttls(c) == 0 && smtpd__client_auth(c) == 0
	    ? 0
	    : -1;
}

/* Open a session, once more at once, with the address that was reached, where
 * another way of TLS or another secret is worth it. */
static int
connect_and_log_in(struct smtpd_client *c, struct smtpd_race *r)
{
	struct smtpd_target first;
	int status;

	smtpd__sized_copy_nth(&first, sizeof(first), r->targets, 0);
	status = smtpd__client_credentials_get(
	    c, first.host != NULL ? first.host : "");
	if (status == 0)
		status = open_session(c, r);
	while (status == -1 &&
	    (c->legacy_tls || smtpd__client_credentials_renew(c))) {
		r->next = r->at;
		status = open_session(c, r);
	}
	smtpd__client_credentials_forget(c);
	return status;
}

/* Return -1 with errno when one of COUNT TARGETS cannot be one. */
static int
check_targets(const struct smtpd_target *targets, size_t count)
{
	struct smtpd_target t;

	errno = EINVAL;
	if (targets == NULL && count > 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (smtpd__sized_copy_nth(&t, sizeof(t), targets, i) == -1 ||
		    t.len > sizeof(t.addr))
			return -1;
	return 0;
}

int
smtpd_client_connect(struct smtpd_client *c, const struct smtpd_target *targets,
    size_t count, uint16_t port)
{
	struct smtpd_race r = {
		.targets = targets,
		.count = count,
		.port = port,
		.connect_ms = c->set.connect_ms,
		.stagger_ms = c->set.stagger_ms,
		.cancel_fd = smtpd_cancel_fd(c->set.cancel),
		.sources = &c->sources,
	};

	smtpd__client_exchange_close(c);
	c->peer[0] = '\0';
	snprintf(c->tls_text, sizeof(c->tls_text), "none");
	c->outcome = (struct smtpd_tls_outcome){ .reason = "" };
	c->no_bdat = c->no_group = c->offline = c->is_full = false;
	c->mails = 0;
	if (check_targets(targets, count) == -1)
		return smtpd__client_exchange_fail(c, SMTPD_PHASE_CONNECT,
		    "4.3.5", "the program gave no valid targets");
	if (!smtpd__address_parse_helo(c->hostname, strlen(c->hostname)))
		return smtpd__client_exchange_fail(c, SMTPD_PHASE_HELLO,
		    "4.3.5", "our own name is no name of a host");
	if (count == 0)
		return smtpd__client_exchange_fail(c, SMTPD_PHASE_CONNECT,
		    "4.4.4", "there is no address to connect to");
	if (c->policy.refused != NULL)
		return smtpd__client_exchange_fail(c, SMTPD_PHASE_CONNECT,
		    "4.7.5", "not connected to: %s", c->policy.refused);
	c->legacy_tls = false;
	if (connect_and_log_in(c, &r) == -1)
		return -1;
	smtpd__client_exchange_judge(c, SMTPD_PHASE_HELLO, &c->result);
	return 0;
}

/* Have room for the results of COUNT recipients.  Return -1 with errno. */
static int
prepare_results(struct smtpd_client *c, size_t count)
{
	struct smtpd_result *more = c->results;

	if (count > c->results_room) {
		more = calloc(count, sizeof(*more));
		if (more == NULL) {
			errno = ENOMEM;
			return -1;
		}
		free(c->results);
		c->results = more;
		c->results_room = count;
	}
	c->nresults = count;
	return 0;
}

void
smtpd_client_quit(struct smtpd_client *c)
{
	if (c->fd < 0)
		return;
	/* Where content is awaited, a command would be taken for it. */
	if (c->ahead.given != NULL) {
		smtpd__client_exchange_close(c);
		return;
	}
	c->stream.wire.budget_ms = SMTPD_NEVER;
	if (smtpd__client_exchange_command(
		c, SMTPD_PHASE_HELLO, c->set.quit_ms, "QUIT") < 0)
		return;
	if (smtpd__stream_flush(&c->stream) == SMTPD_IO_OK &&
	    c->stream.tls != NULL)
		smtpd__tls_conn_close(c->stream.tls);
	smtpd__client_exchange_close(c);
}

/* The server takes no more messages in this session: end it. */
static int
leave_full(struct smtpd_client *c)
{
	smtpd_client_quit(c);
	c->is_full = true;
	smtpd__result_set(&c->result, SMTPD_OUTCOME_TEMPORARY, SMTPD_PHASE_MAIL,
	    "4.5.0", "the server takes no more than %u messages in a session",
	    (unsigned)c->limits.mails);
	return -1;
}

/* Whether M, which was converted, is too large for the server only since its
 * long lines were: it may have these (RFC 5321, 4.5.3.1.6), but not bytes
 * outside ASCII without 8BITMIME. */
static bool
is_better_as_it_was(
    const struct smtpd_client *c, const struct smtpd_outgoing *m, uint64_t was)
{
	const uint64_t limit = smtpd__client_envelope_size_limit(c);

	if (m->envelope->eight_bit &&
	    smtpd_client_offers(c, "8BITMIME") == NULL)
		return false;
	return limit > 0 && m->length > limit && was <= limit;
}

/* Convert M if the server does not take it as it is, and if that is wanted.
 * Return 0, or -1 when nobody gets it. */
static int
convert_message(struct smtpd_client *c, struct smtpd_outgoing *m,
    struct smtpd_client_convert **convert)
{
	const struct smtpd_outgoing_envelope *e = m->envelope;
	const bool eight_bit = smtpd_client_offers(c, "8BITMIME") != NULL;
	const uint64_t length = m->length;
	struct smtpd_result why;
	int status;

	*convert = NULL;
	if (!smtpd__client_convert_is_needed(c, m))
		return 0;
	status = smtpd__client_convert_begin(
	    m, eight_bit, convert, &c->conversion, &why);
	if (status == 0 && *convert != NULL &&
	    is_better_as_it_was(c, m, length)) {
		status = smtpd__client_convert_undo(*convert, m, &why);
		*convert = NULL;
		c->conversion = SMTPD_CONVERSION_TOO_LARGE;
	}
	if (status == 0)
		return 0;
	for (size_t i = 0; i < e->nrcpts; i++)
		c->results[i] = why;
	return -1;
}

static int
send_message(struct smtpd_client *c, struct smtpd_outgoing *m)
{
	struct smtpd_client_convert *convert;
	int status;

	if (convert_message(c, m, &convert) == -1)
		return 0;
	status = smtpd__client_transaction(c, m, c->results);
	smtpd__client_convert_end(convert);
	if (status == -1)
		return -1;
	return c->limits.mails > 0 && c->mails >= c->limits.mails
	    ? leave_full(c)
	    : 0;
}

int
smtpd_client_send(struct smtpd_client *c, const struct smtpd_outgoing *message)
{
	struct smtpd_outgoing_envelope e = { .nrcpts = 0 };
	struct smtpd_outgoing m;
	int error;

	c->nresults = 0;
	c->conversion = SMTPD_CONVERSION_NONE;
	if (smtpd__client_outgoing_copy(message, &m, &e) == -1 ||
	    prepare_results(c, e.nrcpts) == -1) {
		error = errno;
		smtpd__client_exchange_fail(c, SMTPD_PHASE_MAIL,
		    error == ENOMEM ? "4.3.0" : "4.3.5",
		    error == ENOMEM ? "out of memory"
				    : "the program gave no valid message");
		errno = error;
		return -1;
	}
	if (smtpd__client_ahead_is_other(c, message))
		smtpd__client_exchange_fail(c, SMTPD_PHASE_MAIL, "4.3.5",
		    "the program does not send the message that it announced");
	if (c->fd >= 0)
		return send_message(c, &m);
	for (size_t i = 0; i < e.nrcpts; i++)
		smtpd__result_set(&c->results[i], SMTPD_OUTCOME_TEMPORARY,
		    SMTPD_PHASE_CONNECT, "4.4.1", "not connected");
	return -1;
}

const struct smtpd_result *
smtpd_client_rcpt_result(const struct smtpd_client *c, size_t i)
{
	static const struct smtpd_result none = {
		.outcome = SMTPD_OUTCOME_TEMPORARY,
		.phase = SMTPD_PHASE_MAIL,
		.status = "4.3.5",
		.text = "there is no such recipient",
	};

	if (i < c->nresults)
		return &c->results[i];
	return c->nresults == 0 && c->result.outcome != SMTPD_OUTCOME_SENT
	    ? &c->result
	    : &none;
}

enum smtpd_conversion
smtpd_client_conversion(const struct smtpd_client *c)
{
	return c->conversion;
}

const struct smtpd_result *
smtpd_client_result(const struct smtpd_client *c)
{
	return &c->result;
}

const char *
smtpd_client_peer(const struct smtpd_client *c)
{
	return c->peer;
}
