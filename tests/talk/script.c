/* SPDX-License-Identifier: MIT */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
entries_add(struct entries *list, int line, const char *word, const char *rest,
    size_t len)
{
	struct entry *more =
	    realloc(list->list, (list->count + 1) * sizeof(*more));
	struct entry *one;

	if (more == NULL)
		die("out of memory");
	list->list = more;
	one = &more[list->count++];
	*one = (struct entry){ .line = line };
	snprintf(one->word, sizeof(one->word), "%s", word);
	return bytes_unescape(&one->rest, rest, len);
}

void
entries_finish(struct entries *list)
{
	for (size_t i = 0; i < list->count; i++)
		bytes_finish(&list->list[i].rest);
	free(list->list);
}

static struct step *
add_step(struct script *s, enum step_kind kind, int line)
{
	struct step *more = realloc(s->steps, (s->nsteps + 1) * sizeof(*more));

	if (more == NULL)
		die("out of memory");
	s->steps = more;
	more[s->nsteps] =
	    (struct step){ .kind = kind, .line = line, .times = 1 };
	return &more[s->nsteps++];
}

/* "word rest": a setting or a counter. */
static bool
read_entry(struct entries *list, int line, const char *text)
{
	size_t len = strcspn(text, " ");
	char word[32];
	const char *rest = text + len;

	if (len == 0 || len >= sizeof(word))
		return false;
	snprintf(word, sizeof(word), "%.*s", (int)len, text);
	if (*rest == ' ')
		rest++;
	return entries_add(list, line, word, rest, strlen(rest));
}

/* Lines of the client follow each other in one write. */
static bool
read_client(struct script *s, int line, const char *text, bool ended, bool join)
{
	struct step *step = s->nsteps > 0 ? &s->steps[s->nsteps - 1] : NULL;

	if (!join || step == NULL || step->kind != STEP_SEND)
		step = add_step(s, STEP_SEND, line);
	if (!bytes_unescape(&step->bytes, text, strlen(text)))
		return false;
	if (ended)
		bytes_text(&step->bytes, "\r\n");
	return true;
}

static bool
read_server(struct script *s, int line, const char *text, int times)
{
	struct step *step = add_step(s, STEP_LINE, line);
	size_t len = strlen(text);

	step->times = times;
	if (len < 3)
		return false;
	if (len == 3) {
		step->kind = STEP_REPLY;
		step->number = (int)strtol(text, NULL, 10);
	} else if (text[len - 1] == '*') {
		step->kind = STEP_PREFIX;
		len--;
	}
	return bytes_unescape(&step->bytes, text, len);
}

/* "C: text" and its like: one line with a mark, a colon and a text. */
static bool
read_marked(
    struct script *s, int line, char mark, const char *text, bool *split)
{
	bool join = !*split;

	*split = false;
	switch (mark) {
	case 'C':
	case 'c':
		return read_client(s, line, text, mark == 'C', join);
	case 'S':
		return read_server(s, line, text, 1);
	case 'E':
		return entries_add(&s->events, line, "", text, strlen(text));
	case 'N':
		return read_entry(&s->counts, line, text);
	default:
		return false;
	}
}

/* "X" and its like. */
static bool
read_sign(struct script *s, int line, const char *text, bool *split)
{
	if (strcmp(text, "-") == 0)
		*split = true;
	else if (strcmp(text, "X") == 0)
		add_step(s, STEP_CLOSED, line);
	else if (strcmp(text, "Q") == 0)
		add_step(s, STEP_DONE, line);
	else if (strcmp(text, "G") == 0)
		add_step(s, STEP_GONE, line);
	else if (text[0] == 'W' && text[1] == ' ')
		add_step(s, STEP_SILENCE, line)->number =
		    (int)strtol(text + 2, NULL, 10);
	else
		return false;
	return true;
}

/* "S 19: text": so many times. */
static bool
read_repeated(struct script *s, int line, const char *text)
{
	int times = 0;
	int skipped = 0;

	if (sscanf(text, "S %d: %n", &times, &skipped) != 1 || skipped == 0)
		return false;
	return times > 0 && read_server(s, line, text + skipped, times);
}

static bool
read_line(struct script *s, int line, const char *text, bool *split)
{
	if (text[0] == '\0' || text[0] == '#')
		return true;
	if (text[0] == '=' && text[1] == ' ')
		return read_entry(&s->settings, line, text + 2);
	if (text[0] == 'S' && text[1] == ' ')
		return read_repeated(s, line, text);
	if (text[1] != ':')
		return read_sign(s, line, text, split);
	return read_marked(
	    s, line, text[0], text[2] == ' ' ? text + 3 : text + 2, split);
}

void
script_read(struct script *s, const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;
	bool split = false;

	*s = (struct script){ .path = path };
	if (file == NULL)
		die("%s: cannot be read", path);
	for (int line = 1; getline(&text, &room, file) >= 0; line++) {
		text[strcspn(text, "\n")] = '\0';
		if (!read_line(s, line, text, &split))
			die("%s:%d: cannot be understood: %s", path, line,
			    text);
	}
	free(text);
	fclose(file);
}

void
script_finish(struct script *s)
{
	for (size_t i = 0; i < s->nsteps; i++)
		bytes_finish(&s->steps[i].bytes);
	free(s->steps);
	entries_finish(&s->settings);
	entries_finish(&s->events);
	entries_finish(&s->counts);
}
