/* SPDX-License-Identifier: MIT */
#include "grammar/auth_results.h"

#include <string.h>

#include "base/sizes.h"
#include "base/text.h"

/* Move *AT, before END, past white space, line ends and comments.  Return
 * false when a comment has no end. */
static bool
skip_blanks(const char **at, const char *end)
{
	int depth = 0;

	for (; *at < end; (*at)++) {
		if (**at == '(')
			depth++;
		else if (**at == ')' && depth > 0)
			depth--;
		else if (**at == '\\' && depth > 0 && *at + 1 < end)
			(*at)++;
		else if (depth == 0 && strchr(" \t\r\n", **at) == NULL)
			return true;
	}
	return depth == 0;
}

/* Copy the quoted string at *AT to OUT, and move *AT past it. */
static bool
read_quoted(const char **at, const char *end, struct smtpd_text *out)
{
	for ((*at)++; *at < end && **at != '"'; (*at)++) {
		if (**at == '\\' && *at + 1 < end)
			(*at)++;
		smtpd__text_byte(out, **at);
	}
	if (*at == end)
		return false;
	(*at)++;
	return true;
}

static bool
read_token(const char **at, const char *end, struct smtpd_text *out)
{
	for (; *at < end && strchr(" \t\r\n();\"", **at) == NULL; (*at)++)
		smtpd__text_byte(out, **at);
	return out->len > 0;
}

bool
smtpd__auth_results_is_of(const char *value, size_t len, const char *id)
{
	const char *at = value, *end = value + len;
	char found[SMTPD_HOSTNAME_SIZE];
	struct smtpd_text t;

	smtpd__text_init(&t, found, sizeof(found));
	if (memchr(value, '\0', len) != NULL || !skip_blanks(&at, end) ||
	    at == end)
		return true;
	if (*at == '"' ? !read_quoted(&at, end, &t) : !read_token(&at, end, &t))
		return true;
	if (t.cut || !skip_blanks(&at, end))
		return true;
	/* A version, or the end of the id. */
	if (at < end && *at != ';' && !smtpd__text_is_digit(*at))
		return true;
	if (t.len > 1 && found[t.len - 1] == '.')
		found[t.len - 1] = '\0';
	return smtpd__text_same(found, id);
}
