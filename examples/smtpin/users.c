/* SPDX-License-Identifier: MIT */
#include "users.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* A folded local@domain, with its NUL. */
#define KEY_SIZE 1024

/*
 * One key of the table.  Its kind shows in its text:
 *
 *	local@domain	an address
 *	@domain		the catch-all of a domain
 *	domain		a domain of ours, whose user is its first one
 *	:user		a user, so that each name is kept once
 */
struct slot {
	uint32_t hash;
	uint32_t key;  /* where its text begins; 0: the slot is free */
	uint32_t user; /* where the user's name begins */
};

struct users {
	atomic_uint holds;
	struct slot *slots; /* open addressing */
	size_t nslots;      /* a power of two */
	size_t used;
	size_t addresses;
	uint32_t home; /* the first domain's text; 0: none yet */

	char *text; /* all strings, each with its NUL */
	size_t text_len;
	size_t text_size;
};

/* A map that is being read. */
struct loading {
	struct users *users;
	const char *path;
	FILE *file;
	unsigned long line;
	char *why;
	size_t why_size;
};

static uint32_t
hash_of(const char *key)
{
	uint32_t hash = 2166136261U;

	while (*key != '\0') {
		hash ^= (unsigned char)*key++;
		hash *= 16777619U;
	}
	return hash ^ hash >> 15;
}

/* The slot that has KEY, or the free one where it belongs. */
static struct slot *
slot_of(const struct users *users, const char *key, uint32_t hash)
{
	size_t mask = users->nslots - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct slot *slot = &users->slots[i];

		if (slot->key == 0 ||
		    (slot->hash == hash &&
			strcmp(users->text + slot->key, key) == 0))
			return slot;
	}
}

static const struct slot *
look_up(const struct users *users, const char *key)
{
	const struct slot *slot = slot_of(users, key, hash_of(key));

	return slot->key != 0 ? slot : NULL;
}

/* Double the table. */
static int
grow(struct users *users)
{
	struct slot *old = users->slots;
	size_t nold = users->nslots;
	struct slot *slots = calloc(nold * 2, sizeof(*slots));

	if (slots == NULL)
		return -1;
	users->slots = slots;
	users->nslots = nold * 2;
	for (size_t i = 0; i < nold; i++) {
		size_t at = old[i].hash;

		if (old[i].key == 0)
			continue;
		while (slots[at & (users->nslots - 1)].key != 0)
			at++;
		slots[at & (users->nslots - 1)] = old[i];
	}
	free(old);
	return 0;
}

/* Keep a copy of KEY; return where it begins, or 0. */
static uint32_t
add_text(struct users *users, const char *key)
{
	size_t len = strlen(key) + 1;
	size_t size = users->text_size;
	size_t at = users->text_len;
	char *text;

	while (len > size - at)
		size *= 2;
	if (size > UINT32_MAX)
		return 0;
	if (size > users->text_size) {
		text = realloc(users->text, size);
		if (text == NULL)
			return 0;
		users->text = text;
		users->text_size = size;
	}
	memcpy(users->text + at, key, len);
	users->text_len += len;
	return (uint32_t)at;
}

/* Find KEY, or add it with USER.  Return its slot, valid until the next call,
 * or NULL when there is no memory. */
static struct slot *
put(struct users *users, const char *key, uint32_t user)
{
	uint32_t hash = hash_of(key);
	struct slot *slot;

	if (users->used >= users->nslots / 8 * 5 && grow(users) == -1)
		return NULL;
	slot = slot_of(users, key, hash);
	if (slot->key != 0)
		return slot;
	slot->key = add_text(users, key);
	if (slot->key == 0)
		return NULL;
	slot->hash = hash;
	slot->user = user;
	users->used++;
	return slot;
}

static struct users *
create(void)
{
	struct users *users = calloc(1, sizeof(*users));

	if (users == NULL)
		return NULL;
	atomic_init(&users->holds, 1);
	users->nslots = 1024;
	users->slots = calloc(users->nslots, sizeof(*users->slots));
	users->text_size = 4096;
	users->text = calloc(1, users->text_size);
	users->text_len = 1; /* 0 means none */
	if (users->slots != NULL && users->text != NULL)
		return users;
	users_release(users);
	return NULL;
}

struct users *
users_hold(struct users *users)
{
	atomic_fetch_add_explicit(&users->holds, 1, memory_order_relaxed);
	return users;
}

void
users_release(struct users *users)
{
	if (users == NULL ||
	    atomic_fetch_sub_explicit(&users->holds, 1, memory_order_acq_rel) !=
		1)
		return;
	free(users->slots);
	free(users->text);
	free(users);
}

size_t
users_count(const struct users *users)
{
	return users->addresses;
}

/* Say what is wrong with the present line. */
static int
bad(struct loading *l, const char *what, const char *word)
{
	snprintf(l->why, l->why_size, "%s:%lu: %s%s%s%s", l->path, l->line,
	    what, *word != '\0' ? ": \"" : "", word, *word != '\0' ? "\"" : "");
	return EX_CONFIG;
}

static int
no_memory(struct loading *l)
{
	snprintf(l->why, l->why_size, "%s: no memory", l->path);
	return EX_OSERR;
}

/* Whether NAME can be a part of a path and nothing else. */
static bool
is_user(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len <= USERS_NAME_MAX &&
	    strspn(name, allowed) == len && *name != '.' && *name != '-';
}

/* Write the key of LOCAL at DOMAIN to KEY of KEY_SIZE; return where the domain
 * begins in it, or 0 when it does not fit. */
static size_t
make_key(const char *local, const char *domain, char *key)
{
	int len = smtpd_ascii_lower(local, key, KEY_SIZE);

	if (len < 0 || len + 2 > KEY_SIZE)
		return 0;
	key[len++] = '@';
	key[len] = '\0';
	if (smtpd_ascii_lower(domain, key + len, (size_t)(KEY_SIZE - len)) < 0)
		return 0;
	return (size_t)len;
}

/* Write the key of WORD, local@domain or @domain, to KEY; return where its
 * domain begins, or 0 when it is no address. */
static size_t
parse_address(const char *word, char *key)
{
	char text[SMTPD_ADDRESS_MAX], buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address address;
	bool all = *word == '@';
	int n = snprintf(text, sizeof(text), "%s%s", all ? "x" : "", word);

	if (n < 0 || (size_t)n >= sizeof(text) ||
	    smtpd_address_parse(text, buf, sizeof(buf), &address) == -1)
		return 0;
	/* The domain may become part of a path, and ends a key; an empty
	 * local part is the catch-all's. */
	if (strpbrk(address.domain, "/@") != NULL || *address.local == '\0')
		return 0;
	return make_key(all ? "" : address.local, address.domain, key);
}

static int
add_address(struct loading *l, const char *word, uint32_t user)
{
	struct users *users = l->users;
	char key[KEY_SIZE];
	size_t domain = parse_address(word, key);
	struct slot *slot;

	if (domain == 0)
		return bad(l, "not an address", word);
	slot = put(users, key, user);
	if (slot == NULL)
		return no_memory(l);
	if (slot->user != user)
		return bad(l, "the address has another user already", word);
	slot = put(users, key + domain, user);
	if (slot == NULL)
		return no_memory(l);
	if (users->home == 0)
		users->home = slot->key;
	users->addresses++;
	return 0;
}

/* Cut the first address off *REST, at blanks and commas outside of quotes;
 * NULL at the end or at a comment. */
static char *
next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t\r,");
	char *p = word;

	if (*word == '\0' || *word == '#')
		return NULL;
	for (bool quoted = false; *p != '\0'; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		else if (!quoted && strchr(" \t\r,", *p) != NULL)
			break;
	}
	if (*p != '\0')
		*p++ = '\0';
	*rest = p;
	return word;
}

/* user : address, address ... */
static int
add_line(struct loading *l, char *line)
{
	char key[USERS_NAME_MAX + 2];
	char *colon = strchr(line, ':');
	char *name = line + strspn(line, " \t");
	struct slot *slot;
	char *word;
	size_t len;
	int status = 0;

	if (colon == NULL)
		return bad(l, "no \":\" between user and address", "");
	*colon = '\0';
	len = strcspn(name, " \t");
	if (name[len + strspn(name + len, " \t")] == '\0')
		name[len] = '\0';
	if (!is_user(name))
		return bad(l,
		    "a user is 1 to 64 letters, digits, \".\", \"_\" or \"-\", "
		    "a letter, digit or \"_\" first",
		    name);
	snprintf(key, sizeof(key), ":%s", name);
	slot = put(l->users, key, 0);
	if (slot == NULL)
		return no_memory(l);
	slot->user = slot->key + 1;
	line = colon + 1;
	word = next_word(&line);
	if (word == NULL)
		return bad(l, "no address for the user", name);
	for (uint32_t user = slot->user; word != NULL && status == 0;
	    word = next_word(&line))
		status = add_address(l, word, user);
	return status;
}

/* Read a line without its end into BUF of USERS_LINE_MAX + 1.  Return 1, 0 at
 * the end of the file, or -1 with the reason in *WHAT. */
static int
read_line(FILE *file, char *buf, const char **what)
{
	size_t len = 0;
	int c;

	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		*what = c == '\0' ? "a NUL byte" : "the line is too long";
		if (c == '\0' || len == USERS_LINE_MAX)
			return -1;
		buf[len++] = (char)c;
	}
	buf[len] = '\0';
	return c != EOF || len > 0;
}

static int
load_lines(struct loading *l)
{
	char line[USERS_LINE_MAX + 1];
	const char *what = "";
	int more, status = 0;

	while (status == 0 && (more = read_line(l->file, line, &what)) != 0) {
		size_t blank = strspn(line, " \t\r");

		l->line++;
		if (more == -1)
			return bad(l, what, "");
		if (line[blank] != '\0' && line[blank] != '#')
			status = add_line(l, line);
	}
	if (ferror(l->file)) {
		snprintf(l->why, l->why_size, "cannot read %s: %s", l->path,
		    strerror(errno));
		return EX_NOINPUT;
	}
	if (status == 0 && l->users->addresses == 0) {
		snprintf(l->why, l->why_size,
		    "%s: the map is empty: write lines \"user : address\"",
		    l->path);
		return EX_CONFIG;
	}
	return status;
}

struct users *
users_load(const char *path, int *status, char *why, size_t size)
{
	struct loading l = { .path = path, .why = why, .why_size = size };

	l.file = fopen(path, "r");
	if (l.file == NULL) {
		snprintf(why, size, "cannot read the map %s: %s", path,
		    strerror(errno));
		*status = EX_NOINPUT;
		return NULL;
	}
	l.users = create();
	*status = l.users != NULL ? load_lines(&l) : no_memory(&l);
	fclose(l.file);
	if (*status == 0)
		return l.users;
	users_release(l.users);
	return NULL;
}

static enum users_result
found(const struct users *users, const struct slot *slot, struct owner *out)
{
	const char *key = users->text + slot->key;
	const char *at = strrchr(key, '@');

	out->user = users->text + slot->user;
	out->domain = at != NULL ? at + 1 : key;
	return USERS_FOUND;
}

/* The domain for <postmaster> on HOST. */
static const char *
home_domain(const struct users *users, const char *host)
{
	char key[KEY_SIZE];

	if (smtpd_ascii_lower(host, key, sizeof(key)) >= 0) {
		const struct slot *slot = look_up(users, key);
		const char *dot = strchr(key, '.');

		if (slot == NULL && dot != NULL)
			slot = look_up(users, dot + 1);
		if (slot != NULL && users->text[slot->key] != ':')
			return users->text + slot->key;
	}
	return users->text + users->home;
}

/* KEY, whose domain begins at DOMAIN, is not in the map as it is: try what
 * else may take it. */
static enum users_result
find_other(
    const struct users *users, char *key, size_t domain, struct owner *out)
{
	const struct slot *ours = look_up(users, key + domain);
	const struct slot *slot;
	size_t local = domain - 1;
	size_t tag = strcspn(key, "+");

	if (ours == NULL)
		return USERS_FOREIGN;
	key[local] = '\0';
	if (strpbrk(key, "%!@") != NULL)
		return USERS_RELAY;
	key[local] = '@';
	if (tag > 0 && tag < local) {
		char base[KEY_SIZE];

		snprintf(
		    base, sizeof(base), "%.*s%s", (int)tag, key, key + local);
		slot = look_up(users, base);
		if (slot != NULL)
			return found(users, slot, out);
	}
	slot = look_up(users, key + local);
	if (slot == NULL && strncmp(key, "postmaster@", domain) == 0)
		slot = ours;
	return slot != NULL ? found(users, slot, out) : USERS_UNKNOWN;
}

enum users_result
users_find(const struct users *users, const struct smtpd_address *address,
    const char *home, struct owner *out)
{
	const char *domain = address->domain;
	const struct slot *slot;
	char key[KEY_SIZE];
	size_t at;

	if (*domain == '\0')
		domain = home_domain(users, home);
	at = make_key(address->local, domain, key);
	if (at == 0)
		return USERS_UNKNOWN;
	/* An empty local part, "" in quotes, is not the catch-all. */
	slot = at > 1 ? look_up(users, key) : NULL;
	if (slot != NULL)
		return found(users, slot, out);
	return find_other(users, key, at, out);
}

bool
users_next(
    const struct users *users, size_t *at, bool by_domain, struct owner *out)
{
	while (*at < users->nslots) {
		const struct slot *slot = &users->slots[(*at)++];
		const char *key = users->text + slot->key;

		if (slot->key == 0)
			continue;
		if (by_domain != (strchr(key, '@') != NULL) ||
		    (!by_domain && *key != ':'))
			continue;
		found(users, slot, out);
		if (!by_domain)
			out->domain = "";
		return true;
	}
	return false;
}

/* Whether mail to postmaster at DOMAIN has a user of its own. */
static bool
has_postmaster(const struct users *users, const char *domain)
{
	char key[KEY_SIZE];
	int n = snprintf(key, sizeof(key), "postmaster@%s", domain);

	if (n < 0 || (size_t)n >= sizeof(key))
		return false;
	return look_up(users, key) != NULL ||
	    look_up(users, strchr(key, '@')) != NULL;
}

bool
users_next_orphan(const struct users *users, size_t *at, struct owner *out)
{
	while (*at < users->nslots) {
		const struct slot *slot = &users->slots[(*at)++];
		const char *key = users->text + slot->key;

		if (slot->key == 0 || *key == ':' || strchr(key, '@') != NULL ||
		    has_postmaster(users, key))
			continue;
		found(users, slot, out);
		return true;
	}
	return false;
}

void
users_current_init(struct users_current *current)
{
	current->users = NULL;
	pthread_mutex_init(&current->guard, NULL);
}

void
users_current_set(struct users_current *current, struct users *users)
{
	struct users *old;

	pthread_mutex_lock(&current->guard);
	old = current->users;
	current->users = users;
	pthread_mutex_unlock(&current->guard);
	users_release(old);
}

struct users *
users_current_get(struct users_current *current)
{
	struct users *users;

	pthread_mutex_lock(&current->guard);
	users = users_hold(current->users);
	pthread_mutex_unlock(&current->guard);
	return users;
}

void
users_current_finish(struct users_current *current)
{
	users_release(current->users);
	pthread_mutex_destroy(&current->guard);
}
