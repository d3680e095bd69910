/* SPDX-License-Identifier: MIT */
#include "routing.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

/* The Maildirs in the directory of the queue, by mailbox.h. */
#define ROUTING_MAILDIRS "/local/%%u"

/* Whether S has a token.  A file may come later: some other program writes
 * it.  Return 0, or an exit status with WHY. */
static int
check_token(
    struct routing *r, const struct token_source *s, char *why, size_t size)
{
	if (token_source_check(s, why, size) == 0)
		return 0;
	if (s->command != NULL || r->settings->in.check)
		return EX_NOINPUT;
	log_line(r->log, SMTPD_LOG_WARNING, "mail waits for a token: %s", why);
	return 0;
}

/* Look at the tokens and the addresses of ROUTES. */
static int
check_routes(
    struct routing *r, const struct mail_routes *routes, char *why, size_t size)
{
	const void *last = NULL;
	int status = 0;

	for (size_t i = 0; i < routes->count; i++)
		for (size_t k = 0; k < routes->list[i].ntargets; k++) {
			const struct smtpd_route_target *t =
			    &routes->list[i].targets[k];

			sources_warn(
			    t->sources, t->nsources, "of a route", r->log);
			if (t->credentials == NULL ||
			    t->credentials_user == last)
				continue;
			last = t->credentials_user;
			status = check_token(r, last, why, size);
			if (status != 0)
				return status;
		}
	return 0;
}

/* Whether a route of ROUTES has PATTERN. */
static bool
has_pattern(const struct mail_routes *routes, const char *pattern)
{
	for (size_t i = 0; i < routes->count; i++)
		if (strcasecmp(routes->list[i].pattern, pattern) == 0)
			return true;
	return false;
}

/* Whether nobody said where mail for this host's own names goes. */
static bool
is_open(const struct settings *s, const struct mail_routes *routes)
{
	return s->relay.host == NULL && !has_pattern(routes, "*") &&
	    !has_pattern(routes, "from:*") &&
	    !has_pattern(routes, s->mailname) &&
	    !has_pattern(routes, s->in.name);
}

/* Write the pattern of Maildirs in the directory of the queue to BUF. */
static void
write_pattern(const char *queue, char buf[PATH_MAX])
{
	size_t at = 0;

	for (; *queue != '\0' && at + 2 < PATH_MAX; queue++) {
		buf[at++] = *queue;
		if (*queue == '%')
			buf[at++] = '%';
	}
	snprintf(buf + at, PATH_MAX - at, ROUTING_MAILDIRS);
}

/* See that mail for local users who read it nowhere else has a Maildir. */
static int
add_local(struct routing *r, struct mail_routes *routes, char *why, size_t size)
{
	const struct settings *s = r->settings;
	struct smtpd_route_target target;
	char pattern[PATH_MAX];
	int status = 0;

	if (!has_pattern(routes, "localhost") && is_open(s, routes)) {
		write_pattern(s->queue, pattern);
		status = maildirs_target(&r->logins.maildirs, pattern,
		    strlen(s->queue) + 1, &target, why, size);
		if (status == 0 &&
		    mail_routes_put_first(routes, "localhost", &target) == -1) {
			snprintf(why, size, "no memory");
			status = EX_OSERR;
		}
	}
	return status;
}

/* ROUTES are those in use. */
static void
note_local(struct routing *r, const struct mail_routes *routes)
{
	atomic_store(&r->has_local, has_pattern(routes, "localhost"));
}

static int
read_routes(struct routing *r, struct mail_routes *out, char *why, size_t size)
{
	const struct settings *s = r->settings;
	int status = mail_routes_read(
	    out, &s->routes, s->route_file, &r->logins, why, size);

	return status == 0 ? check_routes(r, out, why, size) : status;
}

static int
load_token(struct routing *r, char *why, size_t size)
{
	const struct settings *s = r->settings;

	if (s->token_file == NULL && s->token_command == NULL)
		return 0;
	r->token =
	    tokens_find(&r->logins.tokens, s->token_file, s->token_command);
	if (r->token != NULL)
		return check_token(r, r->token, why, size);
	snprintf(why, size, "no memory");
	return EX_OSERR;
}

int
routing_load(struct routing *r, char *why, size_t size)
{
	int status = read_routes(r, &r->routes, why, size);

	if (status == 0)
		status = add_local(r, &r->routes, why, size);
	if (status == 0)
		note_local(r, &r->routes);
	return status == 0 ? load_token(r, why, size) : status;
}

/* Read the routes again, and give them to Q; *COUNT: how many were read.
 * Return 0, or -1 with the reason. */
static int
replace_routes(struct routing *r, struct smtpd_queue *q, size_t *count,
    char *why, size_t size)
{
	struct mail_routes routes;
	int status = read_routes(r, &routes, why, size);

	*count = routes.count;
	if (status == 0)
		status = add_local(r, &routes, why, size);
	if (status == 0)
		status = smtpd_queue_set_routes(
		    q, routes.list, routes.count, why, size);
	if (status == 0)
		note_local(r, &routes);
	mail_routes_finish(&routes);
	return status == 0 ? 0 : -1;
}

void
routing_reload(struct routing *r, struct smtpd_queue *q)
{
	const struct settings *s = r->settings;
	struct passwords passwords = { .text = NULL };
	char why[2048];
	size_t count;

	if (s->route_file == NULL)
		return;
	if (s->password_file != NULL &&
	    passwords_read(s->password_file, &passwords) == 0) {
		passwords_finish(&r->logins.passwords);
		r->logins.passwords = passwords;
	}
	if (replace_routes(r, q, &count, why, sizeof(why)) == -1)
		log_line(r->log, SMTPD_LOG_ERROR,
		    "the old routes stay in use: %s", why);
	else
		log_line(r->log, SMTPD_LOG_INFO, "read %s again: %zu routes",
		    s->route_file, count);
}

void
routing_finish(struct routing *r)
{
	mail_routes_finish(&r->routes);
	passwords_finish(&r->logins.passwords);
	tokens_finish(&r->logins.tokens);
	maildirs_finish(&r->logins.maildirs);
}
