/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "author.h"
#include "complain.h"
#include "key_command.h"
#include "listen.h"
#include "options.h"
#include "places.h"
#include "sender_options.h"

#define AT(member) offsetof(struct settings, member)

static const struct option_rule rules[] = {
	{ "accounts", 'A', OPTION_TEXT, "FILE",
	    "users with their passwords and addresses", AT(accounts), 0, 0 },
	{ "smtpout", 0, OPTION_TEXT, "ADDRESS",
	    "where smtpout takes mail (" SMTPOUT_SOCKET ")", AT(smtpout), 0,
	    0 },
	{ "no-scram", 0, OPTION_SWITCH, NULL,
	    "take hashes of crypt(3), which SCRAM cannot", AT(no_scram), 0, 0 },
	{ "any-from", 0, OPTION_SWITCH, NULL,
	    "let messages say that they are from others", AT(any_from), 0, 0 },
	{ "user-hour", 0, OPTION_NUMBER, "N",
	    "recipients of a user in an hour (@; 0: no limit)", AT(user_hour),
	    0, 1000000 },
	{ "user-day", 0, OPTION_NUMBER, "N",
	    "recipients of a user in a day (@; 0: no limit)", AT(user_day), 0,
	    1000000 },
	{ "interface", 'i', OPTION_LIST, "IF",
	    "interface to listen on; repeatable", AT(interfaces), 0, 0 },
	{ "loopback", .kind = OPTION_SHARED },
	{ "listen", .kind = OPTION_SHARED },
	{ "port", .kind = OPTION_SHARED },
	{ "tls-port", .kind = OPTION_SHARED },
	{ "tls-cert", .kind = OPTION_SHARED },
	{ "tls-key", .kind = OPTION_SHARED },
	{ "hostname", .kind = OPTION_SHARED },
	{ "log", .kind = OPTION_SHARED },
	{ "log-level", .kind = OPTION_SHARED },
	{ "user", .kind = OPTION_SHARED },
	{ "check", .kind = OPTION_SHARED },
	{ "max-connections", .kind = OPTION_SHARED },
	{ "max-per-address", .kind = OPTION_SHARED },
	{ "max-message-size", .kind = OPTION_SHARED },
	{ "max-recipients", .kind = OPTION_SHARED },
	{ "idle-timeout", .kind = OPTION_SHARED },
};

static const struct option_table table = {
	.program = PROGRAM,
	.usage =
	    "Usage: submission --accounts FILE --tls-cert FILE --tls-key FILE "
	    "[OPTION]...\n"
	    "       submission key, to make the key of a user, the second "
	    "word of a line there\n"
	    "Take mail from the programs of people who log in, and hand it to "
	    "smtpout.\n\n",
	.rules = rules,
	.count = sizeof(rules) / sizeof(rules[0]),
	.shared = &receiver_options_table,
	.shared_offset = AT(in),
};

/* Mail would leave this host in plain text otherwise. */
static int
complete_smtpout(struct settings *s)
{
	struct smarthost place = { .host = SMTPOUT_SOCKET, .port = 25 };
	char *text = s->smtpout;

	if (text != NULL && *text == '/')
		place.host = text;
	else if (text != NULL && sender_options_smarthost(text, &place) == -1)
		place.host = "";
	s->port = place.port;
	if (place.user == NULL && !place.tls_first &&
	    listen_is_loopback(place.host) &&
	    places_target(place.host, place.port, &s->target) == 0)
		return 0;
	return complain(PROGRAM, EX_USAGE,
	    "--smtpout: give the path of its socket, or an address of this "
	    "host, 127.0.0.1:25 say");
}

static int
complete_settings(struct settings *s)
{
	int status;

	if (s->accounts == NULL)
		return complain(PROGRAM, EX_USAGE,
		    "name a file with users, their keys and addresses "
		    "(--accounts FILE); \"submission key\" makes keys");
	if (s->in.tls_certs.count == 0)
		return complain(PROGRAM, EX_USAGE,
		    "passwords are taken in TLS only: name a certificate and "
		    "its key (--tls-cert, --tls-key)");
	status = receiver_options_complete(&s->in, PROGRAM);
	if (status == 0)
		status = complete_smtpout(s);
	return status == 0 ? OPTIONS_GO : status;
}

int
settings_read(int argc, char **argv, struct settings *s)
{
	int status;

	*s = (struct settings){
		.in = receiver_options_defaults,
		.user_hour = 500,
		.user_day = 2000,
	};
	s->in.port = 587;
	status = options_read(&table, argc, argv, s);
	return status == OPTIONS_GO ? complete_settings(s) : status;
}

void
settings_finish(struct settings *s)
{
	option_table_finish(&table, s);
}

void
settings_for_server(const struct settings *s, struct smtpd_settings *out)
{
	receiver_options_for_server(&s->in, out);
	out->flags |=
	    SMTPD_FLAG_AUTH_REQUIRED | SMTPD_FLAG_DSN | SMTPD_FLAG_SMTPUTF8;
	out->max_text_line = AUTHOR_LINE_MAX;
	out->auth_mechanisms =
	    s->no_scram ? "PLAIN LOGIN" : "SCRAM-SHA-256 PLAIN LOGIN";
	out->auth_iterations = KEY_ITERATIONS;
}
