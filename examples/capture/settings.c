/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "complain.h"
#include "options.h"
#include "receive.h"

#define WEB_DEFAULT "127.0.0.1:8025"

/* A message is taken apart with counts of 32 bits. */
#define MESSAGE_MAX (UINT64_C(1) << 30)

#define AT(member) offsetof(struct settings, member)

static const struct option_rule rules[] = {
	{ "listen", .kind = OPTION_SHARED },
	{ "port", 'p', OPTION_NUMBER, "N",
	    "port of addresses that name none (@; 0: any)", AT(in.port), 0,
	    65535 },
	{ "web", 'w', OPTION_TEXT, "ADDR:PORT",
	    "where the page is (" WEB_DEFAULT ")", AT(web), 0, 0 },
	{ "web-name", 0, OPTION_LIST, "NAME",
	    "a name that browsers call it by; repeatable", AT(web_names), 0,
	    0 },
	{ "max-messages", 0, OPTION_NUMBER, "N", "the newest so many (@)",
	    AT(max_messages), 1, 1000000 },
	{ "max-memory", 0, OPTION_NUMBER, "BYTES", "and so many octets (@)",
	    AT(max_memory), 1048576, UINT64_C(1) << 40 },
	{ "max-message-size", .kind = OPTION_SHARED },
	{ "tls", 0, OPTION_SWITCH, NULL,
	    "STARTTLS with a certificate made at the start", AT(tls), 0, 0 },
	{ "tls-cert", .kind = OPTION_SHARED },
	{ "tls-key", .kind = OPTION_SHARED },
	{ "hostname", .kind = OPTION_SHARED },
	{ "log-level", .kind = OPTION_SHARED },
};

static const struct option_table table = {
	.program = PROGRAM,
	.usage = "Usage: capture [OPTION]...\n"
		 "Catch all mail that programs send, and show it in a browser; "
		 "for tests.\n"
		 "By default it listens on 127.0.0.1 and ::1 alone.\n\n",
	.rules = rules,
	.count = sizeof(rules) / sizeof(rules[0]),
	.shared = &receiver_options_table,
	.shared_offset = AT(in),
};

/* Check the settings and fill in the defaults. */
static int
complete_settings(struct settings *s)
{
	uint64_t largest = s->in.max_message_size;
	int status;

	s->in.loopback = s->in.listen.count == 0;
	status = receiver_options_complete(&s->in, PROGRAM);
	if (status != 0)
		return status;
	if (largest == 0 || largest > MESSAGE_MAX || largest > s->max_memory)
		return complain(PROGRAM, EX_USAGE,
		    "--max-message-size: give a number up to %llu that "
		    "--max-memory, %llu, has room for",
		    (unsigned long long)MESSAGE_MAX,
		    (unsigned long long)s->max_memory);
	if (s->tls && s->in.tls_certs.count > 0)
		return complain(PROGRAM, EX_USAGE,
		    "--tls makes a certificate, and --tls-cert gives one: "
		    "leave one of them out");
	if (s->web == NULL)
		s->web = strdup(WEB_DEFAULT);
	if (s->web == NULL)
		return complain(PROGRAM, EX_OSERR, "no memory");
	return OPTIONS_GO;
}

int
settings_read(int argc, char **argv, struct settings *s)
{
	int status;

	*s = (struct settings){
		.in = receiver_options_defaults,
		.max_messages = 500,
		.max_memory = 268435456,
	};
	s->in.port = 1025;
	s->in.tls_port = 0;
	status = options_read(&table, argc, argv, s);
	return status == OPTIONS_GO ? complete_settings(s) : status;
}

void
settings_finish(struct settings *s)
{
	option_table_finish(&table, s);
}

/* All clients are programs of the same few hosts, under test: nothing slows
 * them down.  What the library refuses by its defaults, strict hosts refuse as
 * well, and that is what a test should find. */
void
settings_for_server(const struct settings *s, struct smtpd_settings *out)
{
	receiver_options_for_server(&s->in, out);
	out->flags = SMTPD_FLAG_DSN | SMTPD_FLAG_SMTPUTF8 |
	    SMTPD_FLAG_CHUNKING | SMTPD_FLAG_AUTH_WITHOUT_TLS;
	out->auth = receive_auth;
	out->auth_mechanisms = "PLAIN LOGIN OAUTHBEARER XOAUTH2";
	out->default_domain = "localhost";
	out->max_per_address = SMTPD_NO_LIMIT;
	out->max_per_network = SMTPD_NO_LIMIT;
	out->max_transactions = SMTPD_NO_LIMIT;
	out->errors_soft = SMTPD_NO_LIMIT;
	out->errors_hard = SMTPD_NO_LIMIT;
	/* Parts of messages may be in parts, and so on. */
	out->stack_size = 4 * 1048576;
}
