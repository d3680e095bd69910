/* SPDX-License-Identifier: MIT */
#include "milter/milter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sized.h"
#include "os/clock.h"
#include "os/nodename.h"

/* Connections that wait for a session, and how long they do. */
#define IDLE_MAX    64
#define IDLE_MAX_MS 60000

/* Copy TEXT, or OTHER where it is NULL, to BUF of SIZE bytes; whether there is
 * room. */
static bool
copy_text(char *buf, size_t size, const char *text, const char *other)
{
	const char *chosen = text != NULL ? text : other;

	return snprintf(buf, size, "%s", chosen) < (int)size;
}

static void
set_default(uint32_t *setting, uint32_t value)
{
	if (*setting == 0)
		*setting = value;
}

/* Complete the settings of M.  Return 0, or -1 with errno EINVAL. */
static int
complete_settings(struct smtpd_milter *m)
{
	struct smtpd_milter_settings *s = &m->settings;
	char node[SMTPD_HOSTNAME_SIZE];

	smtpd__nodename_get(node, sizeof(node));
	set_default(&s->connect_timeout_ms, 30000);
	set_default(&s->command_timeout_ms, 30000);
	set_default(&s->message_timeout_ms, 300000);
	if (s->log_level == 0)
		s->log_level = SMTPD_LOG_INFO;
	m->logger = (struct smtpd_logger){ s->log, s->log_user, s->log_level };
	errno = EINVAL;
	if ((unsigned)s->failure > SMTPD_MILTER_FAILURE_REJECT ||
	    !copy_text(m->hostname, sizeof(m->hostname), s->hostname, node) ||
	    !copy_text(m->daemon_name, sizeof(m->daemon_name), s->daemon_name,
		"libsmtpd") ||
	    !copy_text(m->mailer, sizeof(m->mailer), s->mailer, "esmtp"))
		return -1;
	return 0;
}

struct smtpd_milter *
smtpd_milter_create(
    const char *address, const struct smtpd_milter_settings *settings)
{
	struct smtpd_milter *m = calloc(1, sizeof(*m));
	int error;

	if (m == NULL)
		return NULL;
	pthread_mutex_init(&m->lock, NULL);
	errno = EINVAL;
	if (address != NULL &&
	    smtpd__sized_copy(&m->settings, sizeof(m->settings), settings) ==
		0 &&
	    complete_settings(m) == 0 &&
	    smtpd__connection_parse(address, &m->address) == 0) {
		m->text = strdup(address);
		if (m->text != NULL)
			return m;
	}
	error = errno;
	smtpd_milter_destroy(m);
	errno = error;
	return NULL;
}

void
smtpd_milter_destroy(struct smtpd_milter *m)
{
	struct smtpd_milter_connection *c;

	if (m == NULL)
		return;
	while ((c = m->idle) != NULL) {
		m->idle = c->next;
		smtpd__connection_close(c);
	}
	pthread_mutex_destroy(&m->lock);
	free(m->text);
	free(m);
}

/* The connection that was left last, or NULL. */
static struct smtpd_milter_connection *
take_idle(struct smtpd_milter *m)
{
	struct smtpd_milter_connection *c;

	pthread_mutex_lock(&m->lock);
	c = m->idle;
	if (c != NULL) {
		m->idle = c->next;
		m->idle_count--;
	}
	pthread_mutex_unlock(&m->lock);
	return c;
}

struct smtpd_milter_connection *
smtpd__milter_reuse(struct smtpd_milter *m)
{
	struct smtpd_milter_connection *c;

	while ((c = take_idle(m)) != NULL) {
		if (smtpd__clock_ms() - c->idle_ms < IDLE_MAX_MS &&
		    smtpd__connection_is_fresh(c)) {
			c->reused = true;
			c->answered = false;
			return c;
		}
		smtpd__connection_close(c);
	}
	return NULL;
}

void
smtpd__milter_release(struct smtpd_milter *m, struct smtpd_milter_connection *c)
{
	bool kept;

	c->idle_ms = smtpd__clock_ms();
	pthread_mutex_lock(&m->lock);
	kept = m->idle_count < IDLE_MAX;
	if (kept) {
		c->next = m->idle;
		m->idle = c;
		m->idle_count++;
	}
	pthread_mutex_unlock(&m->lock);
	if (!kept)
		smtpd__connection_close(c);
}
