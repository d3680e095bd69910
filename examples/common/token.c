/* SPDX-License-Identifier: MIT */
/* explicit_bzero(). */
#define _DEFAULT_SOURCE
#include "token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "token_command.h"

/* Why there is no token, without the name of the file or the command. */
#define TOKEN_REASON_SIZE 256

static uint64_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

void
token_source_init(struct token_source *s, const char *file, const char *command)
{
	*s = (struct token_source){
		.file = file,
		.command = command,
		.command_s = TOKEN_COMMAND_S,
	};
	pthread_mutex_init(&s->lock, NULL);
}

void
token_source_finish(struct token_source *s)
{
	explicit_bzero(&s->token, sizeof(s->token));
	pthread_mutex_destroy(&s->lock);
}

/* Read the token of FILE into T.  Return 0, or -1 with WHY. */
static int
read_file(const char *file, struct token *t, char *why, size_t size)
{
	char text[TOKEN_TEXT_SIZE], reason[TOKEN_REASON_SIZE];
	FILE *in = fopen(file, "r");
	size_t len = 0;
	int result = -1;

	if (in != NULL)
		len = fread(text, 1, sizeof(text) - 1, in);
	if (in == NULL || ferror(in))
		snprintf(why, size, "the token file %s cannot be read: %s",
		    file, strerror(errno));
	else {
		text[len] = '\0';
		result = token_text_read(text, t, reason, sizeof(reason));
		if (result == -1)
			snprintf(why, size, "the token file %s is wrong: %s",
			    file, reason);
	}
	if (in != NULL)
		fclose(in);
	explicit_bzero(text, sizeof(text));
	return result;
}

int
token_source_check(const struct token_source *s, char *why, size_t size)
{
	struct token t;
	int result;

	if (s->command != NULL) {
		result = token_command_check(s->command);
		if (result == -1)
			snprintf(why, size,
			    "the token command cannot be run: %s: %s",
			    s->command, strerror(errno));
		return result;
	}
	result = read_file(s->file, &t, why, size);
	explicit_bzero(&t, sizeof(t));
	return result;
}

/* It ends a minute and a tenth of it early, or half of it and a tenth where
 * that is less. */
uint64_t
token_source_span(uint64_t lifetime)
{
	uint64_t early = lifetime / 2 < 60 ? (lifetime + 1) / 2 : 60;

	if (lifetime == 0)
		return TOKEN_LIFETIME_S;
	return lifetime - early - lifetime / 10;
}

/* Read the file again if it has changed since it was read well. */
static int
fetch_from_file(struct token_source *s)
{
	struct file_stamp before = s->stamp;

	if (!file_stamp_update(&s->stamp, s->file) && s->token.text[0] != '\0')
		return 0;
	if (read_file(s->file, &s->token, s->why, sizeof(s->why)) == 0)
		return 0;
	s->token.text[0] = '\0';
	s->stamp = before;
	return -1;
}

/* Run the command, unless its last failure was a moment ago. */
static int
fetch_by_command(struct token_source *s, const struct smtpd_cancel *cancel)
{
	char text[TOKEN_TEXT_SIZE], reason[TOKEN_REASON_SIZE];
	int result;

	s->token.text[0] = '\0';
	if (now_s() < s->again)
		return -1;
	result = token_command_run(s->command, s->command_s, cancel, text,
	    sizeof(text), reason, sizeof(reason));
	if (result == 0)
		result =
		    token_text_read(text, &s->token, reason, sizeof(reason));
	explicit_bzero(text, sizeof(text));
	if (result == 0) {
		s->failures = 0;
		s->until = now_s() + token_source_span(s->token.lifetime);
		return 0;
	}
	s->token.text[0] = '\0';
	s->again = now_s() +
	    (s->failures < 5 ? UINT64_C(1) << s->failures : TOKEN_WAIT_S);
	s->failures++;
	snprintf(s->why, sizeof(s->why), "the token command %.*s: %s",
	    (int)strcspn(s->command, " \t"), s->command, reason);
	return -1;
}

/* Whether the token that S has must be replaced. */
static bool
is_over(const struct token_source *s, const struct smtpd_credentials *c)
{
	return s->token.text[0] == '\0' || now_s() >= s->until ||
	    (c->refused && strcmp(s->token.text, c->secret) == 0);
}

int
token_source_get(void *source, struct smtpd_credentials *c)
{
	struct token_source *s = source;
	int result = 0;

	pthread_mutex_lock(&s->lock);
	if (s->file != NULL)
		result = fetch_from_file(s);
	else if (is_over(s, c))
		result = fetch_by_command(s, c->cancel);
	if (result == 0) {
		c->is_token = true;
		snprintf(c->secret, sizeof(c->secret), "%s", s->token.text);
	} else {
		snprintf(c->reason, sizeof(c->reason), "%s", s->why);
	}
	pthread_mutex_unlock(&s->lock);
	return result;
}
