/* SPDX-License-Identifier: MIT */
#include "identity.h"

#include <ctype.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "address_list.h"
#include "arguments.h"
#include "complain.h"

/* The longest encoded word (RFC 2047, 2). */
#define ENCODED_MAX 75

/* The longest name that is written. */
#define NAME_MAX_HERE 128

static bool
is_outside_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s > 0x7e || (unsigned char)*s < ' ')
			return true;
	return false;
}

/* Q encoding (RFC 2047, 4.2; RFC 2047, 5). */
static void
encode_name(const char *name, char *buf, size_t size)
{
	char word[ENCODED_MAX + 8] = "=?UTF-8?Q?";
	size_t at = strlen(word);

	for (; *name != '\0'; name++) {
		unsigned char c = (unsigned char)*name;
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z');

		if (at + 3 + 2 > ENCODED_MAX)
			return;
		if (plain)
			word[at++] = (char)c;
		else if (c == ' ')
			word[at++] = '_';
		else
			at += (size_t)snprintf(
			    word + at, sizeof(word) - at, "=%02X", c);
	}
	word[at] = '\0';
	snprintf(buf, size, "%s?= ", word);
}

/* A quoted string (RFC 5322, 3.2.4). */
static void
quote_name(const char *name, char *buf, size_t size)
{
	char text[2 * NAME_MAX_HERE + 4] = "\"";
	size_t at = 1;

	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\')
			text[at++] = '\\';
		text[at++] = *name;
	}
	text[at] = '\0';
	snprintf(buf, size, "%s\" ", text);
}

void
identity_phrase(const char *name, char *buf, size_t size)
{
	buf[0] = '\0';
	if (*name == '\0' || strlen(name) > NAME_MAX_HERE)
		return;
	if (is_outside_ascii(name))
		encode_name(name, buf, size);
	else if (strpbrk(name, "()<>[]:;@\\,.\"") != NULL)
		quote_name(name, buf, size);
	else
		snprintf(buf, size, "%s ", name);
}

/* The name in the user's record: up to the first comma, "&" being the user's
 * (passwd(5) of old). */
static void
read_gecos(const char *gecos, const char *user, char *buf, size_t size)
{
	size_t at = 0;

	for (; *gecos != '\0' && *gecos != ','; gecos++) {
		if (*gecos != '&' && at + 1 < size) {
			buf[at++] = *gecos;
		} else if (*gecos == '&' && at + strlen(user) < size) {
			memcpy(buf + at, user, strlen(user));
			buf[at] = (char)toupper((unsigned char)buf[at]);
			at += strlen(user);
		}
	}
	buf[at] = '\0';
}

/* Write the user's full name to NAME of SIZE bytes. */
static void
find_user(struct identity *id, char *name, size_t size)
{
	const struct passwd *user = getpwuid(getuid());
	const char *home = getenv("HOME");

	name[0] = '\0';
	if (user == NULL) {
		snprintf(
		    id->user, sizeof(id->user), "%lu", (unsigned long)getuid());
	} else {
		snprintf(id->user, sizeof(id->user), "%s", user->pw_name);
		read_gecos(user->pw_gecos, id->user, name, size);
		if (home == NULL)
			home = user->pw_dir;
	}
	snprintf(id->home, sizeof(id->home), "%s", home != NULL ? home : "");
}

static int
set_sender(struct identity *id, const char *text)
{
	struct text_list list = { .count = 0 };
	int status = 0;

	if (*text == '\0')
		return 0;
	if (address_list_parse(text, strlen(text), &list) == -1 ||
	    list.count != 1)
		status = complain(
		    PROGRAM, EX_USAGE, "-f: \"%s\" is not an address", text);
	else
		snprintf(id->sender, sizeof(id->sender), "%s", list.items[0]);
	text_list_finish(&list);
	return status;
}

int
identity_find(struct identity *id, const char *sender, const char *name)
{
	char full[NAME_MAX_HERE + 1], phrase[512];
	int status;

	memset(id, 0, sizeof(*id));
	hostname_own(id->host);
	find_user(id, full, sizeof(full));
	status = set_sender(id, sender != NULL ? sender : id->user);
	if (status != 0)
		return status;
	if (name == NULL)
		name = getenv("NAME");
	identity_phrase(name != NULL ? name : full, phrase, sizeof(phrase));
	snprintf(id->from, sizeof(id->from), "%s<%s>", phrase,
	    id->sender[0] != '\0' ? id->sender : id->user);
	return 0;
}
