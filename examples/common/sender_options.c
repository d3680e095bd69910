/* SPDX-License-Identifier: MIT */
#include "sender_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
sender_options_port(const char *text, uint16_t *port)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n < 1 || n > 65535)
		return -1;
	*port = (uint16_t)n;
	return 0;
}

/* Cut the port off the end of TEXT; return it, or NULL for none.  *HOST is what
 * is left. */
static char *
cut_port(char *text, char **host)
{
	char *colon = strrchr(text, ':');

	*host = text;
	if (*text == '[') {
		char *end = strchr(text, ']');

		if (end == NULL)
			return NULL;
		*end = '\0';
		*host = text + 1;
		colon = end[1] == ':' ? end + 1 : NULL;
	}
	if (colon == NULL)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

int
sender_options_smarthost(char *text, struct smarthost *out)
{
	static const char scheme[] = "tls://";
	char *at, *host, *port;

	*out = (struct smarthost){ .tls_first = strncmp(text, scheme,
						    strlen(scheme)) == 0 };
	if (out->tls_first)
		text += strlen(scheme);
	at = strrchr(text, '@');
	if (at != NULL) {
		*at = '\0';
		out->user = text;
		text = at + 1;
	}
	out->port = out->tls_first ? 465 : out->user != NULL ? 587 : 25;
	port = cut_port(text, &host);
	out->host = host;
	if (*host == '\0' || *host == '[' ||
	    (out->user != NULL && *out->user == '\0'))
		return -1;
	return port != NULL ? sender_options_port(port, &out->port) : 0;
}

int
sender_options_security(const char *text, enum smtpd_security *out)
{
	static const char *const names[] = { "opportunistic", "require",
		"never", "encrypt" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum smtpd_security)i;
			return 0;
		}
	}
	return -1;
}

int
sender_options_password(const char *file, char *buf, size_t size)
{
	FILE *in = fopen(file, "r");

	if (in == NULL)
		return -1;
	errno = EIO;
	buf[0] = '\0';
	if (fgets(buf, (int)size, in) == NULL && ferror(in)) {
		fclose(in);
		return -1;
	}
	fclose(in);
	buf[strcspn(buf, "\r\n")] = '\0';
	return 0;
}
