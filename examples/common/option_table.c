/* SPDX-License-Identifier: MIT */
#include "option_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "hostname.h"
#include "log.h"
#include "text_list.h"

/* Keep TEXT in *SLOT instead of what it held. */
static int
set_text(char **slot, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return EX_OSERR;
	free(*slot);
	*slot = copy;
	return 0;
}

/* The letters that may stand behind a number of RULE, as a sentence has them;
 * "": none. */
static const char *
unit_letters(const struct option_rule *rule)
{
	if (rule->argument == NULL)
		return "";
	if (strcmp(rule->argument, "BYTES") == 0)
		return ", nor one with K, M or G";
	if (strcmp(rule->argument, "SECONDS") == 0)
		return ", nor one with s, m, h or d";
	return "";
}

/* The unit that LETTER stands for behind a number of RULE; 0: none. */
static uint64_t
find_unit(const struct option_rule *rule, char letter)
{
	static const struct {
		const char *argument;
		char letter;
		uint64_t unit;
	} units[] = {
		{ "BYTES", 'K', 1024 },
		{ "BYTES", 'M', 1048576 },
		{ "BYTES", 'G', 1073741824 },
		{ "SECONDS", 's', 1 },
		{ "SECONDS", 'm', 60 },
		{ "SECONDS", 'h', 3600 },
		{ "SECONDS", 'd', 86400 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (rule->argument != NULL && units[i].letter == letter &&
		    strcmp(rule->argument, units[i].argument) == 0)
			return units[i].unit;
	return 0;
}

static int
set_host(char **slot, const char *text)
{
	char name[HOSTNAME_SIZE];
	size_t len = strlen(text);

	/* A last dot, as the DNS has it, means nothing here. */
	if (len > 1 && text[len - 1] == '.')
		len--;
	if (len >= sizeof(name))
		return EX_USAGE;
	memcpy(name, text, len);
	name[len] = '\0';
	return hostname_is_valid(name) ? set_text(slot, name) : EX_USAGE;
}

static int
set_number(const struct option_rule *rule, uint64_t *slot, const char *text)
{
	uint64_t n, unit;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	unit = find_unit(rule, *end);
	if (unit > 0) {
		if (n > UINT64_MAX / unit)
			return EX_USAGE;
		n *= unit;
		end++;
	}
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
	    n < rule->min || n > rule->max)
		return EX_USAGE;
	*slot = n;
	return 0;
}

int
option_table_set(
    const struct option_rule *rule, void *settings, const char *text)
{
	void *slot = (char *)settings + rule->offset;

	switch (rule->kind) {
	case OPTION_SWITCH:
		*(bool *)slot = true;
		return 0;
	case OPTION_TEXT:
		return set_text(slot, text);
	case OPTION_HOST:
		return set_host(slot, text);
	case OPTION_LIST:
		return text_list_add(slot, text) == 0 ? 0 : EX_OSERR;
	case OPTION_NUMBER:
		return set_number(rule, slot, text);
	case OPTION_LEVEL:
		return log_level_parse(text, slot) == 0 ? 0 : EX_USAGE;
	case OPTION_REFUSED:
	case OPTION_SHARED:
		break;
	}
	return EX_USAGE;
}

void
option_table_explain(
    const struct option_rule *rule, const char *text, char *buf, size_t size)
{
	if (rule->kind == OPTION_REFUSED)
		snprintf(buf, size, "--%s: %s", rule->name, rule->help);
	else if (rule->kind == OPTION_HOST)
		snprintf(buf, size, "--%s: \"%s\" is not the name of a host",
		    rule->name, text);
	else if (rule->kind == OPTION_LEVEL)
		snprintf(buf, size,
		    "--%s: \"%s\" is not a level; give error, warning, info, "
		    "debug, trace or 0 to 255",
		    rule->name, text);
	else
		snprintf(buf, size,
		    "--%s: \"%s\" is not a number from %llu to %llu%s",
		    rule->name, text, (unsigned long long)rule->min,
		    (unsigned long long)rule->max, unit_letters(rule));
}

size_t
option_table_find(const struct option_table *table, const char *name)
{
	size_t i = 0;

	while (i < table->count && strcmp(table->rules[i].name, name) != 0)
		i++;
	return i;
}

struct option_rule
option_table_rule(const struct option_table *table, size_t i)
{
	struct option_rule rule = table->rules[i];
	const char *help = rule.help;

	if (rule.kind != OPTION_SHARED)
		return rule;
	rule =
	    table->shared->rules[option_table_find(table->shared, rule.name)];
	rule.offset += table->shared_offset;
	if (help != NULL)
		rule.help = help;
	return rule;
}

void
option_table_finish(const struct option_table *table, void *settings)
{
	for (size_t i = 0; i < table->count; i++) {
		struct option_rule rule = option_table_rule(table, i);
		void *slot = (char *)settings + rule.offset;

		if (rule.kind == OPTION_TEXT || rule.kind == OPTION_HOST) {
			free(*(char **)slot);
			*(char **)slot = NULL;
		} else if (rule.kind == OPTION_LIST) {
			text_list_finish(slot);
		}
	}
}

/* Append one line of the help at *AT of *LEFT bytes. */
static void
add_line(char **at, size_t *left, char letter, const char *name,
    const char *argument, const char *help)
{
	char flags[64], dash[8] = "    ";
	int n;

	if (letter != 0)
		snprintf(dash, sizeof(dash), "-%c, ", letter);
	snprintf(flags, sizeof(flags), "%s--%s%s%s", dash, name,
	    argument != NULL ? " " : "", argument != NULL ? argument : "");
	n = snprintf(*at, *left, " %-28s %s\n", flags, help);
	if (n < 0 || (size_t)n >= *left)
		n = (int)*left - 1;
	*at += n;
	*left -= (size_t)n;
}

/* Append the line of RULE, with the value in SETTINGS for "@". */
static void
add_rule(char **at, size_t *left, const struct option_rule *rule,
    const void *settings)
{
	const void *slot = (const char *)settings + rule->offset;
	const char *mark = strchr(rule->help, '@');
	char help[128];

	if (rule->kind != OPTION_NUMBER || mark == NULL)
		snprintf(help, sizeof(help), "%s", rule->help);
	else
		snprintf(help, sizeof(help), "%.*s%llu%s",
		    (int)(mark - rule->help), rule->help,
		    (unsigned long long)*(const uint64_t *)slot, mark + 1);
	add_line(at, left, rule->letter, rule->name, rule->argument, help);
}

void
option_table_help(const struct option_table *table, const void *settings,
    char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s", table->usage);
	char *at = buf;

	if (n < 0 || (size_t)n >= size)
		return;
	at += n;
	size -= (size_t)n;
	for (size_t i = 0; i < table->count; i++) {
		struct option_rule rule = option_table_rule(table, i);

		if (rule.kind != OPTION_REFUSED)
			add_rule(&at, &size, &rule, settings);
	}
	add_line(&at, &size, 0, "config", "FILE",
	    "options, one a line, from FILE (-FILE: if any)");
	add_line(&at, &size, 0, "help", NULL, "print this and exit");
	add_line(&at, &size, 0, "version", NULL, "print the version and exit");
}
