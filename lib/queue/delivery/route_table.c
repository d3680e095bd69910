/* SPDX-License-Identifier: MIT */
/* explicit_bzero(). */
#define _DEFAULT_SOURCE
#include "queue/delivery/route_table.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/sized.h"
#include "client/settings.h"
#include "client/sources.h"
#include "resolve/smarthost.h"

#define SMTP_PORT  25
#define SMTPS_PORT 465

/* A key that is longer is cut off. */
#define KEY_SIZE 1024

struct smtpd_route_table {
	atomic_int refs;
	struct smtpd_route_entry *entries;
	size_t count;
	bool has_smarthost; /* it is the last entry */
	uint64_t last_id;   /* of its targets */
};

/* Give T texts of its own.  Return 0, or -1 without memory. */
static int
copy_texts(struct smtpd_table_target *t)
{
	const char **given[SMTPD_TARGET_TEXTS] = { &t->set.password,
		&t->set.host, &t->set.user, &t->set.mechanisms, &t->set.text };

	for (size_t i = 0; i < SMTPD_TARGET_TEXTS; i++) {
		if (*given[i] == NULL)
			continue;
		t->texts[i] = strdup(*given[i]);
		if (t->texts[i] == NULL)
			return -1;
		*given[i] = t->texts[i];
	}
	return 0;
}

/* Give T sources of its own.  Return 0, or -1 without memory. */
static int
copy_sources(struct smtpd_table_target *t)
{
	if (t->set.nsources == 0)
		return 0;
	t->sources = calloc(1, sizeof(*t->sources));
	if (t->sources == NULL)
		return -1;
	smtpd__source_copy_fill(t->sources, t->set.sources, t->set.nsources);
	t->set.sources = t->sources->sources;
	return 0;
}

static void
finish_target(struct smtpd_table_target *t)
{
	free(t->sources);
	if (t->texts[0] != NULL)
		explicit_bzero(t->texts[0], strlen(t->texts[0]));
	for (size_t i = 0; i < SMTPD_TARGET_TEXTS; i++)
		free(t->texts[i]);
}

/* Return what is wrong with the host of T; NULL: nothing. */
static const char *
find_host_fault(const struct smtpd_route_target *t, char *name)
{
	struct sockaddr_un un;

	if (t->host == NULL)
		return "a target has no host";
	if (t->mechanisms != NULL &&
	    !smtpd__client_settings_are_mechanisms(t->mechanisms))
		return "has mechanisms that are not all known";
	if (t->kind == SMTPD_ROUTE_LMTP && t->host[0] == '/')
		return strlen(t->host) >= sizeof(un.sun_path)
		    ? "the path of a socket is too long"
		    : NULL;
	if (smtpd__smarthost_normalise(t->host, name) != 0)
		return "is neither the name of a host nor an address";
	if (t->kind == SMTPD_ROUTE_LMTP && t->port == 0)
		return "needs a port for LMTP";
	if (t->kind == SMTPD_ROUTE_LMTP && t->port == SMTP_PORT)
		return "cannot have port 25 for LMTP (RFC 2033, 5)";
	return NULL;
}

/* Return what is wrong with the sources of T; NULL: nothing. */
static const char *
find_source_fault(const struct smtpd_route_target *t)
{
	struct smtpd_client_sources known;

	if (t->nsources == 0)
		return NULL;
	if (t->kind == SMTPD_ROUTE_ERROR || t->kind == SMTPD_ROUTE_LOCAL ||
	    (t->kind == SMTPD_ROUTE_LMTP && t->host[0] == '/'))
		return "has a source, but no connection from an address";
	if (smtpd__client_sources_read(t->sources, t->nsources, &known) == -1)
		return "has a source that is no address, the second of its "
		       "family, or has no name for EHLO";
	return NULL;
}

/* The same for T as one of COUNT targets of a route. */
static const char *
find_fault(const struct smtpd_route_target *t, size_t count, char *name)
{
	switch (t->kind) {
	case SMTPD_ROUTE_MX:
		return NULL;
	case SMTPD_ROUTE_HOST:
	case SMTPD_ROUTE_LMTP:
		return find_host_fault(t, name);
	case SMTPD_ROUTE_ERROR:
		if (t->text == NULL || t->text[0] == '\0')
			return "an error has no text";
		break;
	case SMTPD_ROUTE_LOCAL:
		if (t->deliver == NULL)
			return "a local target has no callback";
		break;
	default:
		return "there is no such kind of target";
	}
	return count > 1 ? "error and local targets stand alone" : NULL;
}

/* Append what T is to the key of its route. */
static void
add_place(struct smtpd_text *key, const struct smtpd_route_target *t)
{
	const char *user = t->user != NULL ? t->user : "";

	if (t->kind == SMTPD_ROUTE_MX)
		smtpd__text_add(key, "mx");
	else if (t->kind == SMTPD_ROUTE_ERROR)
		smtpd__text_format(key, "error:%s", t->text);
	else if (t->kind == SMTPD_ROUTE_LOCAL)
		smtpd__text_add(key, t->text != NULL ? t->text : "local");
	else if (t->host[0] == '/')
		smtpd__text_format(key, "lmtp:%s", t->host);
	else
		smtpd__text_format(key,
		    strchr(t->host, ':') != NULL && t->host[0] != '['
			? "%s%s%s[%s]:%u"
			: "%s%s%s%s:%u",
		    t->kind == SMTPD_ROUTE_LMTP ? "lmtp:"
			: t->tls_first          ? "tls://"
						: "",
		    user, user[0] != '\0' ? "@" : "", t->host,
		    (unsigned)t->port);
}

/* Append T to the key of its route. */
static void
add_key(struct smtpd_text *key, const struct smtpd_route_target *t)
{
	if (key->len > 0)
		smtpd__text_byte(key, ',');
	add_place(key, t);
	for (size_t i = 0; i < t->nsources; i++)
		smtpd__text_format(key, " from %s", t->sources[i].address);
}

void
smtpd__route_table_describe(
    const struct smtpd_route_entry *e, struct smtpd_text *t)
{
	for (size_t i = 0; i < e->ntargets; i++) {
		struct smtpd_route_target target = e->targets[i].set;

		target.user = NULL;
		add_key(t, &target);
	}
}

/* Copy target I of GIVEN to E, an entry of TABLE. */
static int
add_target(struct smtpd_route_table *table, struct smtpd_route_entry *e,
    const struct smtpd_route *given, size_t i, struct smtpd_text *error)
{
	struct smtpd_table_target *to = &e->targets[i];
	struct smtpd_route_target t;
	const char *fault;

	if (smtpd__sized_copy_nth(&t, sizeof(t), given->targets, i) == -1) {
		smtpd__text_add(error, "the size of a target is wrong");
		return -1;
	}
	fault = find_fault(&t, given->ntargets, to->name);
	if (fault == NULL)
		fault = find_source_fault(&t);
	if (fault != NULL) {
		errno = EINVAL;
		smtpd__text_format(error, "%s%s%s",
		    t.host != NULL ? t.host : "", t.host != NULL ? ": " : "",
		    fault);
		return -1;
	}
	if (t.kind == SMTPD_ROUTE_HOST && t.port == 0)
		t.port = t.tls_first ? SMTPS_PORT : SMTP_PORT;
	e->ntargets++;
	to->set = t;
	if (t.kind != SMTPD_ROUTE_MX || t.nsources > 0)
		to->id = ++table->last_id;
	return copy_texts(to) == -1 ? -1 : copy_sources(to);
}

/* Add GIVEN to T, which has room. */
static int
add_route(struct smtpd_route_table *t, const struct smtpd_route *given,
    struct smtpd_text *error)
{
	struct smtpd_route_entry *e = &t->entries[t->count++];
	char buf[KEY_SIZE];
	struct smtpd_text key;

	errno = EINVAL;
	if (given->pattern == NULL) {
		smtpd__text_add(error, "a route has no pattern");
		return -1;
	}
	if (given->targets == NULL || given->ntargets == 0 ||
	    given->ntargets > SMTPD_ROUTE_TARGETS_MAX) {
		smtpd__text_format(error, "%s: it takes 1 to %d targets",
		    given->pattern, SMTPD_ROUTE_TARGETS_MAX);
		return -1;
	}
	if (smtpd__route_pattern_parse(given->pattern, &e->pattern, error) ==
	    -1)
		return -1;
	e->targets = calloc(given->ntargets, sizeof(*e->targets));
	e->text = strdup(given->pattern);
	if (e->targets == NULL || e->text == NULL)
		return -1;
	smtpd__text_init(&key, buf, sizeof(buf));
	for (size_t i = 0; i < given->ntargets; i++) {
		if (add_target(t, e, given, i, error) == -1)
			return -1;
		add_key(&key, &e->targets[i].set);
	}
	e->key = strdup(buf);
	return e->key == NULL ? -1 : 0;
}

/* Add SMARTHOST, which is for all mail. */
static int
add_smarthost(struct smtpd_route_table *t,
    const struct smtpd_route_target *smarthost, struct smtpd_text *error)
{
	struct smtpd_route_entry *e = &t->entries[t->count];
	const struct smtpd_route route = { SMTPD_ROUTE_INIT, "*", smarthost,
		1 };
	char name[SMTPD_DNS_HOST_MAX];

	if (smarthost->host == NULL ||
	    smtpd__smarthost_normalise(smarthost->host, name) != 0) {
		errno = EINVAL;
		smtpd__text_format(error,
		    "%s, the smarthost, is neither the name of a host nor an "
		    "address",
		    smarthost->host != NULL ? smarthost->host : "(none)");
		return -1;
	}
	t->has_smarthost = true;
	if (add_route(t, &route, error) == -1)
		return -1;
	e->text[0] = '\0';
	free(e->key);
	e->key = strdup("smarthost");
	return e->key == NULL ? -1 : 0;
}

/* As smtpd__route_table_create(); the ids of targets begin behind LAST_ID. */
static struct smtpd_route_table *
create_table(const struct smtpd_route *routes, size_t count,
    const struct smtpd_route_target *smarthost, uint64_t last_id,
    struct smtpd_text *error)
{
	struct smtpd_route_table *t = calloc(1, sizeof(*t));
	struct smtpd_route given;
	int status = 0, code;

	errno = ENOMEM;
	if (t == NULL)
		return NULL;
	atomic_init(&t->refs, 1);
	t->last_id = last_id;
	t->entries = calloc(count + 1, sizeof(*t->entries));
	if (t->entries == NULL)
		status = -1;
	for (size_t i = 0; status == 0 && i < count; i++) {
		status =
		    smtpd__sized_copy_nth(&given, sizeof(given), routes, i);
		if (status == -1)
			smtpd__text_add(error, "the size of a route is wrong");
		else
			status = add_route(t, &given, error);
	}
	if (status == 0 && smarthost != NULL)
		status = add_smarthost(t, smarthost, error);
	if (status == 0)
		return t;
	code = errno;
	smtpd__route_table_unref(t);
	errno = code;
	return NULL;
}

struct smtpd_route_table *
smtpd__route_table_create(const struct smtpd_route *routes, size_t count,
    const struct smtpd_route_target *smarthost, struct smtpd_text *error)
{
	return create_table(routes, count, smarthost, 0, error);
}

struct smtpd_route_table *
smtpd__route_table_renew(const struct smtpd_route_table *old,
    const struct smtpd_route *routes, size_t count, struct smtpd_text *error)
{
	const struct smtpd_route_entry *last =
	    old->has_smarthost ? &old->entries[old->count - 1] : NULL;

	return create_table(routes, count,
	    last != NULL ? &last->targets[0].set : NULL, old->last_id, error);
}

struct smtpd_route_table *
smtpd__route_table_ref(struct smtpd_route_table *t)
{
	if (t != NULL)
		atomic_fetch_add(&t->refs, 1);
	return t;
}

void
smtpd__route_table_unref(struct smtpd_route_table *t)
{
	if (t == NULL || atomic_fetch_sub(&t->refs, 1) > 1)
		return;
	for (size_t i = 0; i < t->count; i++) {
		struct smtpd_route_entry *e = &t->entries[i];

		for (size_t k = 0; k < e->ntargets; k++)
			finish_target(&e->targets[k]);
		free(e->targets);
		free(e->text);
		free(e->key);
	}
	free(t->entries);
	free(t);
}

/* Whether it takes more than the domain of a recipient to know if P is its
 * pattern. */
static bool
is_narrow(const struct smtpd_route_pattern *p)
{
	return p->kind == SMTPD_PATTERN_ADDRESS ||
	    (p->from && p->kind != SMTPD_PATTERN_ALL);
}

bool
smtpd__route_table_needs_envelopes(const struct smtpd_route_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (is_narrow(&t->entries[i].pattern))
			return true;
	return false;
}

const struct smtpd_route_entry *
smtpd__route_table_match(
    const struct smtpd_route_table *t, const char *sender, const char *rcpt)
{
	struct smtpd_route_address from, to;

	if (t->count == 0)
		return NULL;
	smtpd__route_pattern_address(sender, &from);
	smtpd__route_pattern_address(rcpt, &to);
	for (size_t i = 0; i < t->count; i++) {
		const struct smtpd_route_pattern *p = &t->entries[i].pattern;

		if (smtpd__route_pattern_matches(p, p->from ? &from : &to))
			return &t->entries[i];
	}
	return NULL;
}

/* The route that all recipients at DOMAIN have, whoever the sender is.  *SURE
 * becomes false when that depends on more. */
static const struct smtpd_route_entry *
match_domain(const struct smtpd_route_table *t, const char *domain, bool *sure)
{
	char any[SMTPD_HOSTNAME_SIZE + 8];
	struct smtpd_route_address to;

	*sure = true;
	if (t->count == 0)
		return NULL;
	snprintf(any, sizeof(any), "x@%s", domain);
	smtpd__route_pattern_address(any, &to);
	for (size_t i = 0; i < t->count; i++) {
		const struct smtpd_route_pattern *p = &t->entries[i].pattern;

		if (is_narrow(p)) {
			if (p->from ||
			    strcmp(p->address.domain, to.domain) == 0)
				*sure = false;
			continue;
		}
		if (smtpd__route_pattern_matches(p, &to))
			return &t->entries[i];
	}
	return NULL;
}

void
smtpd__route_table_key(const struct smtpd_route_table *t, const char *domain,
    const struct smtpd_spool_addressees *mail, char *out)
{
	const struct smtpd_route_entry *e = NULL, *last = NULL;
	struct smtpd_text key;
	bool sure = true, mixed = false;

	smtpd__text_init(&key, out, SMTPD_ROUTE_KEY_SIZE);
	if (mail == NULL)
		last = match_domain(t, domain, &sure);
	for (size_t i = 0; mail != NULL && i < mail->count; i++) {
		e = smtpd__route_table_match(t, mail->envelope->sender,
		    mail->envelope->rcpts[mail->numbers[i]].address);
		if (i > 0 && e != last) {
			mixed = true;
			smtpd__text_format(
			    &key, "%s | ", last != NULL ? last->key : "mx");
		}
		last = e;
	}
	if (sure && (mixed || last != NULL))
		smtpd__text_add(&key, last != NULL ? last->key : "mx");
}

int
smtpd_route_check(const struct smtpd_route *route, char *error, size_t size)
{
	struct smtpd_route_table *t;
	struct smtpd_text why;
	int code;

	smtpd__text_init(&why, error, size);
	t = smtpd__route_table_create(route, 1, NULL, &why);
	code = errno;
	if (t != NULL) {
		smtpd__route_table_unref(t);
		return 0;
	}
	if (why.len == 0)
		smtpd__text_add(&why, "out of memory");
	errno = code;
	return -1;
}
