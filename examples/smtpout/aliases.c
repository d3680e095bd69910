/* SPDX-License-Identifier: MIT */
#include "aliases.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include <smtpd/address.h>

#include "alias_lines.h"

/* One alias.  A target is an address with a domain, a local name, or one with
 * a backslash before it, which is no alias. */
struct alias {
	char *key;
	unsigned long line;
	struct text_list targets;
	struct text_list ends; /* where they lead */
	bool open, followed;
};

struct aliases {
	struct alias *list; /* once they are read, by their keys */
	size_t count, cap;
	const char *const *names;

	/* While they are read. */
	const char *path;
	aliases_skip_fn *skip; /* NULL: a mistake is an error */
	void *user;
	int *status;
	char *why;
	size_t why_size;
};

/* What WHY says is wrong: the file, by STATUS, or only what is left out.
 * Return -1, or 0 to go on. */
static int
report_mistake(const struct aliases *a, int status)
{
	if (a->skip == NULL) {
		*a->status = status;
		return -1;
	}
	a->skip(a->user, a->why);
	return 0;
}

static int
report_line(const struct aliases *a, const char *path, unsigned long line,
    const char *what, const char *word)
{
	snprintf(
	    a->why, a->why_size, "%s:%lu: %s: \"%s\"", path, line, what, word);
	return report_mistake(a, EX_CONFIG);
}

static int
report_memory(const struct aliases *a)
{
	snprintf(a->why, a->why_size, "%s: no memory", a->path);
	*a->status = EX_OSERR;
	return -1;
}

static void
say_unread(const struct aliases *a, const char *path)
{
	snprintf(a->why, a->why_size, "cannot read the aliases %s: %s", path,
	    strerror(errno));
}

static int
report_file(const struct aliases *a)
{
	say_unread(a, a->path);
	*a->status = EX_NOINPUT;
	return -1;
}

static int
report_list(const struct aliases *a, const char *path)
{
	say_unread(a, path);
	return report_mistake(a, EX_NOINPUT);
}

static bool
is_local(const struct aliases *a, const char *domain)
{
	for (const char *const *name = a->names; *name != NULL; name++)
		if (strcasecmp(*name, domain) == 0)
			return true;
	return false;
}

/* Write the key of the local name TEXT, without a domain, to KEY.  Return 0, or
 * -1 when it is none. */
static int
make_key(const char *text, char key[SMTPD_ADDRESS_MAX])
{
	char whole[SMTPD_ADDRESS_MAX], buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address address;
	int n = snprintf(whole, sizeof(whole), "%s@localhost", text);

	if (n < 0 || (size_t)n >= sizeof(whole) ||
	    smtpd_address_parse(whole, buf, sizeof(buf), &address) == -1 ||
	    smtpd_address_local_key(address.local, key, SMTPD_ADDRESS_MAX) ==
		-1)
		return -1;
	return 0;
}

/* Whether WORD is a local name, or an address in whose domain it may be; cut
 * that off then. */
static bool
cut_domain(const struct aliases *a, char *word)
{
	char buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address address;
	char *at;

	if (smtpd_address_parse(word, buf, sizeof(buf), &address) == -1)
		return true;
	if (!is_local(a, address.domain))
		return false;
	at = strrchr(word, '@');
	*at = '\0';
	return true;
}

static int read_include(
    struct aliases *a, struct alias *to, const char *path, unsigned long line);

/* Add the target WORD, which stands in LINE of PATH; LISTED: that is the file
 * of an :include:. */
static int
add_target(struct aliases *a, struct alias *to, const char *path,
    unsigned long line, char *word, bool listed)
{
	static const char include[] = ":include:";
	char key[SMTPD_ADDRESS_MAX];
	bool escaped;

	alias_lines_unquote(word);
	if (*word == '|')
		return report_line(a, path, line,
		    "no mail goes to a program: name an address", word);
	if (*word == '/')
		return report_line(a, path, line,
		    "no mail goes to a file: name an address", word);
	if (strncasecmp(word, include, sizeof(include) - 1) == 0) {
		if (listed)
			return report_line(a, path, line,
			    "a list that is included includes no other", word);
		return read_include(a, to, word + sizeof(include) - 1, line);
	}
	escaped = *word == '\\';
	if (cut_domain(a, word + escaped) &&
	    make_key(word + escaped, key) == -1)
		return report_line(a, path, line, "not an address", word);
	if (to->targets.count == ALIASES_TARGETS_MAX)
		return report_line(a, path, line,
		    "the alias has more than 10000 addresses", to->key);
	return text_list_add(&to->targets, word) == 0 ? 0 : report_memory(a);
}

static int
add_targets(struct aliases *a, struct alias *to, const char *path,
    unsigned long line, char *rest, bool listed)
{
	char *word;

	while ((word = alias_lines_next_word(&rest)) != NULL)
		if (add_target(a, to, path, line, word, listed) == -1)
			return -1;
	return 0;
}

/* Add the addresses in the file PATH, which LINE of the aliases names. */
static int
read_include(
    struct aliases *a, struct alias *to, const char *path, unsigned long line)
{
	struct alias_lines lines;
	int status = 0;

	if (*path != '/')
		return report_line(a, a->path, line,
		    "the path of a list begins with \"/\"", path);
	if (alias_lines_open(&lines, path) == -1)
		return report_list(a, path);
	while (status == 0 && alias_lines_next(&lines))
		status =
		    add_targets(a, to, path, lines.number, lines.text, true);
	if (status == 0 && lines.error != 0) {
		errno = lines.error;
		status = report_list(a, path);
	}
	alias_lines_close(&lines);
	return status;
}

static struct alias *
append_alias(struct aliases *a, const char *key, unsigned long line)
{
	struct alias *more;
	size_t cap = a->cap * 2 + 16;

	if (a->count == a->cap) {
		more = realloc(a->list, cap * sizeof(*more));
		if (more == NULL)
			return NULL;
		a->list = more;
		a->cap = cap;
	}
	a->list[a->count] = (struct alias){ .key = strdup(key), .line = line };
	return a->list[a->count].key != NULL ? &a->list[a->count++] : NULL;
}

/* Add what a line says, "name: target, target". */
static int
add_line(struct aliases *a, struct alias_lines *lines)
{
	char key[SMTPD_ADDRESS_MAX], *rest;
	char *name = alias_lines_name(lines->text, &rest);
	struct alias *alias;

	if (name == NULL)
		return report_line(a, a->path, lines->number,
		    "no \":\" behind the name of an alias", lines->text);
	if (!cut_domain(a, name) || make_key(name, key) == -1)
		return report_line(
		    a, a->path, lines->number, "not a local name", name);
	alias = append_alias(a, key, lines->number);
	if (alias == NULL)
		return report_memory(a);
	if (add_targets(a, alias, a->path, lines->number, rest, false) == -1)
		return -1;
	if (alias->targets.count == 0)
		return report_line(a, a->path, lines->number,
		    "nobody gets the mail of the alias", name);
	return 0;
}

static int
compare_aliases(const void *x, const void *y)
{
	const struct alias *a = x, *b = y;
	int order = strcmp(a->key, b->key);

	if (order != 0)
		return order;
	return a->line < b->line ? -1 : 1;
}

static int
compare_key(const void *key, const void *alias)
{
	return strcmp(key, ((const struct alias *)alias)->key);
}

static struct alias *
find_alias(const struct aliases *a, const char *key)
{
	return a->count == 0
	    ? NULL
	    : bsearch(key, a->list, a->count, sizeof(*a->list), compare_key);
}

/* The alias that TARGET of ALIAS leads to; NULL: the mail goes there. */
static struct alias *
next_alias(
    const struct aliases *a, const struct alias *alias, const char *target)
{
	char key[SMTPD_ADDRESS_MAX];
	struct alias *next;

	if (*target == '\\' || make_key(target, key) == -1)
		return NULL;
	next = find_alias(a, key);
	/* "ann: ann, bob@x": who is named by the own alias is no other. */
	return next != alias ? next : NULL;
}

static int follow_alias(struct aliases *a, struct alias *alias, int depth);

/* Add where TARGET of ALIAS leads. */
static int
follow_target(struct aliases *a, struct alias *alias, char *target, int depth)
{
	struct alias *next = next_alias(a, alias, target);
	char *end = target + (*target == '\\');
	const struct text_list one = { .items = &end, .count = 1 };
	const struct text_list *ends = next != NULL ? &next->ends : &one;

	if (next != NULL && next->open)
		return report_line(a, a->path, alias->line,
		    "the alias leads back to itself", target);
	if (depth == ALIASES_DEPTH_MAX)
		return report_line(a, a->path, alias->line,
		    "more than 100 aliases lead here", target);
	if (next != NULL && follow_alias(a, next, depth + 1) == -1)
		return -1;
	if (alias->ends.count + ends->count > ALIASES_TARGETS_MAX)
		return report_line(a, a->path, alias->line,
		    "the alias has more than 10000 addresses", alias->key);
	for (size_t i = 0; i < ends->count; i++)
		if (text_list_add(&alias->ends, ends->items[i]) == -1)
			return report_memory(a);
	return 0;
}

static int
follow_alias(struct aliases *a, struct alias *alias, int depth)
{
	int status = 0;

	if (alias->followed)
		return 0;
	alias->open = true;
	for (size_t i = 0; i < alias->targets.count && status == 0; i++)
		status =
		    follow_target(a, alias, alias->targets.items[i], depth);
	alias->open = false;
	alias->followed = true;
	return status;
}

static void
free_alias(struct alias *alias)
{
	free(alias->key);
	text_list_finish(&alias->targets);
	text_list_finish(&alias->ends);
}

/* Leave out the second of two with the same name. */
static int
drop_repeated(struct aliases *a)
{
	size_t kept = 0;
	int status = 0;

	for (size_t i = 0; i < a->count; i++) {
		if (kept == 0 || status == -1 ||
		    strcmp(a->list[kept - 1].key, a->list[i].key) != 0) {
			a->list[kept++] = a->list[i];
			continue;
		}
		status = report_line(a, a->path, a->list[i].line,
		    "there is such an alias already", a->list[i].key);
		free_alias(&a->list[i]);
	}
	a->count = kept;
	return status;
}

/* What can be known of the aliases once all of them are. */
static int
complete_aliases(struct aliases *a)
{
	int status = 0;

	if (a->count > 0)
		qsort(a->list, a->count, sizeof(*a->list), compare_aliases);
	status = drop_repeated(a);
	for (size_t i = 0; i < a->count && status == 0; i++)
		status = follow_alias(a, &a->list[i], 0);
	return status;
}

static int
read_file(struct aliases *a)
{
	struct alias_lines lines;
	int status = 0;

	if (alias_lines_open(&lines, a->path) == -1)
		return report_file(a);
	while (status == 0 && alias_lines_next(&lines))
		status = add_line(a, &lines);
	if (status == 0 && lines.error != 0) {
		errno = lines.error;
		status = report_file(a);
	}
	alias_lines_close(&lines);
	return status == 0 ? complete_aliases(a) : -1;
}

struct aliases *
aliases_read(const char *path, const char *const *names, aliases_skip_fn *skip,
    void *user, int *status, char *why, size_t size)
{
	struct aliases *a = malloc(sizeof(*a));

	if (a == NULL) {
		snprintf(why, size, "no memory");
		*status = EX_OSERR;
		return NULL;
	}
	*a = (struct aliases){
		.names = names,
		.path = path,
		.skip = skip,
		.user = user,
		.status = status,
		.why = why,
		.why_size = size,
	};
	if (read_file(a) == 0)
		return a;
	aliases_destroy(a);
	return NULL;
}

void
aliases_destroy(struct aliases *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->count; i++)
		free_alias(&a->list[i]);
	free(a->list);
	free(a);
}

const struct text_list *
aliases_find(const struct aliases *a, const char *key)
{
	const struct alias *alias = a != NULL ? find_alias(a, key) : NULL;

	return alias != NULL && alias->ends.count > 0 ? &alias->ends : NULL;
}

size_t
aliases_count(const struct aliases *a)
{
	return a->count;
}
