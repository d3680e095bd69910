/* SPDX-License-Identifier: MIT */
#include "receiver_options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "complain.h"
#include "log.h"

#define AT(member) offsetof(struct receiver_options, member)

static const struct option_rule rules[] = {
	{ "loopback", 'l', OPTION_SWITCH, NULL, "listen on 127.0.0.1 and ::1",
	    AT(loopback), 0, 0 },
	{ "listen", 'a', OPTION_LIST, "ADDR[:PORT]",
	    "address to listen on; repeatable", AT(listen), 0, 0 },
	{ "port", 'p', OPTION_NUMBER, "N",
	    "port of addresses that name none (@; 0: off)", AT(port), 0,
	    65535 },
	{ "hostname", 'H', OPTION_HOST, "NAME",
	    "name in greeting and mail (the machine's)", AT(hostname), 0, 0 },
	{ "tls-cert", 'c', OPTION_LIST, "FILE",
	    "certificate chain (PEM); repeatable", AT(tls_certs), 0, 0 },
	{ "tls-key", 'k', OPTION_LIST, "FILE",
	    "its key; one for each certificate", AT(tls_keys), 0, 0 },
	{ "tls-port", 's', OPTION_NUMBER, "N",
	    "port with TLS at once (465 with -c; 0: off)", AT(tls_port), 0,
	    65535 },
	{ "log", 'j', OPTION_TEXT, "FILE",
	    "log to a file, or to \"syslog\" (stderr)", AT(log), 0, 0 },
	{ "log-level", 'n', OPTION_LEVEL, "LEVEL",
	    "error warning info debug trace, or 0-255", AT(log_level), 0, 0 },
	{ "check", 0, OPTION_SWITCH, NULL, "read what a start reads, and exit",
	    AT(check), 0, 0 },
	{ "user", 'U', OPTION_TEXT, "NAME",
	    "become NAME once the ports are open", AT(user), 0, 0 },
	{ "max-connections", 0, OPTION_NUMBER, "N",
	    "connections at a time (@; 0: no limit)", AT(max_connections), 0,
	    RECEIVER_OPTIONS_MANY },
	{ "max-per-address", 0, OPTION_NUMBER, "N",
	    "of these, from one address (@; 0: no limit)", AT(max_per_address),
	    0, RECEIVER_OPTIONS_MANY },
	{ "max-message-size", 0, OPTION_NUMBER, "BYTES",
	    "largest message (@; 0: no limit)", AT(max_message_size), 0,
	    UINT64_C(1) << 62 },
	{ "max-recipients", 0, OPTION_NUMBER, "N",
	    "recipients of a message (@; 0: no limit)", AT(max_recipients), 0,
	    RECEIVER_OPTIONS_MANY },
	{ "idle-timeout", 0, OPTION_NUMBER, "SECONDS",
	    "longest silence of a client (@; 0: no limit)", AT(idle_timeout), 0,
	    86400 },
	{ "milter", 0, OPTION_LIST, "ADDRESS",
	    "unix:PATH or HOST:PORT of a milter; repeatable", AT(milters), 0,
	    0 },
	{ "milter-timeout", 0, OPTION_NUMBER, "SECONDS",
	    "what a milter may take for a message (@)", AT(milter_timeout), 1,
	    3600 },
	{ "milter-failure", 0, OPTION_TEXT, "WHAT",
	    "if one fails: tempfail, accept, reject (tempfail)",
	    AT(milter_failure), 0, 0 },
	{ "no-ptr", 0, OPTION_SWITCH, NULL,
	    "look up no names of clients for milters", AT(no_ptr), 0, 0 },
};

const struct option_table receiver_options_table = {
	.rules = rules,
	.count = sizeof(rules) / sizeof(rules[0]),
};

const struct receiver_options receiver_options_defaults = {
	.port = 25,
	.tls_port = RECEIVER_OPTIONS_UNSET,
	.log_level = SMTPD_LOG_INFO,
	.max_connections = 1000,
	.max_per_address = 20,
	.max_message_size = 52428800,
	.max_recipients = 1000,
	.idle_timeout = 300,
	.milter_timeout = 300,
};

static int
complete_name(struct receiver_options *r, const char *program)
{
	if (r->hostname != NULL)
		snprintf(r->name, sizeof(r->name), "%s", r->hostname);
	else if (hostname_find(r->name) == -1)
		return complain(program, EX_CONFIG,
		    "this machine has no name that mail can use: give one "
		    "(--hostname)");
	return 0;
}

static int
complete_tls(struct receiver_options *r, const char *program)
{
	if (r->tls_certs.count != r->tls_keys.count)
		return complain(program, EX_USAGE,
		    "of --tls-cert there are %zu, of --tls-key %zu: give both "
		    "for each certificate, in the same order",
		    r->tls_certs.count, r->tls_keys.count);
	if (r->tls_port == RECEIVER_OPTIONS_UNSET)
		r->tls_port = r->tls_certs.count > 0 ? 465 : 0;
	if (r->tls_port != 0 && r->tls_certs.count == 0)
		return complain(program, EX_USAGE,
		    "--tls-port %llu: TLS needs a certificate and its key "
		    "(--tls-cert, --tls-key)",
		    (unsigned long long)r->tls_port);
	if (r->tls_port != 0 && r->tls_port == r->port)
		return complain(program, EX_USAGE,
		    "--tls-port %llu: that is --port as well; 0 turns either "
		    "off",
		    (unsigned long long)r->tls_port);
	return 0;
}

int
receiver_options_complete(struct receiver_options *r, const char *program)
{
	int status;

	if (r->max_recipients != 0 && r->max_recipients < 100)
		return complain(program, EX_USAGE,
		    "--max-recipients: RFC 5321 wants at least 100");
	status = complete_name(r, program);
	return status == 0 ? complete_tls(r, program) : status;
}

uint32_t
receiver_options_limit(uint64_t n)
{
	return n == 0 ? SMTPD_NO_LIMIT : (uint32_t)n;
}

/* 5 for each 2 that an address may have, as by the library's defaults for
 * connections, 50 and 20. */
uint32_t
receiver_options_network_limit(uint64_t n)
{
	if (n == 0 || n == SMTPD_NO_LIMIT)
		return SMTPD_NO_LIMIT;
	return (uint32_t)(n * 5 / 2);
}

void
receiver_options_for_server(
    const struct receiver_options *r, struct smtpd_settings *out)
{
	*out = (struct smtpd_settings){
		SMTPD_SETTINGS_INIT,
		.hostname = r->name,
		.flags = SMTPD_FLAG_NO_TRANSACTION_LOG | SMTPD_FLAG_CHUNKING,
		.log = r->log_level > 0 ? log_text : NULL,
		.log_level = log_level_nearest(r->log_level),
		.max_connections = receiver_options_limit(r->max_connections),
		.max_per_address = receiver_options_limit(r->max_per_address),
		.max_per_network =
		    receiver_options_network_limit(r->max_per_address),
		.max_recipients = receiver_options_limit(r->max_recipients),
		.max_message_size = r->max_message_size != 0
		    ? r->max_message_size
		    : SMTPD_NO_SIZE_LIMIT,
		.idle_timeout_ms = r->idle_timeout != 0
		    ? (uint32_t)r->idle_timeout * 1000
		    : SMTPD_NO_TIMEOUT,
	};
}
