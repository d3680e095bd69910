/* SPDX-License-Identifier: MIT */
#include "queue_settings.h"

#include "log.h"
#include "policies.h"
#include "token.h"

static void
set_client(const struct settings *s, struct smtpd_client_settings *out)
{
	uint32_t command = (uint32_t)s->command_timeout * 1000;

	*out = (struct smtpd_client_settings){
		SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = s->in.name,
		.security = s->security,
		.connect_ms = (uint32_t)s->connect_timeout * 1000,
		.greeting_ms = command,
		.hello_ms = command,
		.tls_ms = command,
		.auth_ms = command,
		.mail_ms = command,
		.rcpt_ms = command,
		.data_ms = command,
		.block_ms = command,
		.dot_ms = command,
		.sources = s->nsources > 0 ? s->sources : NULL,
		.nsources = s->nsources,
	};
}

/* The default lifetime of mail without a sender, but no longer than that of
 * the rest. */
static uint32_t
bounce_lifetime(const struct settings *s)
{
	return s->lifetime < 172800 ? (uint32_t)s->lifetime : 172800;
}

void
queue_settings_set(const struct settings *s, struct queue_parts *parts,
    struct smtpd_queue_settings *out)
{
	parts->resolver = (struct smtpd_resolver_settings){
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = s->dns,
		/* A host that listens on another port is not this program. */
		.self_is_good = s->remote_port != 25,
		.refuse_private = s->refuse_private,
		.trust_servers = s->trust_resolver,
	};
	parts->smarthost = (struct smtpd_route_target){
		SMTPD_ROUTE_TARGET_INIT,
		.kind = SMTPD_ROUTE_HOST,
		.host = s->relay.host,
		.port = s->relay.port,
		.tls_first = s->relay.tls_first,
		.user = s->relay.user,
		.password = s->password_file != NULL ? s->password : NULL,
		.credentials = s->relay.user != NULL && s->password_file == NULL
		    ? token_source_get
		    : NULL,
		.mechanisms = s->auth_mechanisms,
	};
	policies_set(s, &parts->policy);
	set_client(s, &parts->client);
	*out = (struct smtpd_queue_settings){
		SMTPD_QUEUE_SETTINGS_INIT,
		.hostname = s->in.name,
		.resolver = &parts->resolver,
		.client = &parts->client,
		.policy = &parts->policy,
		.rules = s->rules,
		.nrules = s->nrules,
		.port = (uint16_t)s->remote_port,
		.smarthost = s->relay.host != NULL ? &parts->smarthost : NULL,
		.workers = (uint32_t)s->workers,
		.site_connections = (uint32_t)s->site_connections,
		.segment_size = (uint32_t)s->queue_segment & ~UINT32_C(4095),
		.min_free = s->min_free,
		.retry_min_s = (uint32_t)s->retry_min,
		.retry_max_s = (uint32_t)s->retry_max,
		.lifetime_s = (uint32_t)s->lifetime,
		.bounce_lifetime_s = bounce_lifetime(s),
		.delay_notice_s = s->delay_notice != 0
		    ? (uint32_t)s->delay_notice
		    : SMTPD_NO_TIMEOUT,
		.log = s->in.log_level > 0 ? log_text : NULL,
		.log_level = log_level_nearest(s->in.log_level),
		.postmaster = s->postmaster,
		.limits = s->limits != NULL ? site_limits_find : NULL,
		.limits_user = s->limits,
		.local_domain = s->mailname,
		.masquerade = s->masquerade,
		.dkim_as_is = s->dkim_as_is,
		.fix = SMTPD_FIX_DATE | SMTPD_FIX_MESSAGE_ID |
		    SMTPD_FIX_ADDRESSES | (s->remove_bcc ? SMTPD_FIX_BCC : 0),
	};
}
