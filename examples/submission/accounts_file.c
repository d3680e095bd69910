/* SPDX-License-Identifier: MIT */
/* explicit_bzero(). */
#define _DEFAULT_SOURCE
#include "accounts_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <smtpd/address.h>
#include <smtpd/auth.h>

#define BLANKS " \t\r\n"

/* A file that is being read. */
struct source {
	const char *path;
	unsigned long line;
	bool only_scram;
	struct account_list *list;
	char *why;
	size_t size;
};

/* Report the fault WHAT of the present line, at WORD if that is not "". */
static int
report_line(const struct source *in, const char *what, const char *word)
{
	snprintf(in->why, in->size, "%s:%lu: %s%s%s%s", in->path, in->line,
	    what, *word != '\0' ? ": \"" : "", word, *word != '\0' ? "\"" : "");
	return EX_CONFIG;
}

static int
report_memory(const struct source *in)
{
	snprintf(in->why, in->size, "%s: no memory", in->path);
	return EX_OSERR;
}

int
accounts_file_compare_user(const void *user, const void *account)
{
	return strcmp(user, ((const struct account *)account)->user);
}

static int
compare_accounts(const void *a, const void *b)
{
	return accounts_file_compare_user(((const struct account *)a)->user, b);
}

/* Read KEY, whose text no complaint shows. */
static int
check_key(const struct source *in, const char *key)
{
	struct smtpd_scram_key scram = { SMTPD_SCRAM_KEY_INIT };
	bool is_scram = smtpd_scram_key_parse(key, &scram) == 0;

	explicit_bzero(&scram, sizeof(scram));
	if (is_scram)
		return 0;
	if (strchr(key, '@') != NULL)
		return report_line(in,
		    "the key is missing before the address: \"submission key\" "
		    "makes one",
		    key);
	if (*key != '$' || strlen(key) >= ACCOUNTS_KEY_SIZE)
		return report_line(in,
		    "the second word is no key: \"submission key\" makes one",
		    "");
	if (in->only_scram)
		return report_line(in,
		    "a hash of crypt(3) is of no use to SCRAM: make a key by "
		    "\"submission key\", or start with --no-scram",
		    "");
	return 0;
}

/* Append WORD, local@domain or @domain, to the addresses of A. */
static int
add_address(const struct source *in, struct account *a, const char *word)
{
	char text[SMTPD_ADDRESS_MAX], buf[SMTPD_ADDRESS_MAX];
	char key[ADDRESS_KEY_SIZE];
	struct smtpd_address address;
	bool all = *word == '@';
	int n = snprintf(text, sizeof(text), "%s%s", all ? "x" : "", word);

	if (n < 0 || (size_t)n >= sizeof(text) ||
	    smtpd_address_parse(text, buf, sizeof(buf), &address) == -1 ||
	    *address.local == '\0' ||
	    address_key(all ? "" : address.local, address.domain, key) == 0)
		return report_line(in, "not an address", word);
	return text_list_add(&a->addresses, key) == 0 ? 0 : report_memory(in);
}

/* Add an account from LINE, "user key address...", or "address key". */
static int
add_account(struct source *in, char *line)
{
	struct account_list *list = in->list;
	size_t size = (list->count + 1) * sizeof(*list->items);
	struct account *items = realloc(list->items, size), *a;
	char *rest, *user = strtok_r(line, BLANKS, &rest);
	char *key = strtok_r(NULL, BLANKS, &rest), *word;
	int status;

	if (items == NULL)
		return report_memory(in);
	list->items = items;
	if (key == NULL)
		return report_line(in, "there is no key for the user", user);
	a = &items[list->count++];
	*a = (struct account){ .user = strdup(user), .key = strdup(key) };
	if (a->user == NULL || a->key == NULL)
		return report_memory(in);
	status = check_key(in, key);
	if (status != 0)
		return status;
	word = strtok_r(NULL, BLANKS ",", &rest);
	if (word == NULL || *word == '#')
		return strchr(user, '@') != NULL
		    ? add_address(in, a, user)
		    : report_line(in, "no address for the user", user);
	for (; word != NULL && *word != '#' && status == 0;
	    word = strtok_r(NULL, BLANKS ",", &rest))
		status = add_address(in, a, word);
	return status;
}

static int
read_lines(struct source *in, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	int status = 0;
	ssize_t len;

	while (status == 0 && (len = getline(&line, &room, file)) != -1) {
		const char *first = line + strspn(line, BLANKS);

		in->line++;
		if (strlen(line) != (size_t)len)
			status = report_line(in, "a NUL byte", "");
		else if (*first != '\0' && *first != '#')
			status = add_account(in, line);
	}
	if (line != NULL)
		explicit_bzero(line, room);
	free(line);
	if (status != 0 || !ferror(file))
		return status;
	snprintf(
	    in->why, in->size, "cannot read %s: %s", in->path, strerror(errno));
	return EX_NOINPUT;
}

/* Sort the accounts; each user has one. */
static int
sort_accounts(const struct source *in)
{
	struct account_list *list = in->list;

	if (list->count == 0) {
		snprintf(in->why, in->size,
		    "%s: there is no account: write lines \"user key "
		    "address...\"",
		    in->path);
		return EX_CONFIG;
	}
	qsort(list->items, list->count, sizeof(*list->items), compare_accounts);
	for (size_t i = 1; i < list->count; i++) {
		const char *user = list->items[i].user;

		if (strcmp(list->items[i - 1].user, user) != 0)
			continue;
		snprintf(in->why, in->size, "%s: user \"%s\" has two lines",
		    in->path, user);
		return EX_CONFIG;
	}
	return 0;
}

int
accounts_file_read(const char *path, bool only_scram, struct account_list *list,
    char *why, size_t size)
{
	struct source in = { .path = path,
		.only_scram = only_scram,
		.list = list,
		.why = why,
		.size = size };
	FILE *file = fopen(path, "re");
	int status;

	if (file == NULL) {
		snprintf(why, size, "cannot read the accounts %s: %s", path,
		    strerror(errno));
		return EX_NOINPUT;
	}
	status = read_lines(&in, file);
	fclose(file);
	return status == 0 ? sort_accounts(&in) : status;
}

void
accounts_file_finish(struct account_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].user);
		free(list->items[i].key);
		text_list_finish(&list->items[i].addresses);
	}
	free(list->items);
	*list = (struct account_list){ .count = 0 };
}
