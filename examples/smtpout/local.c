/* SPDX-License-Identifier: MIT */
#include "local.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include <smtpd/address.h>

#include "local_names.h"

/* As many mistakes in the aliases are named. */
#define SKIPPED_MAX 20

void
local_init(struct local *l, const struct settings *s, struct log *log)
{
	*l = (struct local){
		.log = log,
		.names = { s->mailname, s->in.name, "localhost" },
		.postmaster = s->postmaster,
		.path = s->aliases,
		.lock = PTHREAD_RWLOCK_INITIALIZER,
	};
}

void
local_finish(struct local *l)
{
	aliases_destroy(l->aliases);
	pthread_rwlock_destroy(&l->lock);
}

/* The aliases_skip_fn: a file that is wrong at many places is known after some
 * of them. */
static void
warn_skipped(void *local, const char *why)
{
	struct local *l = local;

	if (l->skipped++ < SKIPPED_MAX)
		log_line(l->log, SMTPD_LOG_WARNING,
		    "%s; that is left out: mail goes as without it", why);
}

static int
load_aliases(struct local *l, bool lenient, char *why, size_t size)
{
	struct aliases *old, *new;
	int status = EX_OK;

	if (l->path == NULL)
		return EX_OK;
	new = aliases_read(l->path, l->names, lenient ? warn_skipped : NULL, l,
	    &status, why, size);
	if (new == NULL)
		return status;
	pthread_rwlock_wrlock(&l->lock);
	old = l->aliases;
	l->aliases = new;
	pthread_rwlock_unlock(&l->lock);
	aliases_destroy(old);
	return EX_OK;
}

int
local_load(struct local *l, bool check, char *why, size_t size)
{
	return load_aliases(l, !check, why, size);
}

void
local_reload(struct local *l)
{
	char why[1024];

	if (l->path == NULL)
		return;
	if (load_aliases(l, false, why, sizeof(why)) != EX_OK)
		log_line(l->log, SMTPD_LOG_WARNING,
		    "the old aliases stay in use: %s", why);
	else
		log_line(l->log, SMTPD_LOG_INFO, "read %zu aliases from %s",
		    aliases_count(l->aliases), l->path);
}

static bool
is_local(const struct local *l, const char *domain)
{
	for (size_t i = 0; l->names[i] != NULL; i++)
		if (strcasecmp(l->names[i], domain) == 0)
			return true;
	return false;
}

/* Read the address TEXT; KEY is that of its local part if it is local, else
 * "".  Return 0, or -1 when it is none. */
static int
parse_address(const struct local *l, const char *text,
    char buf[SMTPD_ADDRESS_MAX], struct smtpd_address *out,
    char key[SMTPD_ADDRESS_MAX])
{
	key[0] = '\0';
	if (smtpd_address_parse(text, buf, SMTPD_ADDRESS_MAX, out) == -1)
		return -1;
	if (is_local(l, out->domain) &&
	    smtpd_address_local_key(out->local, key, SMTPD_ADDRESS_MAX) == -1)
		key[0] = '\0';
	return 0;
}

/* Mail for accounts without an alias goes to the postmaster, or to root. */
static const struct text_list *
find_reader(const struct local *l)
{
	char buf[SMTPD_ADDRESS_MAX], key[SMTPD_ADDRESS_MAX] = "postmaster";
	struct smtpd_address address;
	const struct text_list *ends;

	if (l->postmaster != NULL &&
	    parse_address(l, l->postmaster, buf, &address, key) == 0 &&
	    key[0] == '\0')
		return NULL;
	ends = aliases_find(l->aliases, key);
	return ends != NULL ? ends : aliases_find(l->aliases, "root");
}

/* Whether --postmaster names somebody elsewhere. */
static bool
has_postmaster(const struct local *l)
{
	char buf[SMTPD_ADDRESS_MAX], key[SMTPD_ADDRESS_MAX];
	struct smtpd_address address;

	return l->postmaster != NULL &&
	    parse_address(l, l->postmaster, buf, &address, key) == 0 &&
	    key[0] == '\0';
}

/* Add one end of an alias, or a local name, which has no domain. */
static int
add_end(const struct local *l, struct smtpd_expansion *x, const char *end)
{
	char whole[SMTPD_ADDRESS_MAX], buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address address;

	if (smtpd_address_parse(end, buf, sizeof(buf), &address) == 0)
		return smtpd_expansion_add(x, end);
	snprintf(whole, sizeof(whole), "%s@%s", end, l->names[0]);
	return smtpd_expansion_add(x, whole);
}

static int
add_ends(const struct local *l, struct smtpd_expansion *x,
    const struct text_list *ends)
{
	for (size_t i = 0; i < ends->count; i++)
		if (add_end(l, x, ends->items[i]) == -1)
			return -1;
	return 0;
}

/* Whether mail for accounts that nobody is named for stays here. */
static bool
is_kept(const struct local *l)
{
	return l->has_route != NULL && atomic_load(l->has_route);
}

static int
add_kept(struct smtpd_expansion *x, const char *key)
{
	char address[SMTPD_ADDRESS_MAX + sizeof("@localhost")];

	snprintf(address, sizeof(address), "%s@localhost", key);
	return smtpd_expansion_add(x, address);
}

/* Add who gets the mail for the local name KEY, of which ADDRESS is the whole;
 * nobody: it stays as it is. */
static int
expand_name(const struct local *l, const char *key,
    const struct smtpd_address *address, struct smtpd_expansion *x)
{
	const struct text_list *ends = aliases_find(l->aliases, key);
	char local[SMTPD_ADDRESS_MAX];
	bool known;

	if (ends == NULL)
		ends = aliases_find(l->aliases, "*");
	if (ends != NULL)
		return add_ends(l, x, ends);
	known = local_names_has(key);
	if (known && has_postmaster(l))
		return smtpd_expansion_add(x, l->postmaster);
	ends = known ? find_reader(l) : NULL;
	if (ends != NULL)
		return add_ends(l, x, ends);
	if (known && is_kept(l))
		return add_kept(x, key);
	if (strcasecmp(address->domain, "localhost") != 0)
		return 0;
	snprintf(local, sizeof(local), "%.*s",
	    (int)(strrchr(address->text, '@') - address->text), address->text);
	return add_end(l, x, local);
}

int
local_expand(const char *text, struct smtpd_expansion *x, void *user)
{
	char buf[SMTPD_ADDRESS_MAX], key[SMTPD_ADDRESS_MAX];
	struct smtpd_address address;
	struct local *l = user;
	int status;

	if (parse_address(l, text, buf, &address, key) == -1 || key[0] == '\0')
		return 0;
	pthread_rwlock_rdlock(&l->lock);
	status = expand_name(l, key, &address, x);
	pthread_rwlock_unlock(&l->lock);
	return status;
}

void
local_warn(struct local *l)
{
	if (has_postmaster(l) || aliases_find(l->aliases, "root") != NULL ||
	    aliases_find(l->aliases, "*") != NULL || find_reader(l) != NULL)
		return;
	if (is_kept(l)) {
		log_line(l->log, SMTPD_LOG_WARNING,
		    "mail for root goes to a Maildir of this host, where "
		    "perhaps nobody reads it (smtpout-sendmail -bv root says "
		    "which): name somebody by --postmaster or --aliases");
		return;
	}
	log_line(l->log, SMTPD_LOG_WARNING,
	    "mail for root goes to the mail hosts of %s, where perhaps nobody "
	    "reads it: name somebody by --postmaster or --aliases",
	    l->names[0]);
}
