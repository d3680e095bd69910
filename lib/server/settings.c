/* SPDX-License-Identifier: MIT */
#include "server/settings.h"

#include <string.h>

#include "base/sized.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/secret.h"
#include "grammar/address_parse.h"
#include "grammar/idn.h"
#include "os/nodename.h"
#include "os/random.h"
#include "os/thread.h"
#include "sasl/scram.h"
#include "server/auth_offer.h"

#define FLAGS_KNOWN                                                     \
	(SMTPD_FLAG_BARE_LF_COMMANDS | SMTPD_FLAG_DSN |                 \
	    SMTPD_FLAG_BARE_ADDRESSES | SMTPD_FLAG_NO_TRANSACTION_LOG | \
	    SMTPD_FLAG_SMTPUTF8 | SMTPD_FLAG_AUTH_WITHOUT_TLS |         \
	    SMTPD_FLAG_AUTH_REQUIRED | SMTPD_FLAG_CHUNKING |            \
	    SMTPD_FLAG_BINARYMIME | SMTPD_FLAG_REQUIRETLS |             \
	    SMTPD_FLAG_DELIVERBY | SMTPD_FLAG_MT_PRIORITY |             \
	    SMTPD_FLAG_ADOPTS | SMTPD_FLAG_LOCAL_USERS)

/* RFC 3030, 3: one without the other is no use. */
#define BINARY (SMTPD_FLAG_BINARYMIME | SMTPD_FLAG_CHUNKING)

/* An hour: a delay that is longer is meant otherwise. */
#define TARPIT_MS_MAX 3600000

/* Sanitizers make frames several times as large. */
#ifndef SMTPD_STACK_SCALE
#define SMTPD_STACK_SCALE 1
#endif

/* What the library needs, as a test measures, and a page for handlers. */
#define STACK_MIN ((size_t)32768 * SMTPD_STACK_SCALE)

/* What handlers may want by default: code that parses, or calls the C library,
 * without a thought of its stack. */
#define STACK_SIZE      ((size_t)262144)
#define STACK_ABOVE_MIN 131072

static void
default_u32(uint32_t *setting, uint32_t value)
{
	if (*setting == 0)
		*setting = value;
}

static void
set_default_limits(struct smtpd_settings *s)
{
	default_u32(&s->max_connections, 1000);
	default_u32(&s->max_per_address, 20);
	default_u32(&s->max_per_network, 50);
	default_u32(&s->max_per_user, 100);
	default_u32(&s->max_recipients, 1000);
	default_u32(&s->max_command_line, 2048);
	default_u32(&s->max_text_line, 65536);
	default_u32(&s->max_transactions, 1000);
	default_u32(&s->errors_soft, 5);
	default_u32(&s->errors_hard, 20);
	default_u32(&s->tarpit_ms, 1000);
	default_u32(&s->max_hops, 100);
	default_u32(&s->connect_rate_per_address, SMTPD_NO_LIMIT);
	default_u32(&s->connect_rate_per_network, SMTPD_NO_LIMIT);
	default_u32(&s->rcpt_rate_per_address, SMTPD_NO_LIMIT);
	default_u32(&s->rcpt_rate_per_network, SMTPD_NO_LIMIT);
	default_u32(&s->auth_failure_rate_per_address, 20);
	default_u32(&s->auth_failure_rate_per_network, 50);
	if (s->max_message_size == 0)
		s->max_message_size = 52428800;
	if (s->max_memory == 0)
		s->max_memory = 268435456;
	if (s->max_temp_size == 0)
		s->max_temp_size = 1073741824;
}

static void
set_default_times(struct smtpd_settings *s)
{
	default_u32(&s->idle_timeout_ms, 300000);
	default_u32(&s->command_timeout_ms, 300000);
	default_u32(&s->write_timeout_ms, 60000);
	default_u32(&s->session_timeout_ms, 3600000);
	default_u32(&s->handshake_timeout_ms, 30000);
	default_u32(&s->proxy_timeout_ms, 5000);
	default_u32(&s->min_rate, 500);
	default_u32(&s->rate_window_ms, 60000);
	default_u32(&s->connect_rate_ms, 60000);
	default_u32(&s->rcpt_rate_ms, 60000);
	default_u32(&s->auth_failure_rate_ms, 600000);
	default_u32(&s->crowded_idle_timeout_ms, 30000);
	default_u32(&s->delivery_warning_ms, 60000);
	default_u32(&s->delivery_timeout_ms, SMTPD_NO_TIMEOUT);
}

static size_t
least_stack(void)
{
	size_t min = smtpd__thread_stack_min();

	return min > STACK_MIN ? min : STACK_MIN;
}

static size_t
default_stack(void)
{
	size_t above = least_stack() + STACK_ABOVE_MIN;

	return above > STACK_SIZE ? above : STACK_SIZE;
}

static void
set_other_defaults(struct smtpd_settings *s)
{
	if (s->bare_lf == SMTPD_TREAT_DEFAULT)
		s->bare_lf = SMTPD_TREAT_REPAIR;
	if (s->nul == SMTPD_TREAT_DEFAULT)
		s->nul = SMTPD_TREAT_REFUSE;
	if (s->bare_cr == SMTPD_TREAT_DEFAULT)
		s->bare_cr = SMTPD_TREAT_REFUSE;
	if (s->stack_size == 0)
		s->stack_size = default_stack();
	if (s->log_level == 0)
		s->log_level = SMTPD_LOG_INFO;
	if (!smtpd__idn_is_available())
		s->flags &= ~(unsigned)SMTPD_FLAG_SMTPUTF8;
}

static void
copy_name(const char *name, char buf[SMTPD_HOSTNAME_SIZE])
{
	struct smtpd_text t;

	smtpd__text_init(&t, buf, SMTPD_HOSTNAME_SIZE);
	smtpd__text_add(&t, name);
	/* Half a name is another name: let it be reported. */
	if (t.cut)
		buf[0] = '\0';
}

static void
set_names(struct smtpd_server_config *c)
{
	struct smtpd_settings *s = &c->settings;
	struct smtpd_text t;

	if (s->hostname != NULL)
		copy_name(s->hostname, c->hostname);
	else
		smtpd__nodename_get(c->hostname, sizeof(c->hostname));
	s->hostname = c->hostname;
	smtpd__text_init(&t, c->temp_directory, sizeof(c->temp_directory));
	smtpd__text_add(
	    &t, s->temp_directory != NULL ? s->temp_directory : "/var/tmp");
	/* Half a path is another one. */
	if (t.cut)
		c->temp_directory[0] = '\0';
	s->temp_directory = c->temp_directory;
	if (s->default_domain == NULL)
		return;
	copy_name(s->default_domain, c->default_domain);
	s->default_domain = c->default_domain;
}

/* "" stands for a name that is none, until it is reported. */
static void
set_policy(struct smtpd_server_config *c)
{
	struct smtpd_settings *s = &c->settings;
	struct smtpd_text t;

	if (s->priority_policy == NULL)
		return;
	smtpd__text_init(&t, c->priority_policy, sizeof(c->priority_policy));
	if (smtpd__urgency_is_policy(s->priority_policy))
		smtpd__text_add(&t, s->priority_policy);
	s->priority_policy = c->priority_policy;
}

/* The mechanisms, and the secret of which salts are made up. */
static void
set_auth(struct smtpd_server_config *c)
{
	struct smtpd_settings *s = &c->settings;
	struct smtpd_text t;

	default_u32(&s->max_auth_failures, 3);
	default_u32(&s->auth_delay_ms, 1000);
	default_u32(&s->auth_iterations, SMTPD_SCRAM_ITERATIONS);
	if (s->auth_mechanisms == NULL)
		s->auth_mechanisms = s->auth != NULL ? "PLAIN LOGIN" : "";
	smtpd__text_init(&t, c->auth_mechanisms, sizeof(c->auth_mechanisms));
	smtpd__text_add(&t, s->auth_mechanisms);
	c->auth_is_cut = t.cut;
	s->auth_mechanisms = c->auth_mechanisms;
	if (s->auth_secret == NULL)
		smtpd__random_bytes(c->auth_secret, sizeof(c->auth_secret));
	else
		smtpd__digest_sha256(
		    s->auth_secret, strlen(s->auth_secret), c->auth_secret);
	s->auth_secret = NULL;
}

int
smtpd__settings_init(
    struct smtpd_server_config *c, const struct smtpd_settings *settings)
{
	struct smtpd_settings *s = &c->settings;

	memset(c, 0, sizeof(*c));
	if (smtpd__sized_copy(s, sizeof(*s), settings) == -1)
		return -1;
	set_default_limits(s);
	set_default_times(s);
	set_other_defaults(s);
	set_names(c);
	set_policy(c);
	set_auth(c);
	c->memory.max = s->max_memory;
	c->temp.max = s->max_temp_size;
	c->logger = (struct smtpd_logger){ s->log, s->log_user, s->log_level };
	smtpd__replies_init(&c->replies);
	return 0;
}

void
smtpd__settings_finish(struct smtpd_server_config *c)
{
	smtpd__keywords_finish(&c->keywords);
	smtpd__names_finish(&c->mail_params);
	smtpd__names_finish(&c->rcpt_params);
	smtpd__network_list_finish(&c->proxies);
	smtpd__network_list_finish(&c->xclients);
	smtpd__events_finish(&c->events);
	smtpd__filters_finish(&c->filters);
	smtpd__replies_finish(&c->replies);
	smtpd__verb_table_finish(&c->verbs);
	smtpd__secret_wipe(c->auth_secret, sizeof(c->auth_secret));
}

static bool
is_name(const char *name)
{
	return smtpd__address_parse_helo(name, strlen(name));
}

const char *
smtpd__settings_fault(const struct smtpd_server_config *c)
{
	const struct smtpd_settings *s = &c->settings;

	if (!is_name(c->hostname))
		return "hostname";
	if (s->default_domain != NULL && !is_name(s->default_domain))
		return "default_domain";
	if (s->temp_directory[0] != '/')
		return "temp_directory";
	if (s->max_recipients < 100)
		return "max_recipients";
	if (s->max_command_line < 512 || s->max_command_line > 16384)
		return "max_command_line";
	if (s->max_text_line < 1000)
		return "max_text_line";
	if (s->errors_soft > s->errors_hard)
		return "errors_soft";
	if (s->tarpit_ms > TARPIT_MS_MAX)
		return "tarpit_ms";
	if (c->auth_is_cut || !smtpd__auth_offer_is_valid(c->auth_mechanisms))
		return "auth_mechanisms";
	if (s->auth_iterations < SMTPD_SCRAM_ITERATIONS_MIN ||
	    s->auth_iterations > SMTPD_SCRAM_ITERATIONS_MAX)
		return "auth_iterations";
	if (s->auth_delay_ms > TARPIT_MS_MAX)
		return "auth_delay_ms";
	if (s->min_deliver_by > SMTPD_URGENCY_SECONDS_MAX)
		return "min_deliver_by";
	if (s->max_future_release > SMTPD_URGENCY_SECONDS_MAX)
		return "max_future_release";
	if (s->priority_policy != NULL && *s->priority_policy == '\0')
		return "priority_policy";
	if (s->stack_size < least_stack())
		return "stack_size";
	if ((s->flags & ~(unsigned)FLAGS_KNOWN) != 0 ||
	    (s->flags & BINARY) == SMTPD_FLAG_BINARYMIME)
		return "flags";
	if ((unsigned)s->bare_lf > SMTPD_TREAT_REPAIR)
		return "bare_lf";
	if ((unsigned)s->nul > SMTPD_TREAT_REPAIR)
		return "nul";
	if ((unsigned)s->bare_cr > SMTPD_TREAT_REPAIR)
		return "bare_cr";
	if ((unsigned)s->log_level > SMTPD_LOG_TRACE)
		return "log_level";
	return NULL;
}
