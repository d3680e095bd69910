/* SPDX-License-Identifier: MIT */

/* smtpsend: send one message from the standard input. */

#include <getopt.h>
#include <smtpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "mechanisms.h"
#include "send.h"
#include "sources.h"
#include "startup.h"
#include "token.h"

#define PROGRAM "smtpsend"

static const char help[] =
    "Usage: smtpsend -f SENDER [OPTION...] RECIPIENT...\n"
    "Send the message on the standard input to the recipients' hosts.\n\n"
    "  -f, --from SENDER     the envelope's sender; '' for the null sender\n"
    "  -s, --smarthost [tls://][USER@]HOST[:PORT]\n"
    "                        send all through HOST; port 25, 587 with USER,\n"
    "                        465 with tls://.  The password of USER is in\n"
    "                        $SMTPSEND_PASSWORD or the password file\n"
    "      --password-file FILE\n"
    "      --token-file FILE, --token-command COMMAND\n"
    "                        a bearer token (OAuth 2.0) instead of a password\n"
    "      --auth-mechanisms NAME[,NAME]  the only ones to log in by\n"
    "      --tls opportunistic|encrypt|require|never\n"
    "      --tls-ca FILE     authorities to believe, not the system's\n"
    "      --client-cert FILE, --client-key FILE\n"
    "                        a certificate of our own, and its key\n"
    "      --dns ADDR[:PORT] the DNS server to ask\n"
    "  -p, --port PORT       of the recipients' hosts, instead of 25\n"
    "      --source ADDR[=NAME]  address to send from, and our name there\n"
    "      --helo NAME       our name\n"
    "  -v, --verbose         show the dialogue\n"
    "  -h, --help, --version\n\n"
    "Exit status: 0 sent, 75 not all yet, 69 refused for some, 64 usage.\n";

enum {
	TLS = 256,
	TLS_CA,
	DNS,
	HELO,
	PASSWORD_FILE,
	TOKEN_FILE,
	TOKEN_COMMAND,
	MECHANISMS,
	CLIENT_CERT,
	CLIENT_KEY,
	SOURCE,
	VERSION,
};

static const struct option options[] = {
	{ "from", required_argument, NULL, 'f' },
	{ "smarthost", required_argument, NULL, 's' },
	{ "password-file", required_argument, NULL, PASSWORD_FILE },
	{ "token-file", required_argument, NULL, TOKEN_FILE },
	{ "token-command", required_argument, NULL, TOKEN_COMMAND },
	{ "auth-mechanisms", required_argument, NULL, MECHANISMS },
	{ "client-cert", required_argument, NULL, CLIENT_CERT },
	{ "client-key", required_argument, NULL, CLIENT_KEY },
	{ "source", required_argument, NULL, SOURCE },
	{ "tls", required_argument, NULL, TLS },
	{ "tls-ca", required_argument, NULL, TLS_CA },
	{ "dns", required_argument, NULL, DNS },
	{ "port", required_argument, NULL, 'p' },
	{ "helo", required_argument, NULL, HELO },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, VERSION },
	{ NULL, 0, NULL, 0 },
};

/* The run, and what only its start needs. */
struct start {
	struct run run;
	const char *dns;
	const char *ca_file;
	const char *password_file;
	const char *token_file;
	const char *token_command;
	char *mechanisms;
	const char *client_cert;
	const char *client_key;
	struct smtpd_source sources[SOURCES_MAX];
	struct token_source token;
	char password[512];
};

static void
show_line(void *user, bool sent, const char *line)
{
	(void)user;
	fprintf(stderr, "%c %s\n", sent ? '>' : '<', line);
}

static int
read_port(const char *text, uint16_t *port)
{
	return sender_options_port(text, port) == 0
	    ? EX_OK
	    : complain(PROGRAM, EX_USAGE, "-p: \"%s\" is not a port", text);
}

static int
read_smarthost(char *text, struct smarthost *s)
{
	return sender_options_smarthost(text, s) == 0
	    ? EX_OK
	    : complain(PROGRAM, EX_USAGE,
		  "-s: \"%s\" is not [tls://][user@]host[:port]", text);
}

static int
read_security(const char *text, enum smtpd_security *out)
{
	return sender_options_security(text, out) == 0
	    ? EX_OK
	    : complain(PROGRAM, EX_USAGE,
		  "--tls: \"%s\" is not opportunistic, encrypt, "
		  "require or never",
		  text);
}

static int
read_source(struct start *s, char *text)
{
	struct smtpd_client_settings *client = &s->run.client;
	char why[256];

	client->sources = s->sources;
	return sources_read(
		   text, s->sources, &client->nsources, why, sizeof(why)) == 0
	    ? EX_OK
	    : complain(PROGRAM, EX_USAGE, "--source: %s", why);
}

static int
read_option(struct start *s, int option)
{
	struct run *run = &s->run;

	switch (option) {
	case 'f':
		run->envelope.sender = optarg;
		return EX_OK;
	case 's':
		return read_smarthost(optarg, &run->smarthost);
	case 'p':
		return read_port(optarg, &run->port);
	case 'v':
		run->verbose = true;
		run->client.exchange = show_line;
		return EX_OK;
	case TLS:
		return read_security(optarg, &run->client.security);
	case TLS_CA:
		s->ca_file = optarg;
		return EX_OK;
	case DNS:
		s->dns = optarg;
		return EX_OK;
	case HELO:
		run->client.hostname = optarg;
		return EX_OK;
	case PASSWORD_FILE:
		s->password_file = optarg;
		return EX_OK;
	case TOKEN_FILE:
		s->token_file = optarg;
		return EX_OK;
	case TOKEN_COMMAND:
		s->token_command = optarg;
		return EX_OK;
	case MECHANISMS:
		s->mechanisms = optarg;
		return EX_OK;
	case CLIENT_CERT:
		s->client_cert = optarg;
		return EX_OK;
	case CLIENT_KEY:
		s->client_key = optarg;
		return EX_OK;
	case SOURCE:
		return read_source(s, optarg);
	default:
		return EX_USAGE;
	}
}

/* Return EX_OK to continue, else the status to exit with.  *DONE is set after
 * --help and --version. */
static int
read_options(struct start *s, int argc, char **argv, bool *done)
{
	int option, status = EX_OK;

	while (status == EX_OK &&
	    (option = getopt_long(argc, argv, "f:s:p:vh", options, NULL)) !=
		-1) {
		*done = option == 'h' || option == VERSION;
		if (*done) {
			printf("%s%s", option == 'h' ? help : smtpd_version(),
			    option == 'h' ? "" : "\n");
			return EX_OK;
		}
		status = read_option(s, option);
	}
	s->run.rcpts = argv + optind;
	s->run.nrcpts = (size_t)(argc - optind);
	if (status == EX_OK &&
	    (s->run.envelope.sender == NULL || s->run.nrcpts == 0))
		status = complain(PROGRAM, EX_USAGE,
		    "give a sender (-f) and a recipient; see --help");
	return status;
}

static void
end_line(struct smtpd_outgoing *m, FILE *file)
{
	fputs("\r\n", file);
	m->length += 2;
}

/* Copy the message to a file, since it may be sent more than once, as it will
 * be sent, for its size is declared: each line, and so the last, ends with
 * CRLF. */
static int
read_message(struct run *run)
{
	struct smtpd_outgoing *m = &run->message;
	FILE *file = tmpfile();
	int c, before = EOF;

	if (file == NULL)
		return complain(
		    PROGRAM, EX_CANTCREAT, "cannot make a temporary file");
	for (; (c = getc(stdin)) != EOF; before = c) {
		run->envelope.eight_bit |= c > 127;
		if (c == '\r' || (c == '\n' && before != '\r')) {
			end_line(m, file);
		} else if (c != '\n') {
			putc(c, file);
			m->length++;
		}
	}
	if (before != '\r' && before != '\n' && before != EOF)
		end_line(m, file);
	if (ferror(stdin) || ferror(file) || fflush(file) != 0)
		return complain(PROGRAM, EX_IOERR, "cannot copy the message");
	m->fd = fileno(file);
	return EX_OK;
}

static int
read_password(struct start *s)
{
	const char *found = getenv("SMTPSEND_PASSWORD");

	if (s->password_file != NULL) {
		if (sender_options_password(s->password_file, s->password,
			sizeof(s->password)) == -1)
			return complain(PROGRAM, EX_NOINPUT,
			    "cannot read the password file %s",
			    s->password_file);
		found = s->password;
	}
	if (found == NULL)
		return complain(PROGRAM, EX_USAGE,
		    "the password of %s is missing: set "
		    "SMTPSEND_PASSWORD, or give --password-file, "
		    "--token-file or --token-command",
		    s->run.smarthost.user);
	s->run.client.password = found;
	return EX_OK;
}

static int
read_token(struct start *s)
{
	char why[1024];

	s->run.client.credentials = token_source_get;
	s->run.client.credentials_user = &s->token;
	return token_source_check(&s->token, why, sizeof(why)) == 0
	    ? EX_OK
	    : complain(PROGRAM, EX_NOINPUT, "%s", why);
}

/* Prepare how the user of the smarthost logs in. */
static int
prepare_login(struct start *s)
{
	const bool has_token =
	    s->token_file != NULL || s->token_command != NULL;
	const int secrets = (s->password_file != NULL) +
	    (s->token_file != NULL) + (s->token_command != NULL);
	char why[256];
	int status;

	if (secrets > 1)
		return complain(PROGRAM, EX_USAGE,
		    "only one of --password-file, --token-file and "
		    "--token-command can be given");
	if (s->run.smarthost.user == NULL)
		return secrets == 0 && s->mechanisms == NULL
		    ? EX_OK
		    : complain(PROGRAM, EX_USAGE,
			  "there is nobody to log in as: give -s USER@HOST");
	if (s->mechanisms != NULL &&
	    mechanisms_read(s->mechanisms, has_token, why, sizeof(why)) == -1)
		return complain(
		    PROGRAM, EX_USAGE, "--auth-mechanisms: %s", why);
	status = has_token ? read_token(s) : read_password(s);
	s->run.client.user = s->run.smarthost.user;
	s->run.client.mechanisms = s->mechanisms;
	return status;
}

/* Load the authorities, and our own certificate. */
static int
load_trust(struct start *s)
{
	struct smtpd_client_settings *client = &s->run.client;
	char error[1024];

	if ((s->client_cert != NULL) != (s->client_key != NULL))
		return complain(PROGRAM, EX_USAGE,
		    "--client-cert and --client-key go together");
	client->trust = smtpd_trust_create(s->ca_file, error, sizeof(error));
	if (client->trust == NULL && !smtpd_tls_supported() &&
	    s->client_cert == NULL)
		return EX_OK;
	if (client->trust == NULL)
		return complain(PROGRAM, EX_NOINPUT,
		    "cannot load the authorities: %s", error);
	if (s->client_cert != NULL &&
	    smtpd_trust_add_files(client->trust, s->client_cert, s->client_key,
		error, sizeof(error)) == -1)
		return complain(PROGRAM, EX_NOINPUT, "%s", error);
	return EX_OK;
}

/* Load the authorities, what to log in by, and the DNS servers.  Only what an
 * option asked for must be there. */
static int
prepare_run(struct start *s)
{
	struct run *run = &s->run;
	const struct smtpd_resolver_settings dns = {
		SMTPD_RESOLVER_SETTINGS_INIT, .servers = s->dns,
		.self_is_good = run->port != 25
	};
	int status;

	run->client.tls_first = run->smarthost.tls_first;
	status = load_trust(s);
	if (status == EX_OK)
		status = prepare_login(s);
	if (status != EX_OK)
		return status;
	if (run->smarthost.host != NULL)
		return EX_OK;
	run->resolver = smtpd_resolver_create(&dns);
	return run->resolver != NULL
	    ? EX_OK
	    : complain(PROGRAM, EX_USAGE, "there is no DNS server to ask");
}

int
main(int argc, char **argv)
{
	static struct start s = {
		.run = { .port = 25,
		    .client = { SMTPD_CLIENT_SETTINGS_INIT },
		    .envelope = { SMTPD_OUTGOING_ENVELOPE_INIT },
		    .message = { SMTPD_OUTGOING_INIT } }
	};
	bool done = false;
	int status;

	startup_prepare();
	status = read_options(&s, argc, argv, &done);
	if (status != EX_OK || done)
		return status;
	token_source_init(&s.token, s.token_file, s.token_command);
	status = prepare_run(&s);
	if (status == EX_OK)
		status = read_message(&s.run);
	if (status == EX_OK)
		status = send_all(&s.run);
	smtpd_resolver_destroy(s.run.resolver);
	smtpd_trust_unref(s.run.client.trust);
	token_source_finish(&s.token);
	return status;
}
