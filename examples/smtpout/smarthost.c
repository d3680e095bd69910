/* SPDX-License-Identifier: MIT */
#include "smarthost.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "complain.h"
#include "mechanisms.h"

/* The one option that says what to log in by; NULL: none, or too many, of which
 * *COUNT tells. */
static const char *
name_secret(const struct settings *s, int *count)
{
	const struct {
		const char *option, *value;
	} secrets[] = {
		{ "--password-file", s->password_file },
		{ "--token-file", s->token_file },
		{ "--token-command", s->token_command },
	};
	const char *name = NULL;

	*count = 0;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (secrets[i].value != NULL) {
			name = secrets[i].option;
			++*count;
		}
	return *count == 1 ? name : NULL;
}

/* Check the mechanisms, and divide them by blanks. */
static int
complete_mechanisms(struct settings *s)
{
	char why[256];

	if (s->auth_mechanisms == NULL)
		return 0;
	if (s->relay.user == NULL)
		return complain(PROGRAM, EX_USAGE,
		    "--auth-mechanisms: there is no --smarthost USER@HOST");
	if (mechanisms_read(s->auth_mechanisms, s->password_file == NULL, why,
		sizeof(why)) == -1)
		return complain(
		    PROGRAM, EX_USAGE, "--auth-mechanisms: %s", why);
	return 0;
}

int
smarthost_complete(struct settings *s)
{
	int count;
	const char *secret = name_secret(s, &count);
	/* A password may be that of a route. */
	const bool is_for_routes = s->password_file != NULL &&
	    (s->routes.count > 0 || s->route_file != NULL);

	if (count > 1)
		return complain(PROGRAM, EX_USAGE,
		    "only one of --password-file, --token-file and "
		    "--token-command can be given");
	if (s->smarthost == NULL && secret != NULL && !is_for_routes)
		return complain(PROGRAM, EX_USAGE,
		    s->password_file != NULL
			? "%s: there is no --smarthost USER@HOST, nor a route"
			: "%s: there is no --smarthost USER@HOST",
		    secret);
	if (s->smarthost == NULL)
		return complete_mechanisms(s);
	if (sender_options_smarthost(s->smarthost, &s->relay) == -1)
		return complain(PROGRAM, EX_USAGE,
		    "--smarthost: give [tls://][user@]host[:port], an IPv6 "
		    "address in brackets");
	if (s->relay.user != NULL && secret == NULL)
		return complain(PROGRAM, EX_USAGE,
		    "--smarthost: the password of %s is missing "
		    "(--password-file, --token-file or --token-command)",
		    s->relay.user);
	if (s->relay.user == NULL && secret != NULL && !is_for_routes)
		return complain(PROGRAM, EX_USAGE,
		    "%s: the user is missing: give --smarthost user@%s", secret,
		    s->relay.host);
	if (s->relay.user != NULL && !s->relay.tls_first &&
	    s->security == SMTPD_SECURITY_NONE)
		return complain(PROGRAM, EX_USAGE,
		    "--tls never: the password would be sent in the clear");
	return complete_mechanisms(s);
}

int
smarthost_read_password(
    struct settings *s, struct passwords *passwords, struct log *log)
{
	const char *password;
	struct stat st;

	if (s->password_file == NULL)
		return 0;
	if (passwords_read(s->password_file, passwords) == -1)
		return errno == EINVAL
		    ? complain(PROGRAM, EX_CONFIG,
			  "the first line of %s is empty", s->password_file)
		    : complain(PROGRAM, EX_NOINPUT,
			  "cannot read the password file %s: %s",
			  s->password_file, strerror(errno));
	if (stat(s->password_file, &st) == 0 && (st.st_mode & 07) != 0)
		log_line(log, SMTPD_LOG_WARNING,
		    "any user may read the password in %s: chmod o= %s",
		    s->password_file, s->password_file);
	if (s->relay.user == NULL)
		return 0;
	password = passwords_find(passwords, s->relay.user, s->relay.host);
	if (password == NULL || strlen(password) >= sizeof(s->password))
		return complain(PROGRAM, EX_CONFIG,
		    "%s has no password of %s@%s, or one that is too long",
		    s->password_file, s->relay.user, s->relay.host);
	snprintf(s->password, sizeof(s->password), "%s", password);
	return 0;
}
