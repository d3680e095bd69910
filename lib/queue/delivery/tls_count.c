/* SPDX-License-Identifier: MIT */
#include "queue/delivery/tls_count.h"

#include <string.h>

#include "client/client_state.h"
#include "client/starttls.h"
#include "net/socket.h"
#include "os/clock.h"
#include "policy/tlsrpt.h"
#include "resolve/hostname.h"

/* Whether sessions with HOST are counted: those with hosts that the DNS names,
 * but for mail whose sender wants no policy to count (RFC 8689, 4.2.2), as
 * reports are (RFC 8460, 3). */
static bool
is_counted(
    const struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	return t->agent->set->tlsrpt != NULL && host->hop->id == 0 &&
	    !t->request->loaded->envelope.tls_optional;
}

/* Write the domain of the recipients of T, as the DNS has it; whether it has
 * one. */
static bool
write_domain(const struct smtpd_agent_attempt *t, char *out)
{
	const struct smtpd_delivery_request *r = t->request;
	const char *at =
	    strrchr(r->loaded->envelope.rcpts[r->rcpts[0].rcpt].address, '@');

	return at != NULL && at[1] != '[' &&
	    smtpd__hostname_normalise(at + 1, out) == 0;
}

static void
add_session(const struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *policy,
    struct smtpd_tlsrpt_session *s)
{
	const struct smtpd_sts_found *sts = &host->hop->sts;
	char domain[SMTPD_DNS_HOST_MAX];

	if (!write_domain(t, domain))
		return;
	s->domain = domain;
	s->host = host->targets->host;
	if (policy->source == SMTPD_TLS_SOURCE_DANE) {
		s->kind = SMTPD_TLSRPT_TLSA;
	} else if (policy->source == SMTPD_TLS_SOURCE_STS) {
		s->kind = SMTPD_TLSRPT_STS;
		s->policy = sts->policy.text;
		s->policy_len = sts->policy.len;
	} else if (sts->failure != SMTPD_TLS_FAILURE_NONE) {
		/* It went on as without one (RFC 8460, 4.3.2). */
		s->kind = SMTPD_TLSRPT_STS;
		s->failure = sts->failure;
	}
	smtpd__tlsrpt_count(
	    t->agent->set->tlsrpt, s, smtpd__clock_wall_ms() / 1000);
}

/* Write our address of the connection that CLIENT has; "": it has none. */
static void
write_source(const struct smtpd_client *client, char *out, size_t size)
{
	struct smtpd_sockaddr a = { .len = sizeof(a.addr) };

	out[0] = '\0';
	if (client->fd >= 0 &&
	    getsockname(client->fd, (struct sockaddr *)&a.addr, &a.len) == 0)
		smtpd__socket_host(&a, out, size);
}

/* What went wrong, for POLICY, with the TLS of CLIENT. */
static enum smtpd_tls_failure
find_failure(const struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *policy)
{
	const struct smtpd_tls_outcome *outcome =
	    smtpd__client_starttls_outcome(t->agent->client);

	/* Any certificate does where nothing more is asked for. */
	if (!smtpd__tls_policy_looks(policy) && policy->tlsa == NULL &&
	    outcome->reached != SMTPD_TLS_REACHED_NONE)
		return SMTPD_TLS_FAILURE_NONE;
	if (outcome->failure == SMTPD_TLS_FAILURE_NONE && policy->testing &&
	    !smtpd__sts_policy_allows(
		&host->hop->sts.policy, host->targets->host))
		return SMTPD_TLS_FAILURE_VALIDATION;
	return outcome->failure;
}

void
smtpd__tls_count_session(const struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *policy)
{
	const struct smtpd_client *client = t->agent->client;
	char source[SMTPD_ADDRESS_TEXT_SIZE];
	struct smtpd_tlsrpt_session s = { .source = source };
	enum smtpd_phase phase;

	if (client == NULL || !is_counted(t, host) ||
	    policy->level == SMTPD_SECURITY_NONE)
		return;
	phase = smtpd_client_result(client)->phase;
	if (client->fd < 0 && phase != SMTPD_PHASE_TLS)
		return;
	write_source(client, source, sizeof(source));
	s.address = smtpd_client_peer(client);
	s.failure = find_failure(t, host, policy);
	add_session(t, host, policy, &s);
}

void
smtpd__tls_count_refused(const struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *policy)
{
	struct smtpd_tlsrpt_session s = {
		.address = "",
		.source = "",
		.failure = policy->refusal,
	};

	if (is_counted(t, host) && s.failure != SMTPD_TLS_FAILURE_NONE)
		add_session(t, host, policy, &s);
}
