/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "complain.h"
#include "dkim_keys.h"
#include "dnssec_check.h"
#include "domain_policies.h"
#include "drop_place.h"
#include "listen.h"
#include "log.h"
#include "mailname.h"
#include "options.h"
#include "places.h"
#include "policies.h"
#include "smarthost.h"
#include "sources.h"
#include "token.h"

#define AT(member) offsetof(struct settings, member)

#define OF_SMTPIN                                                         \
	"smtpout takes mail from this host and sends it out; this is an " \
	"option of smtpin, which takes mail in and stores it"

/* The longest time, 10 years. */
#define YEARS UINT64_C(315360000)

static const struct option_rule rules[] = {
	{ "queue", 'q', OPTION_TEXT, "DIR",
	    "directory of the queue (" SMTPOUT_QUEUE ")", AT(queue), 0, 0 },
	{ "drop-box", 0, OPTION_TEXT, "DIR",
	    "where mail waits while it does not run (" DROP_BOX ")",
	    AT(drop_box), 0, 0 },
	{ "loopback", .kind = OPTION_SHARED,
	    .help = "listen on 127.0.0.1 and ::1 (as by default)" },
	{ "listen", .kind = OPTION_SHARED,
	    .help = "loopback address or socket; repeatable" },
	{ "port", .kind = OPTION_SHARED },
	{ "hostname", .kind = OPTION_SHARED,
	    .help = "name in greeting, EHLO and mail (the machine's)" },
	{ "tls-cert", .kind = OPTION_SHARED,
	    .help = "certificate chain (PEM) for clients; repeatable" },
	{ "tls-key", .kind = OPTION_SHARED },
	{ "tls-port", .kind = OPTION_SHARED },
	{ "log", .kind = OPTION_SHARED },
	{ "log-level", .kind = OPTION_SHARED },
	{ "user", .kind = OPTION_SHARED },
	{ "check", .kind = OPTION_SHARED },
	{ "max-connections", .kind = OPTION_SHARED,
	    .help = "clients at a time (@; 0: no limit)" },
	{ "max-per-address", .kind = OPTION_SHARED,
	    .help = "of these, from one address (all; 0: no limit)" },
	{ "max-per-user", 0, OPTION_NUMBER, "N",
	    "of these, of one local user (@; 0: no limit)", AT(max_per_user), 0,
	    RECEIVER_OPTIONS_MANY },
	{ "user-share", 0, OPTION_NUMBER, "BYTES",
	    "what a local user may queue in a day (an eighth of the disk)",
	    AT(user_share), 1048576, UINT64_C(1) << 62 },
	{ "max-message-size", .kind = OPTION_SHARED },
	{ "max-recipients", .kind = OPTION_SHARED },
	{ "idle-timeout", .kind = OPTION_SHARED },
	{ "milter", .kind = OPTION_SHARED },
	{ "milter-timeout", .kind = OPTION_SHARED },
	{ "milter-failure", .kind = OPTION_SHARED },
	{ "no-ptr", .kind = OPTION_SHARED },
	{ "mailname", 0, OPTION_HOST, "NAME",
	    "domain of addresses without one (that in " MAILNAME_FILE
	    ", or the host's name)",
	    AT(mailname), 0, 0 },
	{ "masquerade", 0, OPTION_HOST, "DOMAIN",
	    "domain that hides this host's in senders", AT(masquerade), 0, 0 },
	{ "aliases", 0, OPTION_TEXT, "FILE",
	    "who gets the mail for local names, see aliases(5)", AT(aliases), 0,
	    0 },
	{ "remove-bcc", 0, OPTION_SWITCH, NULL,
	    "remove Bcc from the header of messages", AT(remove_bcc), 0, 0 },
	{ "repair-cr", 0, OPTION_SWITCH, NULL,
	    "repair CR without LF in messages (refused)", AT(repair_cr), 0, 0 },
	{ "dns", 0, OPTION_TEXT, "ADDR[:PORT]",
	    "DNS server to ask (the system's)", AT(dns), 0, 0 },
	{ "trust-resolver", 0, OPTION_SWITCH, NULL,
	    "believe the AD bit of that server, wherever it is",
	    AT(trust_resolver), 0, 0 },
	{ "remote-port", 0, OPTION_NUMBER, "N",
	    "port of the recipients' hosts (@)", AT(remote_port), 1, 65535 },
	{ "refuse-private", 0, OPTION_SWITCH, NULL,
	    "do not deliver to private addresses", AT(refuse_private), 0, 0 },
	{ "route", 0, OPTION_LIST, "PATTERN=TARGET",
	    "where mail goes, first match: see smtpout(8); repeatable",
	    AT(routes), 0, 0 },
	{ "route-file", 0, OPTION_TEXT, "FILE",
	    "more routes, one a line; SIGHUP reads it again", AT(route_file), 0,
	    0 },
	{ "source", 0, OPTION_LIST, "ADDR[=NAME]",
	    "address mail goes out from, and its name; repeatable", AT(source),
	    0, 0 },
	{ "smarthost", 0, OPTION_TEXT, "HOST[:PORT]",
	    "host for all mail: [tls://][user@]host[:port]", AT(smarthost), 0,
	    0 },
	{ "password-file", 0, OPTION_TEXT, "FILE",
	    "passwords of users at smarthost and routes", AT(password_file), 0,
	    0 },
	{ "token-file", 0, OPTION_TEXT, "FILE",
	    "it has a bearer token for the smarthost", AT(token_file), 0, 0 },
	{ "token-command", 0, OPTION_TEXT, "COMMAND",
	    "it prints one: PATH [ARGUMENT]...", AT(token_command), 0, 0 },
	{ "auth-mechanisms", 0, OPTION_TEXT, "NAME[,NAME]",
	    "how to log in there (the best that is offered)",
	    AT(auth_mechanisms), 0, 0 },
	{ "retry-min", 0, OPTION_NUMBER, "SECONDS",
	    "wait before the second attempt; doubles (@)", AT(retry_min), 1,
	    YEARS },
	{ "retry-max", 0, OPTION_NUMBER, "SECONDS",
	    "longest wait between two attempts (@)", AT(retry_max), 1, YEARS },
	{ "lifetime", 0, OPTION_NUMBER, "SECONDS",
	    "until mail is returned to its sender (@)", AT(lifetime), 1,
	    YEARS },
	{ "delay-notice", 0, OPTION_NUMBER, "SECONDS",
	    "until a delay is reported to it (@; 0: never)", AT(delay_notice),
	    0, YEARS },
	{ "postmaster", 0, OPTION_TEXT, "ADDRESS",
	    "who gets mail for accounts of this host, and is told of reports "
	    "that nobody takes",
	    AT(postmaster), 0, 0 },
	{ "tls", 0, OPTION_LIST, "[DOMAIN=]POLICY",
	    "opportunistic, encrypt, require[,match=NAME], never; repeatable",
	    AT(tls), 0, 0 },
	{ "no-dane", 0, OPTION_SWITCH, NULL, "look up no TLSA records of hosts",
	    AT(no_dane), 0, 0 },
	{ "tls-lost", 0, OPTION_TEXT, "defer|plain",
	    "mail for a host that does no TLS any more (plain, after a wait)",
	    AT(tls_lost), 0, 0 },
	{ "tls-ca", 0, OPTION_TEXT, "FILE",
	    "authorities of hosts (PEM; the system's)", AT(tls_ca), 0, 0 },
	{ "mta-sts", 0, OPTION_TEXT, "on|off",
	    "keep to policies that domains publish (on, where it is built in)",
	    AT(mta_sts), 0, 0 },
	{ "mta-sts-ca", 0, OPTION_TEXT, "FILE",
	    "authorities of their web servers (PEM; the system's)",
	    AT(mta_sts_ca), 0, 0 },
	{ "tls-report", 0, OPTION_TEXT, "on|off",
	    "report how TLS went to domains that ask (on with --dkim)",
	    AT(tls_report), 0, 0 },
	{ "client-cert", 0, OPTION_TEXT, "FILE",
	    "certificate chain (PEM) to show to hosts", AT(client_cert), 0, 0 },
	{ "client-key", 0, OPTION_TEXT, "FILE", "its key (PEM)", AT(client_key),
	    0, 0 },
	{ "dkim", 0, OPTION_LIST, "DOMAIN:SELECTOR:KEYFILE",
	    "sign mail from DOMAIN with the key; repeatable", AT(dkim), 0, 0 },
	{ "dkim-subdomains", 0, OPTION_SWITCH, NULL,
	    "sign mail from their subdomains too", AT(dkim_subdomains), 0, 0 },
	{ "dkim-as-is", 0, OPTION_SWITCH, NULL,
	    "sign 8-bit mail as it is (converted before)", AT(dkim_as_is), 0,
	    0 },
	{ "dkim-fields", 0, OPTION_TEXT, "LIST",
	    "header fields to sign, NAME[?]:...", AT(dkim_fields), 0, 0 },
	{ "connect-timeout", 0, OPTION_NUMBER, "SECONDS",
	    "time to connect to a host (@)", AT(connect_timeout), 1, 3600 },
	{ "command-timeout", 0, OPTION_NUMBER, "SECONDS",
	    "time for each of its replies (0: RFC 5321's)", AT(command_timeout),
	    0, 3600 },
	{ "workers", 0, OPTION_NUMBER, "N", "connections out at a time (@)",
	    AT(workers), 1, 10000 },
	{ "site-connections", 0, OPTION_NUMBER, "N",
	    "of these, to one site (@)", AT(site_connections), 1, 10000 },
	{ "limit", 0, OPTION_LIST, "PATTERN:LIMITS",
	    "rate=N/s,connections=N,... of a site; first match; repeatable",
	    AT(limit), 0, 0 },
	{ "queue-segment", 0, OPTION_NUMBER, "BYTES",
	    "size of a file of the queue's journal (64M, less on a small disk)",
	    AT(queue_segment), 1048576, 1073741824 },
	{ "min-free", 0, OPTION_NUMBER, "BYTES",
	    "what new mail leaves free of the disk (a twentieth)", AT(min_free),
	    1, UINT64_C(1) << 62 },
	{ "interface", 'i', OPTION_REFUSED, "IF", OF_SMTPIN, 0, 0, 0 },
	{ "users", 'u', OPTION_REFUSED, "FILE", OF_SMTPIN, 0, 0, 0 },
	{ "maildir", 'm', OPTION_REFUSED, "PATTERN", OF_SMTPIN, 0, 0, 0 },
	{ "quota", 0, OPTION_REFUSED, "BYTES", OF_SMTPIN, 0, 0, 0 },
	{ "dnsbl", 0, OPTION_REFUSED, "ZONE[=REPLY]", OF_SMTPIN, 0, 0, 0 },
	{ "dnswl", 0, OPTION_REFUSED, "ZONE[=REPLY]", OF_SMTPIN, 0, 0, 0 },
	{ "list-dns", 0, OPTION_REFUSED, "ADDR", OF_SMTPIN, 0, 0, 0 },
	{ "slow-after", 0, OPTION_REFUSED, "N", OF_SMTPIN, 0, 0, 0 },
	{ "close-after", 0, OPTION_REFUSED, "N", OF_SMTPIN, 0, 0, 0 },
	{ "greet-delay", 0, OPTION_REFUSED, "SECONDS", OF_SMTPIN, 0, 0, 0 },
	{ "lmtp", 0, OPTION_REFUSED, "ADDRESS", OF_SMTPIN, 0, 0, 0 },
	{ "tls-tickets", 0, OPTION_REFUSED, NULL, OF_SMTPIN, 0, 0, 0 },
	{ "proxy-from", 0, OPTION_REFUSED, "NET", OF_SMTPIN, 0, 0, 0 },
	{ "xclient-from", 0, OPTION_REFUSED, "NET", OF_SMTPIN, 0, 0, 0 },
	{ "max-rate", 0, OPTION_REFUSED, "N/s", OF_SMTPIN, 0, 0, 0 },
	{ "max-rcpt-rate", 0, OPTION_REFUSED, "N/s", OF_SMTPIN, 0, 0, 0 },
};

static const struct option_table table = {
	.program = PROGRAM,
	.usage =
	    "Usage: smtpout [OPTION]...\n"
	    "       smtpout queue [-q DIR] REQUEST..., see smtpout queue "
	    "--help\n"
	    "       smtpout dkim-key DOMAIN:SELECTOR:KEYFILE, see smtpout "
	    "dkim-key --help\n"
	    "Accept mail from programs on this host, keep it safe, and send it "
	    "out.\n\n",
	.rules = rules,
	.count = sizeof(rules) / sizeof(rules[0]),
	.shared = &receiver_options_table,
	.shared_offset = AT(in),
};

/* Read --limit. */
static int
complete_limits(struct settings *s)
{
	if (s->limit.count == 0)
		return 0;
	s->limits = calloc(1, sizeof(*s->limits));
	if (s->limits != NULL)
		s->limits->list =
		    calloc(s->limit.count, sizeof(*s->limits->list));
	if (s->limits == NULL || s->limits->list == NULL)
		return complain(PROGRAM, EX_OSERR, "no memory");
	for (size_t i = 0; i < s->limit.count; i++) {
		struct site_limit *l = &s->limits->list[s->limits->count++];
		const char *fault = site_limits_parse(s->limit.items[i], l);

		if (fault != NULL)
			return complain(PROGRAM, EX_USAGE, "--limit %s: %s",
			    s->limit.items[i], fault);
	}
	return 0;
}

/* Read --source. */
static int
complete_sources(struct settings *s)
{
	char why[256];

	for (size_t i = 0; i < s->source.count; i++)
		if (sources_read(s->source.items[i], s->sources, &s->nsources,
			why, sizeof(why)) == -1)
			return complain(PROGRAM, EX_USAGE, "--source: %s", why);
	return 0;
}

static int
complete_certificate(struct settings *s)
{
	if ((s->client_cert != NULL) != (s->client_key != NULL))
		return complain(PROGRAM, EX_USAGE,
		    "--client-cert and --client-key go together");
	return 0;
}

static int
complete_times(const struct settings *s)
{
	if (s->retry_max < s->retry_min)
		return complain(
		    PROGRAM, EX_USAGE, "--retry-max is less than --retry-min");
	return 0;
}

static int
complete_postmaster(struct settings *s)
{
	char buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address a;

	if (s->postmaster == NULL ||
	    (smtpd_address_parse(s->postmaster, buf, sizeof(buf), &a) == 0 &&
		a.domain[0] != '\0'))
		return 0;
	return complain(PROGRAM, EX_USAGE,
	    "--postmaster: \"%s\" is not an address with a domain",
	    s->postmaster);
}

static int
complete_dkim(struct settings *s)
{
	struct dkim_spec spec;

	for (size_t i = 0; i < s->dkim.count; i++)
		if (dkim_keys_divide(s->dkim.items[i], &spec) == -1)
			return complain(PROGRAM, EX_USAGE,
			    "--dkim: \"%s\" is not DOMAIN:SELECTOR:KEYFILE",
			    s->dkim.items[i]);
	if (s->dkim.count == 0 &&
	    (s->dkim_fields != NULL || s->dkim_subdomains || s->dkim_as_is))
		return complain(PROGRAM, EX_USAGE,
		    "%s: there is no --dkim DOMAIN:SELECTOR:KEYFILE",
		    s->dkim_fields != NULL   ? "--dkim-fields"
			: s->dkim_subdomains ? "--dkim-subdomains"
					     : "--dkim-as-is");
	return 0;
}

static int
complete_receiving(struct settings *s)
{
	int status = receiver_options_complete(&s->in, PROGRAM);
	char name[HOSTNAME_SIZE], why[512];

	if (status != 0 || s->mailname != NULL)
		return status;
	if (mailname_read(name, why, sizeof(why)) == -1)
		return complain(
		    PROGRAM, EX_CONFIG, "%s, or give --mailname", why);
	s->mailname = strdup(name[0] != '\0' ? name : s->in.name);
	if (s->mailname == NULL)
		return complain(PROGRAM, EX_OSERR, "no memory");
	return 0;
}

static int
complete_listen(struct settings *s)
{
	for (size_t i = 0; i < s->in.listen.count; i++)
		if (s->in.listen.items[i][0] != '/' &&
		    strchr(s->in.listen.items[i], '/') != NULL)
			return complain(PROGRAM, EX_USAGE,
			    "--listen %s: the path of a socket begins with "
			    "\"/\"",
			    s->in.listen.items[i]);
	for (size_t i = 0; i < s->in.listen.count; i++)
		if (!listen_is_loopback(s->in.listen.items[i]))
			return complain(PROGRAM, EX_USAGE,
			    "--listen %s: other hosts could reach it: smtpout "
			    "takes mail from this host only, on 127.0.0.1, ::1 "
			    "or the path of a socket; smtpin takes it from "
			    "others",
			    s->in.listen.items[i]);
	if (s->in.listen.count == 0 && !s->in.loopback)
		s->in.loopback = s->default_socket = true;
	if (s->in.max_per_address == RECEIVER_OPTIONS_UNSET)
		s->in.max_per_address = s->in.max_connections;
	return 0;
}

/* Check the settings and fill in the defaults. */
static int
complete_settings(struct settings *s)
{
	static int (*const steps[])(struct settings *) = { complete_listen,
		complete_receiving, policies_complete, smarthost_complete,
		complete_limits, complete_sources, complete_certificate,
		complete_postmaster, complete_dkim, domain_policies_complete,
		dnssec_check_servers };
	int status = complete_times(s);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (status == 0)
			status = steps[i](s);
	if (status == 0 && s->queue == NULL)
		s->queue = strdup(SMTPOUT_QUEUE);
	if (status == 0 && s->queue == NULL)
		status = complain(PROGRAM, EX_OSERR, "no memory");
	return status == 0 ? OPTIONS_GO : status;
}

int
settings_read(int argc, char **argv, struct settings *s)
{
	int status;

	*s = (struct settings){
		.in = receiver_options_defaults,
		.max_per_user = 100,
		.remote_port = 25,
		.retry_min = 300,
		.retry_max = 7200,
		.lifetime = 432000,
		.delay_notice = 14400,
		.connect_timeout = 30,
		.workers = 64,
		.site_connections = 10,
	};
	s->in.max_per_address = RECEIVER_OPTIONS_UNSET;
	status = options_read(&table, argc, argv, s);
	return status == OPTIONS_GO ? complete_settings(s) : status;
}

void
settings_finish(struct settings *s)
{
	option_table_finish(&table, s);
	free(s->rules);
	free(s->names);
	if (s->limits != NULL)
		free(s->limits->list);
	free(s->limits);
	s->limits = NULL;
	s->rules = NULL;
}

/* Refused commands of one session, as many as there may be recipients. */
#define ERRORS_MAX 1000

/* All clients are programs of this host: their number is limited in all, not by
 * address, one may send as much as it has in one session, a list with some bad
 * addresses is not slowed down, and what a program does not know is filled in
 * for it. */
void
settings_for_server(const struct settings *s, struct smtpd_settings *out)
{
	receiver_options_for_server(&s->in, out);
	out->flags |= SMTPD_FLAG_DSN | SMTPD_FLAG_BARE_ADDRESSES |
	    SMTPD_FLAG_SMTPUTF8 | SMTPD_FLAG_LOCAL_USERS |
	    SMTPD_FLAG_REQUIRETLS;
	out->default_domain = s->mailname;
	if (s->repair_cr)
		out->bare_cr = SMTPD_TREAT_REPAIR;
	out->errors_soft = ERRORS_MAX;
	out->errors_hard = ERRORS_MAX;
	out->max_per_network = SMTPD_NO_LIMIT;
	out->max_per_user = receiver_options_limit(s->max_per_user);
	out->max_transactions = SMTPD_NO_LIMIT;
	out->session_timeout_ms = SMTPD_NO_TIMEOUT;
}
