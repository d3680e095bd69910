/* SPDX-License-Identifier: MIT */
#include "client/starttls.h"

#include <stdio.h>
#include <string.h>

#include "base/sizes.h"
#include "base/text.h"
#include "client/ehlo.h"
#include "client/exchange.h"
#include "os/clock.h"
#include "transport/tls_client.h"

void
smtpd__client_starttls_set_policy(
    struct smtpd_client *c, const struct smtpd_tls_policy *policy)
{
	c->policy = *policy;
}

/* Believe the authorities of the policy, or of the settings.  If neither names
 * any, believe those of the system where a certificate has to be good, and
 * otherwise none, which is cheaper.  Return 0, or -1 without memory. */
static int
load_trust(struct smtpd_client *c)
{
	struct smtpd_trust *given =
	    c->policy.trust != NULL ? c->policy.trust : c->set.trust;
	bool needed =
	    (smtpd__tls_policy_looks(&c->policy) && c->policy.tlsa == NULL) ||
	    c->set.user != NULL;
	char error[SMTPD_ERROR_TEXT_SIZE];

	if (given != NULL) {
		smtpd_trust_ref(given);
		smtpd_trust_unref(c->trust);
		c->trust = given;
		c->trusts_system = false;
		return 0;
	}
	if (c->trust != NULL && (c->trusts_system || !needed))
		return 0;
	smtpd_trust_unref(c->trust);
	c->trusts_system = needed;
	c->trust = needed ? smtpd_trust_create(NULL, error, sizeof(error))
			  : smtpd__tls_client_trust_nobody();
	return c->trust != NULL ? 0 : -1;
}

/* A session is resumed only with the same host, under the same policy, by the
 * same name of ours and the same user: a server that knows it again would take
 * the mail of one route for that of another.  One whose name is too long is not
 * kept. */
static void
name_session(const struct smtpd_client *c, char *key, size_t size)
{
	struct smtpd_text t;

	smtpd__text_init(&t, key, size);
	smtpd__text_format(&t, "%s %u %s %s %s", c->host, c->port, c->policy.id,
	    c->helo, c->set.user != NULL ? c->set.user : "");
	if (t.cut)
		key[0] = '\0';
}

static struct smtpd_tls_conn *
create_conn(struct smtpd_client *c)
{
	char key[SMTPD_TLS_KEY_SIZE];
	const struct smtpd_tls_client_settings set = {
		.host = c->host,
		.names = c->policy.names,
		.nnames = c->policy.nnames,
		.tlsa = c->policy.tlsa,
		.server_name = c->policy.server_name,
		.key = key,
		.legacy_signatures = c->legacy_tls,
	};

	if (load_trust(c) == -1)
		return NULL;
	name_session(c, key, sizeof(key));
	return smtpd__tls_client_create(c->trust, &c->stream.wire, &set);
}

static int
run_handshake(struct smtpd_client *c, uint64_t deadline)
{
	const enum smtpd_phase phase = SMTPD_PHASE_TLS;
	struct smtpd_tls_conn *conn = create_conn(c);
	const struct smtpd_client_tls_info *info;
	enum smtpd_io_status status;
	char reason[SMTPD_ERROR_TEXT_SIZE];

	if (conn == NULL)
		return smtpd__client_exchange_fail(c, phase, "4.3.0",
		    smtpd_tls_supported() ? "no memory for TLS"
					  : "built without TLS");
	c->stream.tls = conn;
	c->stream.wire.write_ms = c->set.tls_ms;
	c->outcome.failure = SMTPD_TLS_FAILURE_VALIDATION;
	status =
	    smtpd__tls_client_handshake(conn, deadline, reason, sizeof(reason));
	c->legacy_tls = smtpd__tls_client_needs_legacy(conn);
	if (status == SMTPD_IO_TLS)
		return smtpd__client_exchange_fail(
		    c, phase, "4.7.5", "TLS handshake: %s", reason);
	if (status != SMTPD_IO_OK)
		return smtpd__client_exchange_broken(c, phase, status);
	info = smtpd__tls_client_info(conn);
	c->outcome = *smtpd__tls_client_outcome(conn);
	snprintf(c->tls_text, sizeof(c->tls_text), "%s/%s/%s", info->version,
	    info->cipher, info->verified ? "verified" : "unverified");
	if (smtpd__tls_policy_is_strict(&c->policy) && !info->verified)
		return smtpd__client_exchange_fail(c, phase, "4.7.5",
		    "the server's certificate: %s", info->reason);
	c->tls_is_good = true;
	return 0;
}

const char *
smtpd__client_starttls_text(const struct smtpd_client *c)
{
	return c->tls_text;
}

const struct smtpd_tls_outcome *
smtpd__client_starttls_outcome(const struct smtpd_client *c)
{
	return &c->outcome;
}

int
smtpd__client_starttls_now(struct smtpd_client *c)
{
	return run_handshake(
	    c, smtpd__clock_after(smtpd__clock_ms(), c->set.tls_ms));
}

int
smtpd__client_starttls(struct smtpd_client *c)
{
	const enum smtpd_phase phase = SMTPD_PHASE_TLS;
	const bool needed = smtpd__tls_policy_needs_tls(&c->policy);
	uint64_t deadline =
	    smtpd__clock_after(smtpd__clock_ms(), c->set.tls_ms);
	size_t early;
	int code;

	if (c->stream.tls != NULL || c->policy.level == SMTPD_SECURITY_NONE)
		return 0;
	if (!needed && !smtpd_tls_supported())
		return 0;
	if (smtpd_client_offers(c, "STARTTLS") == NULL) {
		c->outcome.failure = SMTPD_TLS_FAILURE_STARTTLS_NOT_SUPPORTED;
		return needed
		    ? smtpd__client_exchange_fail(c, phase, "4.7.4",
			  "TLS is required by %s, but the server does "
			  "not offer it",
			  c->policy.expected ? "what the server did before"
					     : c->policy.reason)
		    : 0;
	}
	code =
	    smtpd__client_exchange_command(c, phase, c->set.tls_ms, "STARTTLS");
	if (code < 0)
		return -1;
	if (code / 100 != 2) {
		c->outcome.failure = SMTPD_TLS_FAILURE_STARTTLS_NOT_SUPPORTED;
		return smtpd__client_exchange_refused(c, phase);
	}
	/* Nobody has vouched for what came along with the reply: it would be
	 * taken for something that was sent within TLS (RFC 3207, 6). */
	smtpd__stream_peek(&c->stream, &early);
	if (early > 0)
		return smtpd__client_exchange_fail(
		    c, phase, "4.7.0", "the server spoke before TLS began");
	return run_handshake(c, deadline) == 0 ? smtpd__client_ehlo(c) : -1;
}

const struct smtpd_client_tls_info *
smtpd_client_tls(const struct smtpd_client *c)
{
	return c->fd >= 0 && c->stream.tls != NULL
	    ? smtpd__tls_client_info(c->stream.tls)
	    : NULL;
}
