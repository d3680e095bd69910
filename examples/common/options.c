/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <smtpd/version.h>

#include "blanks.h"
#include "complain.h"

/* The values that getopt_long() returns: a letter, one of these, or RULE +
 * index. */
enum {
	CONFIG = 256,
	HELP,
	VERSION,
	RULE,
};

#define LINE_SIZE 4096

/* Note that one place, the command line or a file, gives option I, of RULE,
 * beside those GIVEN.  Return whether it may: lists add up, and a switch is
 * on. */
static bool
note_given(bool *given, size_t i, const struct option_rule *rule)
{
	bool again = given[i];

	given[i] = true;
	return !again || rule->kind == OPTION_LIST ||
	    rule->kind == OPTION_SWITCH || rule->kind == OPTION_REFUSED;
}

/* Split a line, "name value" or "name = value", at its name; return the
 * value, "" for none. */
static char *
split_line(char *line)
{
	char *value = line + strcspn(line, " \t=");
	char *end = value;

	value += strspn(value, " \t");
	if (*value == '=')
		value++;
	value += strspn(value, " \t");
	*end = '\0';
	return value;
}

/* Cut a comment off: "#" behind white space. */
static void
cut_comment(char *line)
{
	char *hash = line;

	while ((hash = strchr(hash, '#')) != NULL) {
		if (hash == line || hash[-1] == ' ' || hash[-1] == '\t') {
			*hash = '\0';
			return;
		}
		hash++;
	}
}

/* Obey one line of a file.  Return 0, or a status with the reason in WHY. */
static int
read_line(const struct option_table *table, void *settings, bool *given,
    char *line, char *why, size_t size)
{
	struct option_rule rule;
	size_t found;
	char *value;
	int status;

	if (strncmp(line, "--", 2) == 0)
		line += 2;
	value = split_line(line);
	found = option_table_find(table, line);
	if (found == table->count) {
		snprintf(why, size, "there is no option \"%s\"", line);
		return EX_CONFIG;
	}
	rule = option_table_rule(table, found);
	if ((rule.argument == NULL) != (*value == '\0')) {
		snprintf(why, size, "\"%s\" takes %s", line,
		    rule.argument == NULL ? "no value" : "a value");
		return EX_CONFIG;
	}
	if (!note_given(given, found, &rule)) {
		snprintf(why, size, "\"%s\" is given twice", line);
		return EX_CONFIG;
	}
	status = option_table_set(&rule, settings, value);
	if (status == EX_USAGE) {
		option_table_explain(&rule, value, why, size);
		return EX_CONFIG;
	}
	snprintf(why, size, "no memory");
	return status;
}

static int
read_lines(const struct option_table *table, void *settings, const char *path,
    FILE *file)
{
	char line[LINE_SIZE], why[512];
	bool given[OPTIONS_MAX] = { false };
	int status = 0;

	for (unsigned n = 1; status == 0; n++) {
		size_t len;
		char *text;

		if (fgets(line, sizeof(line), file) == NULL)
			break;
		len = strlen(line);
		if (len + 1 == sizeof(line) && line[len - 1] != '\n')
			return complain(table->program, EX_CONFIG,
			    "%s:%u: the line is too long", path, n);
		cut_comment(line);
		text = blanks_trim(line);
		if (*text == '\0')
			continue;
		status =
		    read_line(table, settings, given, text, why, sizeof(why));
		if (status != 0)
			complain(
			    table->program, status, "%s:%u: %s", path, n, why);
	}
	return status;
}

/* A file may be missing where "-" stands before PATH. */
static int
read_file(const struct option_table *table, void *settings, const char *path)
{
	bool optional = *path == '-';
	FILE *file;
	int status;

	path += optional;
	file = fopen(path, "r");
	if (file == NULL && optional && errno == ENOENT)
		return 0;
	if (file == NULL)
		return complain(table->program, EX_NOINPUT,
		    "cannot read the configuration %s: %s", path,
		    strerror(errno));
	status = read_lines(table, settings, path, file);
	if (status == 0 && ferror(file))
		status = complain(table->program, EX_NOINPUT,
		    "cannot read the configuration %s", path);
	fclose(file);
	return status;
}

/* The arguments of getopt_long(), made from a table. */
struct getopt_table {
	char letters[2 * OPTIONS_MAX + 2];
	struct option longs[OPTIONS_MAX + 4];
};

static void
make_getopt_table(const struct option_table *table, struct getopt_table *out)
{
	static const struct option always[] = {
		{ "config", required_argument, NULL, CONFIG },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
	};
	char *letter = out->letters;
	size_t n = 0;

	memset(out, 0, sizeof(*out));
	*letter++ = ':';
	for (size_t i = 0; i < table->count && i < OPTIONS_MAX; i++) {
		struct option_rule rule = option_table_rule(table, i);
		int has = rule.argument ? required_argument : no_argument;

		out->longs[n++] =
		    (struct option){ rule.name, has, NULL, RULE + (int)i };
		if (rule.letter == 0)
			continue;
		*letter++ = rule.letter;
		if (has == required_argument)
			*letter++ = ':';
	}
	memcpy(&out->longs[n], always, sizeof(always));
}

/* The index of the rule that getopt_long() means by C. */
static size_t
rule_index(const struct option_table *table, int c)
{
	size_t i = 0;

	if (c >= RULE)
		return (size_t)(c - RULE);
	while (option_table_rule(table, i).letter != c)
		i++;
	return i;
}

/* Complain of the argument that getopt_long() did not understand. */
static int
complain_syntax(const struct option_table *table, int c, char **argv)
{
	const char *word = argv[optind - 1];
	char letter[3] = { '-', (char)optopt, '\0' };
	const char *what = "there is no option";

	if (optopt > 0 && optopt < CONFIG)
		word = letter;
	if (c == ':')
		what = "a value is missing after";
	else if (optopt >= CONFIG)
		what = "no value is taken in";
	return complain(table->program, EX_USAGE, "%s %s; see %s --help", what,
	    word, table->program);
}

static int
print_help(const struct option_table *table, const void *settings)
{
	char text[8192];

	option_table_help(table, settings, text, sizeof(text));
	fputs(text, stdout);
	return EX_OK;
}

static int
complain_twice(const struct option_table *table, const char *name)
{
	return complain(table->program, EX_USAGE, "--%s is given twice", name);
}

static int
read_option(
    const struct option_table *table, void *settings, bool *given, int c)
{
	size_t i = rule_index(table, c);
	struct option_rule rule = option_table_rule(table, i);
	char why[512];
	int status;

	if (!note_given(given, i, &rule))
		return complain_twice(table, rule.name);
	status = option_table_set(&rule, settings, optarg);
	if (status == 0)
		return OPTIONS_GO;
	if (status != EX_USAGE)
		return complain(table->program, status, "no memory");
	option_table_explain(
	    &rule, optarg != NULL ? optarg : "", why, sizeof(why));
	return complain(table->program, status, "%s", why);
}

/* Go through the command line: for the files and --help, or for the rest. */
static int
read_arguments(const struct option_table *table, void *settings, int argc,
    char **argv, bool files)
{
	bool given[OPTIONS_MAX] = { false };
	bool configured = false;
	struct getopt_table opts;
	int status = OPTIONS_GO;
	int c;

	make_getopt_table(table, &opts);
	opterr = 0;
	/* 0, not 1: it forgets an earlier scan. */
	optind = 0;
	while (status == OPTIONS_GO &&
	    (c = getopt_long(argc, argv, opts.letters, opts.longs, NULL)) !=
		-1) {
		if (c == '?' || c == ':')
			return complain_syntax(table, c, argv);
		if (c == HELP)
			return print_help(table, settings);
		if (c == VERSION) {
			printf("%s %s\n", table->program, smtpd_version());
			return EX_OK;
		}
		if (files && c == CONFIG) {
			int failed = configured
			    ? complain_twice(table, "config")
			    : read_file(table, settings, optarg);

			configured = true;
			status = failed == 0 ? OPTIONS_GO : failed;
		} else if (!files && c != CONFIG) {
			status = read_option(table, settings, given, c);
		}
	}
	return status;
}

int
options_read(
    const struct option_table *table, int argc, char **argv, void *settings)
{
	int status = read_arguments(table, settings, argc, argv, true);

	if (status == OPTIONS_GO)
		status = read_arguments(table, settings, argc, argv, false);
	if (status != OPTIONS_GO || optind >= argc)
		return status;
	return complain(table->program, EX_USAGE,
	    "\"%s\" is not an option; see %s --help", argv[optind],
	    table->program);
}
