/* SPDX-License-Identifier: MIT */
#include "server/settings.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "grammar/address_parse.h"
#include "os/nodename.h"

/* Sanitizers make frames several times as large. */
#ifndef SMTPD_STACK_SCALE
#define SMTPD_STACK_SCALE 1
#endif
#define STACK_SIZE ((size_t)65536 * SMTPD_STACK_SCALE)

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
	default_u32(&s->max_recipients, 1000);
	default_u32(&s->max_command_line, 2048);
	default_u32(&s->max_text_line, 65536);
	default_u32(&s->max_transactions, 1000);
	default_u32(&s->errors_soft, 5);
	default_u32(&s->errors_hard, 20);
	default_u32(&s->tarpit_ms, 1000);
	default_u32(&s->max_hops, 100);
	if (s->max_message_size == 0)
		s->max_message_size = 52428800;
}

static void
set_default_times(struct smtpd_settings *s)
{
	default_u32(&s->idle_timeout_ms, 300000);
	default_u32(&s->command_timeout_ms, 300000);
	default_u32(&s->write_timeout_ms, 60000);
	default_u32(&s->session_timeout_ms, 3600000);
	default_u32(&s->handshake_timeout_ms, 30000);
	default_u32(&s->min_rate, 500);
	default_u32(&s->rate_window_ms, 60000);
}

static void
set_other_defaults(struct smtpd_settings *s)
{
	if (s->bare_lf == SMTPD_TREAT_DEFAULT)
		s->bare_lf = SMTPD_TREAT_REPAIR;
	if (s->nul == SMTPD_TREAT_DEFAULT)
		s->nul = SMTPD_TREAT_REFUSE;
	if (s->stack_size == 0)
		s->stack_size = STACK_SIZE;
	if (s->log_level == 0)
		s->log_level = SMTPD_LOG_INFO;
}

static void
set_hostname(struct smtpd_server_config *c)
{
	const char *name = c->settings.hostname;
	struct smtpd_text t;

	if (name != NULL) {
		smtpd__text_init(&t, c->hostname, sizeof(c->hostname));
		smtpd__text_add(&t, name);
		/* Half a name is another name: let it be reported. */
		if (t.cut)
			c->hostname[0] = '\0';
	} else {
		smtpd__nodename_get(c->hostname, sizeof(c->hostname));
	}
	c->settings.hostname = c->hostname;
}

void
smtpd__settings_init(
    struct smtpd_server_config *c, const struct smtpd_settings *settings)
{
	memset(c, 0, sizeof(*c));
	if (settings != NULL)
		c->settings = *settings;
	set_default_limits(&c->settings);
	set_default_times(&c->settings);
	set_other_defaults(&c->settings);
	set_hostname(c);
	c->logger = (struct smtpd_logger){ c->settings.log,
		c->settings.log_user, c->settings.log_level };
}

static void
free_names(struct smtpd_names *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
}

void
smtpd__settings_finish(struct smtpd_server_config *c)
{
	free_names(&c->keywords);
	free_names(&c->mail_params);
	free_names(&c->rcpt_params);
	free(c->verbs);
}

const char *
smtpd__settings_fault(const struct smtpd_server_config *c)
{
	const struct smtpd_settings *s = &c->settings;

	if (!smtpd__address_parse_helo(c->hostname, strlen(c->hostname)))
		return "hostname";
	if (s->max_recipients < 100)
		return "max_recipients";
	if (s->max_command_line < 512 || s->max_command_line > 16384)
		return "max_command_line";
	if (s->max_text_line < 1000)
		return "max_text_line";
	if (s->errors_soft > s->errors_hard)
		return "errors_soft";
	if (s->stack_size < PTHREAD_STACK_MIN)
		return "stack_size";
	if (s->nul > SMTPD_TREAT_REPAIR || s->bare_lf > SMTPD_TREAT_REPAIR)
		return s->nul > SMTPD_TREAT_REPAIR ? "nul" : "bare_lf";
	return NULL;
}

struct smtpd_verb *
smtpd__settings_verb(const struct smtpd_server_config *c, const char *name)
{
	for (size_t i = 0; i < c->nverbs; i++)
		if (strcmp(c->verbs[i].name, name) == 0)
			return &c->verbs[i];
	return NULL;
}

int
smtpd__settings_add_verb(
    struct smtpd_server_config *c, const struct smtpd_verb *verb)
{
	struct smtpd_verb *more =
	    realloc(c->verbs, (c->nverbs + 1) * sizeof(*more));

	if (more == NULL)
		return -1;
	more[c->nverbs] = *verb;
	c->verbs = more;
	c->nverbs++;
	return 0;
}

int
smtpd__settings_names_add(struct smtpd_names *list, const char *name)
{
	char **more = realloc(list->names, (list->count + 1) * sizeof(*more));

	if (more == NULL)
		return -1;
	list->names = more;
	more[list->count] = strdup(name);
	if (more[list->count] == NULL)
		return -1;
	list->count++;
	return 0;
}

bool
smtpd__settings_names_have(const struct smtpd_names *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (smtpd__text_same(list->names[i], name))
			return true;
	return false;
}

void
smtpd__settings_count(struct smtpd_server_config *c, size_t count, int64_t n)
{
	atomic_fetch_add_explicit(
	    &c->counts[count], (uint64_t)n, memory_order_relaxed);
}
