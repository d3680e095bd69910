/* SPDX-License-Identifier: MIT */
/* explicit_bzero(). */
#define _DEFAULT_SOURCE
#include "passwords.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A file that is longer is none. */
#define FILE_MAX 1048576

int
passwords_read(const char *file, struct passwords *out)
{
	FILE *in = fopen(file, "r");
	struct passwords p = { .text = malloc(FILE_MAX) };
	int error = 0;

	if (in == NULL || p.text == NULL) {
		error = errno;
	} else {
		p.size = fread(p.text, 1, FILE_MAX - 1, in);
		if (ferror(in))
			error = errno != 0 ? errno : EIO;
		else if (!feof(in))
			error = EFBIG;
		p.text[p.size++] = '\0';
		for (size_t i = 0; i < p.size; i++)
			if (p.text[i] == '\n' || p.text[i] == '\r')
				p.text[i] = '\0';
		if (error == 0 && p.text[0] == '\0')
			error = EINVAL;
	}
	if (in != NULL)
		fclose(in);
	if (error != 0) {
		passwords_finish(&p);
		errno = error;
		return -1;
	}
	passwords_finish(out);
	*out = p;
	return 0;
}

/* The password in LINE, if that is "USER@HOST PASSWORD" for any of these;
 * *LOGIN_LEN is the length of USER@HOST. */
static const char *
divide_line(const char *line, size_t *login_len)
{
	const char *at;

	*login_len = strcspn(line, " \t");
	at = memchr(line, '@', *login_len);
	if (at == NULL || at == line)
		return NULL;
	line += *login_len;
	line += strspn(line, " \t");
	return *line != '\0' ? line : NULL;
}

static bool
is_login(const char *line, size_t len, const char *user, const char *host)
{
	size_t user_len = strlen(user);

	return len == user_len + 1 + strlen(host) &&
	    memcmp(line, user, user_len) == 0 && line[user_len] == '@' &&
	    strncasecmp(line + user_len + 1, host, strlen(host)) == 0;
}

const char *
passwords_find(const struct passwords *p, const char *user, const char *host)
{
	const char *first = NULL, *password;
	size_t len;

	for (size_t at = 0; at < p->size; at += strlen(p->text + at) + 1) {
		const char *line = p->text + at;

		password = divide_line(line, &len);
		if (password != NULL && is_login(line, len, user, host))
			return password;
		if (at == 0 && password == NULL)
			first = line;
	}
	return first;
}

void
passwords_finish(struct passwords *p)
{
	if (p->text != NULL)
		explicit_bzero(p->text, p->size);
	free(p->text);
	*p = (struct passwords){ .text = NULL };
}
