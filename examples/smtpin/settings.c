/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "complain.h"
#include "log.h"
#include "options.h"

#define AT(member) offsetof(struct settings, member)

#define OF_SMTPOUT                                                           \
	"smtpin takes mail in and stores it; this is an option of smtpout, " \
	"which sends mail out"

static const struct option_rule rules[] = {
	{ "interface", 'i', OPTION_TEXT, "IF",
	    "listen on it (default: where the Internet is)", AT(interface), 0,
	    0 },
	{ "loopback", 'l', OPTION_SWITCH, NULL, "listen on 127.0.0.1 and ::1",
	    AT(loopback), 0, 0 },
	{ "listen", 'a', OPTION_LIST, "ADDR[:PORT]",
	    "listen there too; may be repeated", AT(listen), 0, 0 },
	{ "port", 'p', OPTION_NUMBER, "N", "port to listen on (25; 0: off)",
	    AT(port), 0, 65535 },
	{ "hostname", 'H', OPTION_TEXT, "NAME",
	    "name in greeting and mail (the machine's)", AT(hostname), 0, 0 },
	{ "users", 'u', OPTION_TEXT, "FILE", "map of lines \"user : address\"",
	    AT(users), 0, 0 },
	{ "maildir", 'm', OPTION_TEXT, "PATTERN",
	    "(/var/mail/%u/Maildir); %u user, %d domain", AT(maildir), 0, 0 },
	{ "tls-cert", 'c', OPTION_LIST, "FILE",
	    "certificate chain (PEM); may be repeated", AT(tls_certs), 0, 0 },
	{ "tls-key", 'k', OPTION_LIST, "FILE",
	    "its key; one for each certificate", AT(tls_keys), 0, 0 },
	{ "tls-port", 's', OPTION_NUMBER, "N",
	    "port with TLS at once (465 with -c; 0: off)", AT(tls_port), 0,
	    65535 },
	{ "log", 'j', OPTION_TEXT, "FILE",
	    "journal: a file or \"syslog\" (stderr)", AT(log), 0, 0 },
	{ "log-level", 'n', OPTION_LEVEL, "LEVEL",
	    "error warning info debug trace, or 0-255", AT(log_level), 0, 0 },
	{ "user", 'U', OPTION_TEXT, "NAME",
	    "become NAME once the ports are open", AT(user), 0, 0 },
	{ "max-connections", 0, OPTION_NUMBER, "N",
	    "in all (1000; 0: no limit)", AT(max_connections), 0, 1000000 },
	{ "max-per-address", 0, OPTION_NUMBER, "N",
	    "connections of one client (20; 0: no limit)", AT(max_per_address),
	    0, 1000000 },
	{ "max-message-size", 0, OPTION_NUMBER, "BYTES",
	    "of one message (52428800; 0: no limit)", AT(max_message_size), 0,
	    UINT64_C(1) << 62 },
	{ "max-recipients", 0, OPTION_NUMBER, "N",
	    "of one message, at least 100 (1000; 0: any)", AT(max_recipients),
	    0, 1000000 },
	{ "idle-timeout", 0, OPTION_NUMBER, "SECONDS",
	    "of a silent client (300; 0: never)", AT(idle_timeout), 0, 86400 },
	{ "queue", 'q', OPTION_REFUSED, "DIR", OF_SMTPOUT, 0, 0, 0 },
	{ "dns", 0, OPTION_REFUSED, "ADDR", OF_SMTPOUT, 0, 0, 0 },
	{ "remote-port", 0, OPTION_REFUSED, "N", OF_SMTPOUT, 0, 0, 0 },
	{ "smarthost", 0, OPTION_REFUSED, "HOST", OF_SMTPOUT, 0, 0, 0 },
	{ "retry-min", 0, OPTION_REFUSED, "SECONDS", OF_SMTPOUT, 0, 0, 0 },
	{ "retry-max", 0, OPTION_REFUSED, "SECONDS", OF_SMTPOUT, 0, 0, 0 },
	{ "lifetime", 0, OPTION_REFUSED, "SECONDS", OF_SMTPOUT, 0, 0, 0 },
	{ "delay-notice", 0, OPTION_REFUSED, "SECONDS", OF_SMTPOUT, 0, 0, 0 },
	{ "tls", 0, OPTION_REFUSED, "POLICY", OF_SMTPOUT, 0, 0, 0 },
	{ "tls-ca", 0, OPTION_REFUSED, "FILE", OF_SMTPOUT, 0, 0, 0 },
	{ "connect-timeout", 0, OPTION_REFUSED, "SECONDS", OF_SMTPOUT, 0, 0,
	    0 },
	{ "command-timeout", 0, OPTION_REFUSED, "SECONDS", OF_SMTPOUT, 0, 0,
	    0 },
	{ "workers", 0, OPTION_REFUSED, "N", OF_SMTPOUT, 0, 0, 0 },
	{ "site-connections", 0, OPTION_REFUSED, "N", OF_SMTPOUT, 0, 0, 0 },
};

static const struct option_table table = {
	.program = PROGRAM,
	.usage = "Usage: smtpin --users FILE [OPTION]...\n"
		 "Receive mail by SMTP and store it in the Maildirs of local "
		 "users.\n\n",
	.rules = rules,
	.count = sizeof(rules) / sizeof(rules[0]),
};

/* As long as nobody set the port. */
#define UNSET UINT64_MAX

static int
complete_tls(struct settings *s)
{
	if (s->tls_certs.count != s->tls_keys.count)
		return complain(PROGRAM, EX_USAGE,
		    "%zu certificates and %zu keys: give --tls-cert and "
		    "--tls-key for each certificate, in the same order",
		    s->tls_certs.count, s->tls_keys.count);
	if (s->tls_port == UNSET)
		s->tls_port = s->tls_certs.count > 0 ? 465 : 0;
	if (s->tls_port != 0 && s->tls_certs.count == 0)
		return complain(PROGRAM, EX_USAGE,
		    "--tls-port %llu: TLS needs a certificate and its key "
		    "(--tls-cert, --tls-key)",
		    (unsigned long long)s->tls_port);
	if (s->tls_port != 0 && s->tls_port == s->port)
		return complain(PROGRAM, EX_USAGE,
		    "--tls-port %llu: that is --port as well; 0 turns either "
		    "off",
		    (unsigned long long)s->tls_port);
	return OPTIONS_GO;
}

/* Check what was given, and fill in what was not. */
static int
complete(struct settings *s)
{
	if (s->users == NULL)
		return complain(PROGRAM, EX_USAGE,
		    "which users are there? name a file with lines "
		    "\"user : address\" (--users FILE)");
	if (s->max_recipients != 0 && s->max_recipients < 100)
		return complain(PROGRAM, EX_USAGE,
		    "--max-recipients: RFC 5321 wants at least 100");
	if (s->hostname != NULL && !hostname_is_valid(s->hostname))
		return complain(PROGRAM, EX_USAGE,
		    "--hostname: \"%s\" is not the name of a host",
		    s->hostname);
	if (s->hostname != NULL)
		snprintf(s->name, sizeof(s->name), "%s", s->hostname);
	else if (hostname_find(s->name) == -1)
		return complain(PROGRAM, EX_CONFIG,
		    "this machine has no name that mail can use: give one "
		    "(--hostname)");
	if (s->maildir == NULL)
		s->maildir = strdup("/var/mail/%u/Maildir");
	if (s->maildir == NULL)
		return complain(PROGRAM, EX_OSERR, "no memory");
	return complete_tls(s);
}

int
settings_read(int argc, char **argv, struct settings *s)
{
	int status;

	*s = (struct settings){
		.port = 25,
		.tls_port = UNSET,
		.log_level = SMTPD_LOG_INFO,
		.max_connections = 1000,
		.max_per_address = 20,
		.max_message_size = 52428800,
		.max_recipients = 1000,
		.idle_timeout = 300,
	};
	status = options_read(&table, argc, argv, s);
	return status == OPTIONS_GO ? complete(s) : status;
}

void
settings_finish(struct settings *s)
{
	options_finish(&table, s);
}

/* A limit of the command line, where 0 means none, as the library has it. */
static uint32_t
limit(uint64_t n)
{
	return n == 0 ? SMTPD_NO_LIMIT : (uint32_t)n;
}

void
settings_for_server(const struct settings *s, struct smtpd_settings *out)
{
	*out = (struct smtpd_settings){
		.hostname = s->name,
		.log = s->log_level > 0 ? log_text : NULL,
		.log_level = s->log_level < SMTPD_LOG_TRACE
		    ? (enum smtpd_log_level)s->log_level
		    : SMTPD_LOG_TRACE,
		.max_connections = limit(s->max_connections),
		.max_per_address = limit(s->max_per_address),
		/* As the library's defaults, 20 and 50. */
		.max_per_network = limit(s->max_per_address * 5 / 2),
		.max_recipients = limit(s->max_recipients),
		.max_message_size = s->max_message_size != 0
		    ? s->max_message_size
		    : SMTPD_NO_SIZE_LIMIT,
		.idle_timeout_ms = s->idle_timeout != 0
		    ? (uint32_t)s->idle_timeout * 1000
		    : SMTPD_NO_TIMEOUT,
	};
}
