/* SPDX-License-Identifier: MIT */
#include "route_target.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "blanks.h"
#include "mechanisms.h"
#include "sender_options.h"

/* A target that is read, and what is said behind it. */
struct reader {
	struct logins *logins;
	struct smtpd_route_target *out;
	struct smtpd_source *sources;
	const char *token_file;
	const char *token_command;
	char *mechanisms;
	char *why;
	size_t size;
};

static bool
has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Read what follows "lmtp:". */
static int
read_lmtp(struct reader *r, char *text)
{
	struct smtpd_route_target *t = r->out;
	const bool has_port = strrchr(text, ':') != NULL &&
	    strchr(strrchr(text, ':'), ']') == NULL;
	struct smarthost host;

	t->kind = SMTPD_ROUTE_LMTP;
	t->host = text;
	if (*text == '/')
		return 0;
	if (has_port && !has_prefix(text, "tls://") &&
	    sender_options_smarthost(text, &host) == 0 && host.user == NULL) {
		t->host = host.host;
		t->port = host.port;
		return 0;
	}
	snprintf(r->why, r->size,
	    "give lmtp:HOST:PORT, an IPv6 address in brackets, or lmtp:/PATH");
	return EX_USAGE;
}

/* Read [tls://][user@]host[:port]. */
static int
read_host(struct reader *r, char *text)
{
	struct smtpd_route_target *t = r->out;
	struct smarthost host;

	if (*text == '\0' || sender_options_smarthost(text, &host) == -1) {
		snprintf(r->why, r->size,
		    "a target is mx, [tls://][user@]host[:port], an IPv6 "
		    "address in brackets, lmtp:HOST:PORT, lmtp:/PATH, "
		    "maildir:/PATH/%%u or error:TEXT");
		return EX_USAGE;
	}
	t->kind = SMTPD_ROUTE_HOST;
	t->host = host.host;
	t->port = host.port;
	t->tls_first = host.tls_first;
	t->user = host.user;
	return 0;
}

static int
read_place(struct reader *r, char *text)
{
	static const char lmtp[] = "lmtp:", maildir[] = "maildir:";

	if (strcmp(text, "mx") == 0)
		return 0;
	if (has_prefix(text, maildir))
		return maildirs_target(&r->logins->maildirs,
		    text + strlen(maildir), 0, r->out, r->why, r->size);
	if (has_prefix(text, lmtp))
		return read_lmtp(r, text + strlen(lmtp));
	return read_host(r, text);
}

/* Read one of the values behind a target, NAME=VALUE. */
static int
read_value(struct reader *r, char *text)
{
	struct smtpd_route_target *t = r->out;
	char *value = strchr(text, '=');
	const char **to = NULL;
	const char *name;

	if (value != NULL)
		*value++ = '\0';
	name = blanks_trim(text);
	value = value != NULL ? blanks_trim(value) : NULL;
	if (value != NULL && strcmp(name, "source") == 0) {
		t->sources = r->sources;
		return sources_read(value, r->sources, &t->nsources, r->why,
			   r->size) == 0
		    ? 0
		    : EX_USAGE;
	}
	if (value != NULL && strcmp(name, "auth-mechanisms") == 0 &&
	    r->mechanisms == NULL) {
		r->mechanisms = value;
		return 0;
	}
	if (strcmp(name, "token-file") == 0)
		to = &r->token_file;
	else if (strcmp(name, "token-command") == 0)
		to = &r->token_command;
	if (to != NULL && *to == NULL && value != NULL && *value != '\0') {
		*to = value;
		return 0;
	}
	snprintf(r->why, r->size,
	    "\"%s\": behind a target stand ;source=ADDRESS[=NAME], "
	    ";token-file=FILE, ;token-command=COMMAND and "
	    ";auth-mechanisms=NAMES, each with a value, and once",
	    name);
	return EX_USAGE;
}

/* Find the token of the target. */
static int
find_token(struct reader *r)
{
	struct smtpd_route_target *t = r->out;

	if (r->token_file != NULL && r->token_command != NULL) {
		snprintf(r->why, r->size,
		    "only one of token-file and token-command can be given");
		return EX_USAGE;
	}
	t->credentials = token_source_get;
	t->credentials_user =
	    tokens_find(&r->logins->tokens, r->token_file, r->token_command);
	if (t->credentials_user != NULL)
		return 0;
	snprintf(r->why, r->size, "no memory");
	return EX_OSERR;
}

static int
find_password(struct reader *r)
{
	struct smtpd_route_target *t = r->out;

	t->password = passwords_find(&r->logins->passwords, t->user, t->host);
	if (t->password != NULL)
		return 0;
	snprintf(r->why, r->size,
	    "the password of %s@%s is missing (--password-file; or say "
	    ";token-file= or ;token-command=)",
	    t->user, t->host);
	return EX_USAGE;
}

/* Complete how the user of the target logs in. */
static int
complete_login(struct reader *r)
{
	const bool has_token =
	    r->token_file != NULL || r->token_command != NULL;
	struct smtpd_route_target *t = r->out;
	char why[256];
	int status;

	if (t->user == NULL && !has_token && r->mechanisms == NULL)
		return 0;
	if (t->user == NULL) {
		snprintf(r->why, r->size,
		    "the user is missing: give USER@HOST before %s",
		    has_token ? "a token" : "mechanisms");
		return EX_USAGE;
	}
	status = has_token ? find_token(r) : find_password(r);
	if (status != 0 || r->mechanisms == NULL)
		return status;
	t->mechanisms = r->mechanisms;
	if (mechanisms_read(r->mechanisms, has_token, why, sizeof(why)) == 0)
		return 0;
	snprintf(r->why, r->size, "auth-mechanisms: %s", why);
	return EX_USAGE;
}

int
route_target_read(char *text, struct logins *logins,
    struct smtpd_route_target *out, struct smtpd_source sources[SOURCES_MAX],
    char *why, size_t size)
{
	struct reader r = {
		.logins = logins,
		.out = out,
		.sources = sources,
		.why = why,
		.size = size,
	};
	char *next = strchr(text, ';');
	int status;

	*out = (struct smtpd_route_target){ SMTPD_ROUTE_TARGET_INIT,
		SMTPD_ROUTE_MX };
	if (next != NULL)
		*next++ = '\0';
	status = read_place(&r, blanks_trim(text));
	while (status == 0 && next != NULL) {
		char *value = next;

		next = strchr(value, ';');
		if (next != NULL)
			*next++ = '\0';
		status = read_value(&r, value);
	}
	return status == 0 ? complete_login(&r) : status;
}
