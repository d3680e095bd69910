/* SPDX-License-Identifier: MIT */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between { and }. */
#define BLOCK_SIZE 8192

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
	{ "K", "narrow" },
	{ "X", "cancel" },
};

struct reader {
	struct call_script *script;
	int number; /* of the present line */
	size_t host;

	/* Lines that are read once for each number. */
	bool in_block;
	unsigned from, to;
	char block[BLOCK_SIZE];
};

static _Noreturn void
refuse_line(const struct reader *r, const char *text)
{
	fprintf(stderr, "%s:%d: cannot be understood: %s\n", r->script->path,
	    r->number, text);
	exit(1);
}

/* Append a line to OUT of SIZE bytes. */
static void
append_line(const struct reader *r, char *out, size_t size, const char *command,
    const char *text)
{
	size_t len = strlen(out);

	if ((size_t)snprintf(out + len, size - len, "%s%s\n", command, text) >=
	    size - len)
		refuse_line(r, "there is too much of it");
}

/* Append a line to the script of the present host. */
static void
add_command(struct reader *r, const char *command, const char *text)
{
	struct call_host *host = &r->script->hosts[r->host];

	append_line(r, host->script, sizeof(host->script), command, text);
}

static struct call_line *
add_line(struct reader *r, struct call_lines *lines, const char *text)
{
	struct call_line *line = &lines->at[lines->count];
	size_t len = strcspn(text, " ");

	if (lines->count == CALL_LINES || len == 0 ||
	    len >= sizeof(line->word) || strlen(text) >= sizeof(line->rest))
		refuse_line(r, text);
	line->number = r->number;
	line->message = r->script->messages - 1;
	snprintf(line->word, sizeof(line->word), "%.*s", (int)len, text);
	snprintf(line->rest, sizeof(line->rest), "%s",
	    text + len + (text[len] == ' '));
	lines->count++;
	return line;
}

/* "= NAME VALUE"; what stands behind a backslash is a byte. */
static void
read_setting(struct reader *r, const char *text)
{
	struct call_line *line = add_line(r, &r->script->settings, text);
	char *out = line->rest;

	for (const char *at = line->rest; *at != '\0'; at++) {
		bool escaped = at[0] == '\\' && (at[1] == 'n' || at[1] == 'r');

		if (escaped)
			at++;
		*out++ = !escaped ? *at : *at == 'n' ? '\n' : '\r';
	}
	*out = '\0';
}

/* "@ N", "@ N down", "@ N away" and "@ N full": the host that what follows
 * belongs to. */
static void
read_host(struct reader *r, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	struct call_host *host;

	if (n < 1 || n > CALL_HOSTS)
		refuse_line(r, text);
	r->host = n - 1;
	host = &r->script->hosts[r->host];
	if (strcmp(end, " down") == 0)
		host->down = true;
	else if (strcmp(end, " away") == 0)
		host->down = host->away = true;
	else if (strcmp(end, " full") == 0)
		host->full = true;
	else if (*end != '\0')
		refuse_line(r, text);
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
	if (strcmp(text, "M") == 0) {
		r->script->messages++;
		return;
	}
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

	if (strncmp(text, "= ", 2) == 0)
		read_setting(r, text + 2);
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

/* Read TEXT with NUMBER for each %. */
static void
read_numbered(struct reader *r, const char *text, size_t len, unsigned number)
{
	char line[1024] = "";
	size_t n = 0;

	for (size_t i = 0; i < len && n + 16 < sizeof(line); i++)
		if (text[i] == '%')
			n += (size_t)snprintf(
			    line + n, sizeof(line) - n, "%u", number);
		else
			line[n++] = text[i];
	line[n] = '\0';
	read_line(r, line);
}

static void
read_block(struct reader *r)
{
	for (unsigned i = r->from; i <= r->to; i++)
		for (const char *at = r->block; *at != '\0';) {
			size_t len = strcspn(at, "\n");

			read_numbered(r, at, len, i);
			at += len + 1;
		}
}

/* A line of the file: of a block, or to be read at once. */
static void
take_line(struct reader *r, char *text)
{
	if (text[0] == '\0' || text[0] == '#')
		return;
	if (r->in_block && strcmp(text, "}") == 0) {
		r->in_block = false;
		read_block(r);
	} else if (r->in_block) {
		append_line(r, r->block, sizeof(r->block), "", text);
	} else if (sscanf(text, "{ %u %u", &r->from, &r->to) == 2) {
		r->in_block = true;
		r->block[0] = '\0';
	} else {
		read_line(r, text);
	}
}

void
call_script_read(struct call_script *s, const char *path)
{
	FILE *file = fopen(path, "r");
	struct reader r = { .script = s };
	char *text = NULL;
	size_t room = 0;

	memset(s, 0, sizeof(*s));
	s->path = path;
	s->messages = 1;
	if (file == NULL)
		refuse_line(&r, "cannot be opened");
	while (getline(&text, &room, file) >= 0) {
		r.number++;
		text[strcspn(text, "\n")] = '\0';
		take_line(&r, text);
	}
	if (r.in_block)
		refuse_line(&r, "a block without its end");
	free(text);
	fclose(file);
}

const char *
call_script_setting(const struct call_script *s, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < s->settings.count; i++)
		if (s->settings.at[i].message <= s->message &&
		    strcmp(s->settings.at[i].word, name) == 0)
			value = s->settings.at[i].rest;
	return value;
}

unsigned long
call_script_number(
    const struct call_script *s, const char *name, unsigned long otherwise)
{
	const char *text = call_script_setting(s, name);

	return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

bool
call_script_flag(const struct call_script *s, const char *name)
{
	return call_script_number(s, name, 0) != 0;
}
