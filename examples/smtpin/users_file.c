/* SPDX-License-Identifier: MIT */
#include "users_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <smtpd/address.h>

#include "option_table.h"
#include "users_alias.h"

static const char name_rule[] =
    "a user is 1 to 64 letters, digits, \".\", \"_\" or \"-\", a letter, "
    "digit or \"_\" first";

/* A file that is being read. */
struct users_file {
	struct users_table *table;
	struct users_aliases aliases;
	const char *path;
	FILE *file;
	unsigned long line;
	char *why;
	size_t why_size;
};

/* Write the fault of the present line to f->why. */
static int
report_line(struct users_file *f, const char *what, const char *word)
{
	snprintf(f->why, f->why_size, "%s:%lu: %s%s%s%s", f->path, f->line,
	    what, *word != '\0' ? ": \"" : "", word, *word != '\0' ? "\"" : "");
	return EX_CONFIG;
}

static int
report_memory(struct users_file *f)
{
	snprintf(f->why, f->why_size, "%s: no memory", f->path);
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

/* Write the key of WORD, local@domain or @domain, to KEY; return where its
 * domain begins, or 0 when it is not an address. */
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
	return address_key(all ? "" : address.local, address.domain, key);
}

/* Add the domain of an address, whose USER, or 0, is its first one. */
static int
add_domain(struct users_file *f, const char *domain, uint32_t user)
{
	struct users_table *t = f->table;
	struct users_slot *slot = users_table_add(t, domain, user);

	if (slot == NULL)
		return report_memory(f);
	if (slot->user == 0)
		slot->user = user;
	if (t->home == 0)
		t->home = slot->key;
	return 0;
}

static int
add_address(struct users_file *f, const char *word, uint32_t user)
{
	struct users_table *t = f->table;
	char key[ADDRESS_KEY_SIZE];
	size_t domain = parse_address(word, key);
	struct users_slot *slot;

	if (domain == 0)
		return report_line(f, "not an address", word);
	slot = users_table_add(t, key, user);
	if (slot == NULL)
		return report_memory(f);
	if (slot->user != user)
		return report_line(f,
		    "the address has another user already; for several write "
		    "\"address -> user, user\"",
		    word);
	t->users[user].reached = true;
	t->addresses++;
	return add_domain(f, key + domain, user);
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

/* Parse WORDS, what a line has between a user's name and the colon: its quota,
 * which is set in *OUT. */
static int
parse_quota(struct users_file *f, char *words, uint64_t *out)
{
	static const struct option_rule rule = {
		.kind = OPTION_NUMBER,
		.argument = "BYTES",
		.max = UINT64_C(1) << 62,
	};
	static const char begin[] = "quota=";
	char *word, *value, *rest = words;

	*out = USERS_QUOTA_OPEN;
	while ((word = strtok_r(rest, " \t", &rest)) != NULL) {
		if (strncmp(word, begin, sizeof(begin) - 1) != 0)
			return report_line(f,
			    "unknown word after the user, where only "
			    "\"quota=SIZE\" may be",
			    word);
		if (*out != USERS_QUOTA_OPEN)
			return report_line(
			    f, "the user has a quota already", word);
		value = word + sizeof(begin) - 1;
		if (option_table_set(&rule, out, value) != 0)
			return report_line(f,
			    "a quota is a number of bytes, or one with K, M "
			    "or G",
			    value);
	}
	return 0;
}

/* Keep QUOTA, that of USER in this line, if it has one. */
static int
set_quota(struct users_file *f, struct users_user *user, uint64_t quota)
{
	if (quota == USERS_QUOTA_OPEN)
		return 0;
	if (user->quota != USERS_QUOTA_OPEN && user->quota != quota)
		return report_line(f, "the user has another quota already",
		    f->table->text + user->name);
	user->quota = quota;
	return 0;
}

/* Parse a line "user : address, address ..." into the table. */
static int
add_user(struct users_file *f, char *line)
{
	char *colon = strchr(line, ':');
	char *name = line + strspn(line, " \t");
	char *words, *word;
	uint64_t quota;
	uint32_t user;
	int status;

	if (colon == NULL)
		return report_line(f, "no \":\" between user and address", "");
	*colon = '\0';
	words = name + strcspn(name, " \t");
	if (*words != '\0')
		*words++ = '\0';
	if (strchr(name, '@') != NULL)
		return report_line(f,
		    "an address before \":\"; for an alias write "
		    "\"address -> user, user\"",
		    name);
	if (!is_user(name))
		return report_line(f, name_rule, name);
	status = parse_quota(f, words, &quota);
	if (status != 0)
		return status;
	user = users_table_user(f->table, name, f->line);
	if (user == 0)
		return report_memory(f);
	status = set_quota(f, &f->table->users[user], quota);
	line = colon + 1;
	while (status == 0 && (word = next_word(&line)) != NULL)
		status = add_address(f, word, user);
	return status;
}

/* Add what an alias leads to. */
static int
add_target(struct users_file *f, const char *word)
{
	char key[ADDRESS_KEY_SIZE];

	if (*word == '@')
		return report_line(
		    f, "an alias leads to no whole domain", word);
	if (strchr(word, '@') == NULL) {
		if (!is_user(word))
			return report_line(f, name_rule, word);
		snprintf(key, sizeof(key), ":%s", word);
	} else if (parse_address(word, key) == 0) {
		return report_line(f, "not an address", word);
	}
	return users_aliases_target(&f->aliases, f->table, key) == 0
	    ? 0
	    : report_memory(f);
}

/* Parse a line "address -> target, target ...", whose arrow is at ARROW. */
static int
add_alias(struct users_file *f, char *line, char *arrow)
{
	char key[ADDRESS_KEY_SIZE];
	struct users_slot *slot;
	size_t domain;
	char *word;
	int status;

	*arrow = '\0';
	word = next_word(&line);
	if (word == NULL)
		return report_line(f, "no address before \"->\"", "");
	domain = parse_address(word, key);
	if (domain == 0)
		return report_line(f, "not an address", word);
	slot = users_table_add(f->table, key, 0);
	if (slot == NULL)
		return report_memory(f);
	if (slot->user != 0)
		return report_line(
		    f, "the address has another user already", word);
	if (slot->member == 0)
		f->table->addresses++;
	if (users_aliases_add(&f->aliases, slot, f->line) == -1)
		return report_memory(f);
	word = next_word(&line);
	if (word != NULL)
		return report_line(f, "a second address before \"->\"", word);
	status = add_domain(f, key + domain, 0);
	line = arrow + 2;
	word = next_word(&line);
	if (word == NULL)
		return report_line(f, "nobody behind \"->\"", key);
	for (; word != NULL && status == 0; word = next_word(&line))
		status = add_target(f, word);
	return status;
}

/* The "->" of LINE, outside of quotes and before a comment; NULL: there is
 * none. */
static char *
find_arrow(char *line)
{
	bool quoted = false;

	for (char *p = line; *p != '\0'; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		else if (!quoted && *p == '#' && p > line &&
		    strchr(" \t,", p[-1]) != NULL)
			return NULL;
		else if (!quoted && p[0] == '-' && p[1] == '>')
			return p;
	}
	return NULL;
}

static int
add_line(struct users_file *f, char *line)
{
	char *arrow = find_arrow(line);

	return arrow != NULL ? add_alias(f, line, arrow) : add_user(f, line);
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

/* What can be known of the map when all its lines are. */
static int
complete_map(struct users_file *f)
{
	struct users_table *t = f->table;
	struct users_mistake mistake;
	int status = users_aliases_follow(&f->aliases, t, &mistake);

	if (status == EX_OSERR)
		return report_memory(f);
	if (status != 0) {
		f->line = mistake.line;
		return report_line(f, mistake.what, mistake.word);
	}
	for (size_t i = 1; i < t->nusers; i++)
		if (!t->users[i].reached) {
			f->line = t->users[i].line;
			return report_line(f, "no address for the user",
			    t->text + t->users[i].name);
		}
	return 0;
}

static int
read_lines(struct users_file *f)
{
	char line[USERS_LINE_MAX + 1];
	const char *what = "";
	int more, status = 0;

	while (status == 0 && (more = read_line(f->file, line, &what)) != 0) {
		size_t blank = strspn(line, " \t\r");

		f->line++;
		if (more == -1)
			return report_line(f, what, "");
		if (line[blank] != '\0' && line[blank] != '#')
			status = add_line(f, line);
	}
	if (ferror(f->file)) {
		snprintf(f->why, f->why_size, "cannot read %s: %s", f->path,
		    strerror(errno));
		return EX_NOINPUT;
	}
	if (status == 0)
		status = complete_map(f);
	if (status == 0 && f->table->addresses == 0) {
		snprintf(f->why, f->why_size,
		    "%s: the map is empty: write lines \"user : address\"",
		    f->path);
		return EX_CONFIG;
	}
	return status;
}

int
users_file_read(
    const char *path, struct users_table *table, char *why, size_t size)
{
	struct users_file f = {
		.table = table,
		.path = path,
		.why = why,
		.why_size = size,
	};
	int status;

	f.file = fopen(path, "r");
	if (f.file == NULL) {
		snprintf(why, size, "cannot read the map %s: %s", path,
		    strerror(errno));
		return EX_NOINPUT;
	}
	status = read_lines(&f);
	users_aliases_finish(&f.aliases);
	fclose(f.file);
	return status;
}
