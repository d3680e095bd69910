/* SPDX-License-Identifier: MIT */
/* Send one message from the standard input. */
#include <getopt.h>
#include <smtpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "send.h"

static const char help[] =
    "Usage: smtpsend -f SENDER [OPTION...] RECIPIENT...\n"
    "Send the message on the standard input to the recipients' hosts.\n\n"
    "  -f, --from SENDER     the envelope's sender; '' for the null sender\n"
    "  -s, --smarthost [tls://][USER@]HOST[:PORT]\n"
    "                        send all through HOST; port 25, 587 with USER,\n"
    "                        465 with tls://.  The password of USER is in\n"
    "                        $SMTPSEND_PASSWORD or the password file\n"
    "      --password-file FILE\n"
    "      --tls opportunistic|require|never\n"
    "      --tls-ca FILE     authorities to believe, not the system's\n"
    "      --dns ADDR[:PORT] the DNS server to ask\n"
    "  -p, --port PORT       of the recipients' hosts, instead of 25\n"
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
	VERSION,
};

static const struct option options[] = {
	{ "from", required_argument, NULL, 'f' },
	{ "smarthost", required_argument, NULL, 's' },
	{ "password-file", required_argument, NULL, PASSWORD_FILE },
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

/* What only the start needs. */
struct start {
	struct job job;
	const char *dns;
	const char *ca_file;
	const char *password_file;
	char password[512];
};

static int
complain(int status, const char *what, const char *why)
{
	fprintf(stderr, "smtpsend: %s: %s\n", what, why);
	return status;
}

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
	    : complain(EX_USAGE, text, "no port");
}

static int
read_smarthost(char *text, struct smarthost *s)
{
	return sender_options_smarthost(text, s) == 0
	    ? EX_OK
	    : complain(EX_USAGE, text, "no host, or no port");
}

static int
read_security(const char *text, enum smtpd_security *out)
{
	return sender_options_security(text, out) == 0
	    ? EX_OK
	    : complain(EX_USAGE, text, "opportunistic, require or never");
}

static int
read_option(struct start *s, int option)
{
	struct job *j = &s->job;

	switch (option) {
	case 'f':
		j->envelope.sender = optarg;
		return EX_OK;
	case 's':
		return read_smarthost(optarg, &j->smarthost);
	case 'p':
		return read_port(optarg, &j->port);
	case 'v':
		j->verbose = true;
		j->client.exchange = show_line;
		return EX_OK;
	case TLS:
		return read_security(optarg, &j->client.security);
	case TLS_CA:
		s->ca_file = optarg;
		return EX_OK;
	case DNS:
		s->dns = optarg;
		return EX_OK;
	case HELO:
		j->client.hostname = optarg;
		return EX_OK;
	case PASSWORD_FILE:
		s->password_file = optarg;
		return EX_OK;
	default:
		return EX_USAGE;
	}
}

/* Return EX_OK to go on, else the status to exit with; 0 after --help is told
 * by *DONE. */
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
	s->job.rcpts = argv + optind;
	s->job.nrcpts = (size_t)(argc - optind);
	if (status == EX_OK &&
	    (s->job.envelope.sender == NULL || s->job.nrcpts == 0))
		status = complain(EX_USAGE, "nothing to do",
		    "a sender and a recipient are needed; see --help");
	return status;
}

/* The whole message into a file, since it may be sent more than once. */
static int
read_message(struct job *j)
{
	struct smtpd_outgoing *m = &j->message;
	FILE *file = tmpfile();
	char buf[8192];
	size_t n;

	if (file == NULL)
		return complain(EX_CANTCREAT, "temporary file", "not made");
	while ((n = fread(buf, 1, sizeof(buf), stdin)) > 0) {
		for (size_t i = 0; i < n; i++)
			j->envelope.eight_bit |= (unsigned char)buf[i] > 127;
		if (fwrite(buf, 1, n, file) != n)
			break;
		m->length += n;
	}
	if (ferror(stdin) || ferror(file) || fflush(file) != 0)
		return complain(EX_IOERR, "message", "cannot be copied");
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
			return complain(
			    EX_NOINPUT, s->password_file, "cannot be read");
		found = s->password;
	}
	if (found == NULL)
		return complain(EX_USAGE, s->job.smarthost.user, "no password");
	s->job.client.user = s->job.smarthost.user;
	s->job.client.password = found;
	return EX_OK;
}

/* Who is to be believed and asked.  What is not there is no fault unless it was
 * asked for. */
static int
prepare(struct start *s)
{
	struct job *j = &s->job;
	const struct smtpd_resolver_settings dns = {
		SMTPD_RESOLVER_SETTINGS_INIT, .servers = s->dns,
		.hostname = j->client.hostname, .self_is_good = j->port != 25
	};
	char error[256];

	j->client.tls_first = j->smarthost.tls_first;
	j->client.trust = smtpd_trust_create(s->ca_file, error, sizeof(error));
	if (j->client.trust == NULL && smtpd_tls_supported())
		return complain(EX_NOINPUT, "authorities", error);
	if (j->smarthost.user != NULL && read_password(s) != EX_OK)
		return EX_USAGE;
	if (j->smarthost.host != NULL)
		return EX_OK;
	j->resolver = smtpd_resolver_create(&dns);
	return j->resolver != NULL
	    ? EX_OK
	    : complain(EX_USAGE, "DNS", "there is no server to ask");
}

int
main(int argc, char **argv)
{
	static struct start s = {
		.job = { .port = 25,
		    .client = { SMTPD_CLIENT_SETTINGS_INIT },
		    .envelope = { SMTPD_OUTGOING_ENVELOPE_INIT },
		    .message = { SMTPD_OUTGOING_INIT } }
	};
	bool done = false;
	int status = read_options(&s, argc, argv, &done);

	if (status != EX_OK || done)
		return status;
	status = prepare(&s);
	if (status == EX_OK)
		status = read_message(&s.job);
	if (status == EX_OK)
		status = send_all(&s.job);
	smtpd_resolver_destroy(s.job.resolver);
	smtpd_trust_unref(s.job.client.trust);
	return status;
}
