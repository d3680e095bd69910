/* SPDX-License-Identifier: MIT */
#include "users_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <smtpd/address.h>

/* A file that is being read. */
struct users_file {
	struct users_table *table;
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
	return users_table_key(all ? "" : address.local, address.domain, key);
}

static int
add_address(struct users_file *f, const char *word, uint32_t user)
{
	struct users_table *t = f->table;
	char key[USERS_KEY_SIZE];
	size_t domain = parse_address(word, key);
	struct users_slot *slot;

	if (domain == 0)
		return report_line(f, "not an address", word);
	slot = users_table_add(t, key, user);
	if (slot == NULL)
		return report_memory(f);
	if (slot->user != user)
		return report_line(
		    f, "the address has another user already", word);
	slot = users_table_add(t, key + domain, user);
	if (slot == NULL)
		return report_memory(f);
	if (t->home == 0)
		t->home = slot->key;
	t->addresses++;
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

/* Parse a line "user : address, address ..." into the table. */
static int
add_line(struct users_file *f, char *line)
{
	char key[USERS_NAME_MAX + 2];
	char *colon = strchr(line, ':');
	char *name = line + strspn(line, " \t");
	struct users_slot *slot;
	char *word;
	size_t len;
	int status = 0;

	if (colon == NULL)
		return report_line(f, "no \":\" between user and address", "");
	*colon = '\0';
	len = strcspn(name, " \t");
	if (name[len + strspn(name + len, " \t")] == '\0')
		name[len] = '\0';
	if (!is_user(name))
		return report_line(f,
		    "a user is 1 to 64 letters, digits, \".\", \"_\" or \"-\", "
		    "a letter, digit or \"_\" first",
		    name);
	snprintf(key, sizeof(key), ":%s", name);
	slot = users_table_add(f->table, key, 0);
	if (slot == NULL)
		return report_memory(f);
	slot->user = slot->key + 1;
	line = colon + 1;
	word = next_word(&line);
	if (word == NULL)
		return report_line(f, "no address for the user", name);
	for (uint32_t user = slot->user; word != NULL && status == 0;
	    word = next_word(&line))
		status = add_address(f, word, user);
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
	fclose(f.file);
	return status;
}
