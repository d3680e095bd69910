/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "complain.h"
#include "options.h"

#define MAILDIR_DEFAULT "/var/mail/%u/Maildir"

#define AT(member) offsetof(struct settings, member)

#define OF_SMTPOUT                                                           \
	"smtpin takes mail in and stores it; this is an option of smtpout, " \
	"which sends mail out"

static const struct option_rule rules[] = {
	{ "interface", 'i', OPTION_LIST, "IF",
	    "interface to listen on; repeatable", AT(interfaces), 0, 0 },
	{ "loopback", .kind = OPTION_SHARED },
	{ "listen", .kind = OPTION_SHARED },
	{ "lmtp", 0, OPTION_LIST, "ADDRESS",
	    "port or socket for LMTP; repeatable", AT(lmtp), 0, 0 },
	{ "port", .kind = OPTION_SHARED },
	{ "hostname", .kind = OPTION_SHARED },
	{ "users", 'u', OPTION_TEXT, "FILE", "map of lines \"user : address\"",
	    AT(users), 0, 0 },
	{ "maildir", 'm', OPTION_TEXT, "PATTERN",
	    "path of a Maildir (" MAILDIR_DEFAULT ")", AT(maildir), 0, 0 },
	{ "tls-cert", .kind = OPTION_SHARED },
	{ "tls-key", .kind = OPTION_SHARED },
	{ "tls-port", .kind = OPTION_SHARED },
	{ "tls-tickets", 0, OPTION_SWITCH, NULL,
	    "let clients resume TLS sessions by tickets", AT(tls_tickets), 0,
	    0 },
	{ "dns", 0, OPTION_TEXT, "ADDR[:PORT]",
	    "DNS server that --check asks (the system's)", AT(dns), 0, 0 },
	{ "log", .kind = OPTION_SHARED },
	{ "log-level", .kind = OPTION_SHARED },
	{ "user", .kind = OPTION_SHARED },
	{ "check", .kind = OPTION_SHARED },
	{ "max-connections", .kind = OPTION_SHARED },
	{ "max-per-address", .kind = OPTION_SHARED },
	{ "max-message-size", .kind = OPTION_SHARED },
	{ "max-recipients", .kind = OPTION_SHARED },
	{ "idle-timeout", .kind = OPTION_SHARED },
	{ "milter", .kind = OPTION_SHARED },
	{ "milter-timeout", .kind = OPTION_SHARED },
	{ "milter-failure", .kind = OPTION_SHARED },
	{ "no-ptr", .kind = OPTION_SHARED },
	{ "min-free", 0, OPTION_NUMBER, "BYTES",
	    "what stays free of the disk (@)", AT(min_free), 1,
	    UINT64_C(1) << 62 },
	{ "quota", 0, OPTION_NUMBER, "BYTES",
	    "what a mailbox may hold (@; 0: no limit)", AT(quota), 0,
	    UINT64_C(1) << 62 },
	{ "slow-after", 0, OPTION_NUMBER, "N",
	    "refusals until a client is slowed (@; 0: off)", AT(slow_after), 0,
	    RECEIVER_OPTIONS_MANY },
	{ "close-after", 0, OPTION_NUMBER, "N",
	    "refusals until it is sent away (@; 0: off)", AT(close_after), 0,
	    RECEIVER_OPTIONS_MANY },
	{ "greet-delay", 0, OPTION_NUMBER, "SECONDS",
	    "before the greeting, for early talkers (@)", AT(greet_delay), 0,
	    60 },
	{ "proxy-from", 0, OPTION_LIST, "NET",
	    "where connections come by a proxy; repeatable", AT(proxy_from), 0,
	    0 },
	{ "xclient-from", 0, OPTION_LIST, "NET",
	    "whose filters may say XCLIENT; repeatable", AT(xclient_from), 0,
	    0 },
	{ "dnsbl", 0, OPTION_LIST, "ZONE[=REPLY]",
	    "DNS list of clients to refuse; repeatable", AT(dnsbl), 0, 0 },
	{ "dnswl", 0, OPTION_LIST, "ZONE[=REPLY]",
	    "DNS list of those to take all the same", AT(dnswl), 0, 0 },
	{ "list-dns", 0, OPTION_TEXT, "ADDR",
	    "DNS servers for these lists (the system's)", AT(list_dns), 0, 0 },
	{ "max-rate", 0, OPTION_TEXT, "N/s",
	    "new connections of an address; /m, /h (no limit)", AT(max_rate), 0,
	    0 },
	{ "max-rcpt-rate", 0, OPTION_TEXT, "N/s",
	    "recipients that it names, likewise (no limit)", AT(max_rcpt_rate),
	    0, 0 },
	{ "queue", 'q', OPTION_REFUSED, "DIR", OF_SMTPOUT, 0, 0, 0 },
	{ "drop-box", 0, OPTION_REFUSED, "DIR", OF_SMTPOUT, 0, 0, 0 },
	{ "max-per-user", 0, OPTION_REFUSED, "N", OF_SMTPOUT, 0, 0, 0 },
	{ "remove-bcc", 0, OPTION_REFUSED, NULL, OF_SMTPOUT, 0, 0, 0 },
	{ "repair-cr", 0, OPTION_REFUSED, NULL, OF_SMTPOUT, 0, 0, 0 },
	{ "trust-resolver", 0, OPTION_REFUSED, NULL, OF_SMTPOUT, 0, 0, 0 },
	{ "no-dane", 0, OPTION_REFUSED, NULL, OF_SMTPOUT, 0, 0, 0 },
	{ "tls-lost", 0, OPTION_REFUSED, "defer|plain", OF_SMTPOUT, 0, 0, 0 },
	{ "mta-sts", 0, OPTION_REFUSED, "on|off", OF_SMTPOUT, 0, 0, 0 },
	{ "mta-sts-ca", 0, OPTION_REFUSED, "FILE", OF_SMTPOUT, 0, 0, 0 },
	{ "tls-report", 0, OPTION_REFUSED, "on|off", OF_SMTPOUT, 0, 0, 0 },
	{ "remote-port", 0, OPTION_REFUSED, "N", OF_SMTPOUT, 0, 0, 0 },
	{ "refuse-private", 0, OPTION_REFUSED, NULL, OF_SMTPOUT, 0, 0, 0 },
	{ "route", 0, OPTION_REFUSED, "PATTERN=TARGET", OF_SMTPOUT, 0, 0, 0 },
	{ "route-file", 0, OPTION_REFUSED, "FILE", OF_SMTPOUT, 0, 0, 0 },
	{ "smarthost", 0, OPTION_REFUSED, "HOST", OF_SMTPOUT, 0, 0, 0 },
	{ "password-file", 0, OPTION_REFUSED, "FILE", OF_SMTPOUT, 0, 0, 0 },
	{ "postmaster", 0, OPTION_REFUSED, "ADDRESS", OF_SMTPOUT, 0, 0, 0 },
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
	{ "limit", 0, OPTION_REFUSED, "PATTERN:LIMITS", OF_SMTPOUT, 0, 0, 0 },
	{ "mailname", 0, OPTION_REFUSED, "NAME", OF_SMTPOUT, 0, 0, 0 },
	{ "masquerade", 0, OPTION_REFUSED, "DOMAIN", OF_SMTPOUT, 0, 0, 0 },
	{ "aliases", 0, OPTION_REFUSED, "FILE", OF_SMTPOUT, 0, 0, 0 },
	{ "source", 0, OPTION_REFUSED, "ADDR[=NAME]", OF_SMTPOUT, 0, 0, 0 },
	{ "token-file", 0, OPTION_REFUSED, "FILE", OF_SMTPOUT, 0, 0, 0 },
	{ "token-command", 0, OPTION_REFUSED, "COMMAND", OF_SMTPOUT, 0, 0, 0 },
	{ "auth-mechanisms", 0, OPTION_REFUSED, "NAME[,NAME]", OF_SMTPOUT, 0, 0,
	    0 },
	{ "client-cert", 0, OPTION_REFUSED, "FILE", OF_SMTPOUT, 0, 0, 0 },
	{ "client-key", 0, OPTION_REFUSED, "FILE", OF_SMTPOUT, 0, 0, 0 },
	{ "dkim", 0, OPTION_REFUSED, "DOMAIN:SELECTOR:KEYFILE", OF_SMTPOUT, 0,
	    0, 0 },
	{ "dkim-subdomains", 0, OPTION_REFUSED, NULL, OF_SMTPOUT, 0, 0, 0 },
	{ "user-share", 0, OPTION_REFUSED, "BYTES", OF_SMTPOUT, 0, 0, 0 },
	{ "dkim-as-is", 0, OPTION_REFUSED, NULL, OF_SMTPOUT, 0, 0, 0 },
	{ "dkim-fields", 0, OPTION_REFUSED, "LIST", OF_SMTPOUT, 0, 0, 0 },
	{ "dkim-as-is", 0, OPTION_REFUSED, NULL, OF_SMTPOUT, 0, 0, 0 },
	{ "queue-segment", 0, OPTION_REFUSED, "BYTES", OF_SMTPOUT, 0, 0, 0 },
};

static const struct option_table table = {
	.program = PROGRAM,
	.usage = "Usage: smtpin --users FILE [OPTION]...\n"
		 "Receive mail by SMTP and store it in the Maildirs of local "
		 "users.\n\n",
	.rules = rules,
	.count = sizeof(rules) / sizeof(rules[0]),
	.shared = &receiver_options_table,
	.shared_offset = AT(in),
};

/* Read TEXT, "10/s" say, or NULL for no limit, into OUT.  Return 0 or
 * EX_USAGE. */
static int
read_rate(const char *option, const char *text, struct rate *out)
{
	static const struct {
		const char *text;
		uint32_t ms;
	} units[] = { { "/s", 1000 }, { "/m", 60000 }, { "/h", 3600000 } };
	unsigned long n;
	char *end;

	*out = (struct rate){ SMTPD_NO_LIMIT, 0 };
	if (text == NULL)
		return 0;
	n = strtoul(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].text) == 0)
			out->window_ms = units[i].ms;
	}
	if (out->window_ms == 0 || text[0] < '1' || text[0] > '9' ||
	    n > RECEIVER_OPTIONS_MANY)
		return complain(PROGRAM, EX_USAGE,
		    "%s %s: that is no rate: give a number from 1 to %d and a "
		    "time, 10/s, 100/m or 1000/h",
		    option, text, RECEIVER_OPTIONS_MANY);
	out->count = (uint32_t)n;
	return 0;
}

/* Check the settings and fill in the defaults. */
static int
complete_settings(struct settings *s)
{
	int status;

	if (s->users == NULL)
		return complain(PROGRAM, EX_USAGE,
		    "the map of users is missing: name a file with lines "
		    "\"user : address\" (--users FILE); to send mail of this "
		    "host out, start smtpout");
	status = receiver_options_complete(&s->in, PROGRAM);
	if (status == 0)
		status = read_rate("--max-rate", s->max_rate, &s->connect_rate);
	if (status == 0)
		status = read_rate(
		    "--max-rcpt-rate", s->max_rcpt_rate, &s->rcpt_rate);
	if (status != 0)
		return status;
	if (s->maildir == NULL)
		s->maildir = strdup(MAILDIR_DEFAULT);
	if (s->maildir == NULL)
		return complain(PROGRAM, EX_OSERR, "no memory");
	return OPTIONS_GO;
}

int
settings_read(int argc, char **argv, struct settings *s)
{
	int status;

	*s = (struct settings){
		.in = receiver_options_defaults,
		.min_free = 8388608,
		.slow_after = 5,
		.close_after = 20,
	};
	status = options_read(&table, argc, argv, s);
	return status == OPTIONS_GO ? complete_settings(s) : status;
}

void
settings_finish(struct settings *s)
{
	option_table_finish(&table, s);
}

/* A Maildir has lines of any length. */
void
settings_for_server(const struct settings *s, struct smtpd_settings *out)
{
	receiver_options_for_server(&s->in, out);
	out->flags |= SMTPD_FLAG_SMTPUTF8;
	out->max_text_line = SMTPD_NO_LIMIT;
	out->errors_hard = receiver_options_limit(s->close_after);
	out->errors_soft = receiver_options_limit(s->slow_after);
	if (out->errors_soft > out->errors_hard)
		out->errors_soft = out->errors_hard;
	out->greet_delay_ms = (uint32_t)s->greet_delay * 1000;
	out->connect_rate_per_address = s->connect_rate.count;
	out->connect_rate_per_network =
	    receiver_options_network_limit(s->connect_rate.count);
	out->connect_rate_ms = s->connect_rate.window_ms;
	out->rcpt_rate_per_address = s->rcpt_rate.count;
	out->rcpt_rate_per_network =
	    receiver_options_network_limit(s->rcpt_rate.count);
	out->rcpt_rate_ms = s->rcpt_rate.window_ms;
}
