/* SPDX-License-Identifier: MIT */
#include "queue/delivery/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "queue/schedule/spacing.h"

/* The room for the limits in a name, all numbers being as long as they can. */
#define TEXT_MAX 160

bool
smtpd__limits_are_set(const struct smtpd_shaping_limits *limits)
{
	return limits->message_us > 0 || limits->connection_us > 0 ||
	    limits->connections > 0 || limits->rcpts > 0 || limits->mails > 0;
}

static void
add_number(struct smtpd_text *t, const char *name, uint32_t n)
{
	if (n > 0)
		smtpd__text_format(
		    t, "%c%s=%u", t->len > 0 ? ',' : ' ', name, (unsigned)n);
}

static void
add_rate(struct smtpd_text *t, const char *name, uint32_t count, uint32_t s)
{
	if (count > 0 && s > 0)
		smtpd__text_format(t, "%c%s=%u/%us", t->len > 0 ? ',' : ' ',
		    name, (unsigned)count, (unsigned)s);
}

static void
describe_limits(const struct smtpd_site_limits *l, char *buf, size_t size)
{
	struct smtpd_text t;

	smtpd__text_init(&t, buf, size);
	add_rate(&t, "rate", l->messages, l->messages_s);
	add_rate(
	    &t, "connection-rate", l->new_connections, l->new_connections_s);
	add_number(&t, "connections", l->connections);
	add_number(&t, "rcpts", l->recipients);
	add_number(&t, "messages", l->messages_per_connection);
}

int
smtpd__limits_ask(smtpd_limits_fn *fn, void *user, const char *domain,
    struct smtpd_found_route *route, struct smtpd_shaping_limits *out)
{
	const char *hosts =
	    route->nhops > 0 ? route->hops[0].targets->hosts : NULL;
	const struct smtpd_queue_destination destination = {
		.domain = domain,
		.hosts = hosts != NULL ? hosts : "",
	};
	struct smtpd_site_limits l = { SMTPD_SITE_LIMITS_INIT };
	char text[TEXT_MAX];
	size_t len;
	char *site;

	*out = (struct smtpd_shaping_limits){ 0 };
	if (fn == NULL)
		return 0;
	fn(&destination, &l, user);
	out->message_us = smtpd__spacing_interval(l.messages, l.messages_s);
	out->connection_us =
	    smtpd__spacing_interval(l.new_connections, l.new_connections_s);
	out->connections = l.connections;
	out->rcpts = l.recipients;
	out->mails = l.messages_per_connection;
	if (!smtpd__limits_are_set(out))
		return 0;
	describe_limits(&l, text, sizeof(text));
	len = strlen(route->site);
	site = realloc(route->site, len + strlen(text) + 1);
	if (site == NULL)
		return -1;
	memcpy(site + len, text, strlen(text) + 1);
	route->site = site;
	return 0;
}
