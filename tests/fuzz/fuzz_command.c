/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "base/text.h"
#include "grammar/command.h"

static void
must_be_whole(const struct smtpd_command_line *line, const char *s, size_t len)
{
	size_t n = strlen(line->verb);

	must(n >= 1 && n <= SMTPD_VERB_MAX);
	must(smtpd__text_same_bytes(line->verb, s, n));
	for (size_t i = 0; i < n; i++)
		must(smtpd__text_to_upper(line->verb[i]) == line->verb[i]);
	must(line->argument >= s + n && line->argument + line->len <= s + len);
	for (size_t i = 0; i < len; i++)
		must(!smtpd__text_is_control((unsigned char)s[i]) ||
		    s[i] == '\t');
	if (line->len > 0) {
		must(strchr(" \t", line->argument[0]) == NULL);
		must(strchr(" \t", line->argument[line->len - 1]) == NULL);
	}
}

/* Verb, space and argument are a line that is split in the same way. */
static void
must_parse_again(const struct smtpd_command_line *line)
{
	size_t n = strlen(line->verb);
	size_t len = n + 1 + line->len;
	char *copy = malloc(len);
	struct smtpd_command_line again;

	must(copy != NULL);
	memcpy(copy, line->verb, n);
	copy[n] = ' ';
	memcpy(copy + n + 1, line->argument, line->len);
	must(smtpd__command_parse(copy, len, &again) == 0);
	must(strcmp(line->verb, again.verb) == 0);
	must(line->len == again.len);
	must(memcmp(line->argument, again.argument, line->len) == 0);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;
	int foreign = smtpd__command_is_foreign(s, size);
	struct smtpd_command_line line;

	if (size > 0 && !smtpd__text_is_alpha((unsigned char)s[0]))
		must(foreign);
	if (smtpd__command_parse(s, size, &line) == 0) {
		must_be_whole(&line, s, size);
		must_parse_again(&line);
		if (strcmp(line.verb, "MAIL") == 0)
			must(!foreign);
	}
	return 0;
}
