/* SPDX-License-Identifier: MIT */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a sign alone on a line means to a scripted peer. */
static const struct {
	const char *sign;
	const char *command;
} signs[] = {
	{ "D", "data" },
	{ "B", "chunk" },
	{ "L", "last" },
	{ "G", "hold" },
	{ "Q", "half" },
	{ "Z", "reset" },
	{ "N", "next" },
};

struct reader {
	struct call_script *script;
	int number; /* of the present line */
	size_t host;
};

static _Noreturn void
refuse_line(const struct reader *r, const char *text)
{
	fprintf(stderr, "%s:%d: cannot be understood: %s\n", r->script->path,
	    r->number, text);
	exit(1);
}

/* Append a line to the script of the present host. */
static void
add_command(struct reader *r, const char *command, const char *text)
{
	char *script = r->script->hosts[r->host];
	size_t len = strlen(script);
	size_t room = sizeof(r->script->hosts[0]) - len;

	if ((size_t)snprintf(script + len, room, "%s%s\n", command, text) >=
	    room)
		refuse_line(r, "the script is too long");
}

static void
add_line(struct reader *r, struct call_lines *lines, const char *text)
{
	struct call_line *line = &lines->at[lines->count];
	size_t len = strcspn(text, " ");

	if (lines->count == CALL_LINES || len == 0 ||
	    len >= sizeof(line->word) || strlen(text) >= sizeof(line->rest))
		refuse_line(r, text);
	line->number = r->number;
	snprintf(line->word, sizeof(line->word), "%.*s", (int)len, text);
	snprintf(line->rest, sizeof(line->rest), "%s",
	    text + len + (text[len] == ' '));
	lines->count++;
}

/* "@ N" and "@ N down": the host that what follows belongs to. */
static void
read_host(struct reader *r, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (n < 1 || n > CALL_HOSTS ||
	    (*end != '\0' && strcmp(end, " down") != 0))
		refuse_line(r, text);
	r->host = n - 1;
	r->script->down[r->host] = *end != '\0';
}

/* "C: text": exactly that, or "C: te*": a line that begins so. */
static void
read_client(struct reader *r, char *text)
{
	size_t len = strlen(text);
	bool begins = len > 0 && text[len - 1] == '*';

	if (begins)
		text[len - 1] = '\0';
	add_command(r, begins ? "> " : "! ", text);
}

static void
read_sign(struct reader *r, const char *text)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strcmp(text, signs[i].sign) == 0) {
			add_command(r, signs[i].command, "");
			return;
		}
	refuse_line(r, text);
}

static void
read_line(struct reader *r, char *text)
{
	unsigned times;
	int skip = 0;

	if (text[0] == '\0' || text[0] == '#')
		return;
	if (strncmp(text, "= ", 2) == 0)
		add_line(r, &r->script->settings, text + 2);
	else if (strncmp(text, "R: ", 3) == 0)
		add_line(r, &r->script->results, text + 3);
	else if (strncmp(text, "@ ", 2) == 0)
		read_host(r, text + 2);
	else if (strncmp(text, "C: ", 3) == 0)
		read_client(r, text + 3);
	else if (strncmp(text, "S: ", 3) == 0)
		add_command(r, "< ", text + 3);
	else if (strncmp(text, "s: ", 3) == 0)
		add_command(r, "~ ", text + 3);
	else if (strncmp(text, "W ", 2) == 0)
		add_command(r, "sleep ", text + 2);
	else if (sscanf(text, "S %u: %n", &times, &skip) == 1 && skip > 0) {
		char command[32];

		snprintf(command, sizeof(command), "* %u ", times);
		add_command(r, command, text + skip);
	} else
		read_sign(r, text);
}

void
call_script_read(struct call_script *s, const char *path)
{
	FILE *file = fopen(path, "r");
	struct reader r = { .script = s };
	char *text = NULL;
	size_t room = 0;

	*s = (struct call_script){ .path = path };
	if (file == NULL)
		refuse_line(&r, "cannot be opened");
	while (getline(&text, &room, file) >= 0) {
		r.number++;
		text[strcspn(text, "\n")] = '\0';
		read_line(&r, text);
	}
	free(text);
	fclose(file);
}

const char *
call_script_setting(const struct call_script *s, const char *name)
{
	for (size_t i = 0; i < s->settings.count; i++)
		if (strcmp(s->settings.at[i].word, name) == 0)
			return s->settings.at[i].rest;
	return NULL;
}

unsigned long
call_script_number(const struct call_script *s, const char *name)
{
	const char *text = call_script_setting(s, name);

	return text != NULL ? strtoul(text, NULL, 10) : 0;
}
