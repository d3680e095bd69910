/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "client/ehlo.h"
#include "client/exchange.h"
#include "os/clock.h"
#include "transport/tls_client.h"

static bool
is_required(const struct smtpd_client *c)
{
	return c->set.security == SMTPD_SECURITY_REQUIRED;
}

/* A session goes on only with the same host, and under the same policy. */
static void
make_key(const struct smtpd_client *c, struct smtpd_text *t)
{
	smtpd__text_format(t, "%s %u %s", c->host, c->port,
	    is_required(c) ? "required" : "opportunistic");
}

static struct smtpd_tls_conn *
create_conn(struct smtpd_client *c)
{
	char key[300];
	struct smtpd_text t;

	if (c->trust == NULL)
		c->trust = smtpd__tls_client_empty_trust();
	if (c->trust == NULL)
		return NULL;
	smtpd__text_init(&t, key, sizeof(key));
	make_key(c, &t);
	return smtpd__tls_client_create(
	    c->trust, &c->stream.wire, c->host, key);
}

static int
handshake(struct smtpd_client *c, uint64_t deadline)
{
	const enum smtpd_phase phase = SMTPD_PHASE_TLS;
	struct smtpd_tls_conn *conn = create_conn(c);
	const struct smtpd_client_tls_info *facts;
	enum smtpd_io_status status;
	char reason[128];

	if (conn == NULL)
		return smtpd__client_exchange_fail(c, phase, "4.3.0",
		    smtpd_tls_supported() ? "no memory for TLS"
					  : "built without TLS");
	c->stream.tls = conn;
	c->stream.wire.write_ms = c->set.tls_ms;
	status =
	    smtpd__tls_client_handshake(conn, deadline, reason, sizeof(reason));
	if (status == SMTPD_IO_TLS)
		return smtpd__client_exchange_fail(
		    c, phase, "4.7.5", "TLS handshake: %s", reason);
	if (status != SMTPD_IO_OK)
		return smtpd__client_exchange_broken(c, phase, status);
	facts = smtpd__tls_client_info(conn);
	if (is_required(c) && !facts->verified)
		return smtpd__client_exchange_fail(c, phase, "4.7.5",
		    "the server's certificate: %s", facts->reason);
	c->tls_is_good = true;
	return 0;
}

int
smtpd__client_starttls_now(struct smtpd_client *c)
{
	return handshake(
	    c, smtpd__clock_after(smtpd__clock_ms(), c->set.tls_ms));
}

int
smtpd__client_starttls(struct smtpd_client *c)
{
	const enum smtpd_phase phase = SMTPD_PHASE_TLS;
	uint64_t deadline =
	    smtpd__clock_after(smtpd__clock_ms(), c->set.tls_ms);
	size_t early;
	int code;

	if (c->stream.tls != NULL || c->set.security == SMTPD_SECURITY_NONE)
		return 0;
	if (!is_required(c) && !smtpd_tls_supported())
		return 0;
	if (smtpd_client_offers(c, "STARTTLS") == NULL)
		return is_required(c)
		    ? smtpd__client_exchange_fail(c, phase, "4.7.4",
			  "TLS is required, but the server does not offer it")
		    : 0;
	code =
	    smtpd__client_exchange_command(c, phase, c->set.tls_ms, "STARTTLS");
	if (code < 0)
		return -1;
	if (code / 100 != 2)
		return is_required(c) ? smtpd__client_exchange_refused(c, phase)
				      : 0;
	/* What came with the reply nobody has vouched for: it would be taken
	 * for something said within TLS (RFC 3207, 6). */
	smtpd__stream_peek(&c->stream, &early);
	if (early > 0)
		return smtpd__client_exchange_fail(
		    c, phase, "4.7.0", "the server spoke before TLS began");
	return handshake(c, deadline) == 0 ? smtpd__client_ehlo(c) : -1;
}
