/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include <smtpd/version.h>

#include "address_list.h"
#include "complain.h"
#include "drop_place.h"
#include "places.h"
#include "sender_options.h"

/* The result of reading an option, unless the program is to exit. */
#define CONTINUE (-1)

enum {
	HOST = 256,
	PORT,
	QUEUE,
	BOX,
	HELP,
	VERSION,
};

static const struct option longs[] = {
	{ "host", required_argument, NULL, HOST },
	{ "port", required_argument, NULL, PORT },
	{ "queue", required_argument, NULL, QUEUE },
	{ "drop-box", required_argument, NULL, BOX },
	{ "help", no_argument, NULL, HELP },
	{ "version", no_argument, NULL, VERSION },
	{ NULL, 0, NULL, 0 },
};

/* The options that Sendmail knows, or knew once.  Those that make no difference
 * here are ignored, with their values. */
static const char letters[] =
    ":A:B:b:C:D:d::Ee:F:f:Gh:IiL:M:mN:nO:o:p:q::R:r:sTtUV:vX:x";

static const char help[] =
    "Usage: smtpout-sendmail [OPTION]... [RECIPIENT]...\n"
    "Submit the message on the standard input to smtpout.\n\n"
    "  -t             send to the recipients in To, Cc and Bcc too; drop Bcc\n"
    "  -i, -oi        a line with a dot does not end the message\n"
    "  -f, -r SENDER  the envelope's sender (this user)\n"
    "  -F NAME        in From, if that is missing (this user's)\n"
    "  -N never|failure,delay,success\n"
    "  -R hdrs|full, -V ENVID\n"
    "                 what to be told of its delivery (RFC 3461)\n"
    "  -bs            speak SMTP with smtpout\n"
    "  -bp            list the queue\n"
    "  -bv            say where mail for the recipients would go\n"
    "  -q, -qIID, -qRDOMAIN\n"
    "                 try all that is in it now, a message, mail for a domain\n"
    "  -v             show the dialogue\n"
    "  --host ADDR    where smtpout listens, or the path of its socket\n"
    "                 ($SMTPOUT_HOST, " SMTPOUT_SOCKET " or\n"
    "                 127.0.0.1)\n"
    "  --port N       its port there ($SMTPOUT_PORT, 25)\n"
    "  --drop-box DIR where mail waits while it does not run\n"
    "                 ($SMTPOUT_DROP_BOX, " DROP_BOX ")\n"
    "  --queue DIR    its queue ($SMTPOUT_QUEUE, " SMTPOUT_QUEUE ")\n"
    "  --help, --version\n\n"
    "Other options of Sendmail are ignored.\n"
    "Exit status: 0 queued, 75 not now, 64 usage, 65 a bad address, 69 refused."
    "\n";

static int
complain_usage(const char *option, const char *value)
{
	return complain(PROGRAM, EX_USAGE,
	    "%s: \"%s\" is not a value for it; see --help", option, value);
}

/* -N: "never", or some of the others. */
static int
read_notify(struct arguments *a, const char *text)
{
	static const char *const words[] = { "success", "failure", "delay" };
	size_t len = strlen(text);

	if (len >= sizeof(a->notify_text))
		return complain_usage("-N", text);
	for (const char *at = text; strcasecmp(text, "never") != 0;) {
		size_t n = strcspn(at, ",");
		bool known = false;

		for (size_t i = 0; i < 3; i++)
			known |= strlen(words[i]) == n &&
			    strncasecmp(words[i], at, n) == 0;
		if (!known)
			return complain_usage("-N", text);
		at += n;
		if (*at == '\0')
			break;
		at++;
	}
	memcpy(a->notify_text, text, len + 1);
	a->notify = a->notify_text;
	return CONTINUE;
}

static int
read_ret(struct arguments *a, const char *text)
{
	if (strcasecmp(text, "full") != 0 && strcasecmp(text, "hdrs") != 0)
		return complain_usage("-R", text);
	a->ret = strcasecmp(text, "full") == 0 ? "FULL" : "HDRS";
	return CONTINUE;
}

/* -V, as xtext (RFC 3461, 4). */
static int
read_envid(struct arguments *a, const char *text)
{
	size_t at = 0;

	if (strlen(text) > 100)
		return complain_usage("-V", text);
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < ' ' || c > '~')
			return complain_usage("-V", text);
		if (c == ' ' || c == '+' || c == '=')
			at += (size_t)snprintf(a->envid_text + at,
			    sizeof(a->envid_text) - at, "+%02X", c);
		else
			a->envid_text[at++] = (char)c;
	}
	a->envid_text[at] = '\0';
	a->envid = a->envid_text;
	return CONTINUE;
}

static int
read_mode(struct arguments *a, const char *text)
{
	switch (*text) {
	case 'm':
		return CONTINUE;
	case 'p':
		a->mode = MODE_LIST;
		return CONTINUE;
	case 's':
		a->mode = MODE_SESSION;
		return CONTINUE;
	case 'v':
		a->mode = MODE_VERIFY;
		return CONTINUE;
	case 'i':
		a->mode = MODE_NOTHING;
		return CONTINUE;
	default:
		a->mode = MODE_NOTHING;
		return complain(PROGRAM, EX_USAGE,
		    "-b%s: this program submits a message (-bm), speaks SMTP "
		    "(-bs), lists the queue (-bp) or verifies addresses (-bv)",
		    text);
	}
}

/* A port is one of TCP. */
static int
read_port(struct arguments *a, const char *text)
{
	if (a->host == NULL)
		a->host = "127.0.0.1";
	return sender_options_port(text, &a->port) == 0
	    ? CONTINUE
	    : complain_usage("--port", text);
}

/* -q: all, an id, or mail for a domain or an address, is tried; a time is that
 * of a daemon, of which there is one. */
static int
read_queue(struct arguments *a, const char *text)
{
	const char *value = text + (*text != '\0');

	a->mode = MODE_FLUSH;
	if (*text == '\0' || strcmp(text, "f") == 0)
		return CONTINUE;
	if ((*text == 'I' || *text == 'R') && *value != '\0') {
		a->flush = *text == 'R' && *value == '@' ? value + 1 : value;
		return CONTINUE;
	}
	a->mode = MODE_NOTHING;
	if (isdigit((unsigned char)(*text == 'p' ? *value : *text)))
		return CONTINUE;
	return complain(PROGRAM, EX_USAGE,
	    "-q%s: -q tries all mail now, -qIID one message, -qRDOMAIN or "
	    "-qRADDRESS the mail for that; smtpout queue list shows senders",
	    text);
}

static int
read_option(struct arguments *a, int option)
{
	switch (option) {
	case 'b':
		return read_mode(a, optarg);
	case 'F':
		a->name = optarg;
		return CONTINUE;
	case 'f':
	case 'r':
		a->sender = optarg;
		return CONTINUE;
	case 'i':
	case 'I':
		a->dot_is_text = true;
		return CONTINUE;
	case 'o':
		a->dot_is_text |= strcmp(optarg, "i") == 0;
		return CONTINUE;
	case 'O':
		a->dot_is_text |= strcasecmp(optarg, "IgnoreDots") == 0 ||
		    strcasecmp(optarg, "IgnoreDots=true") == 0;
		return CONTINUE;
	case 'N':
		return read_notify(a, optarg);
	case 'q':
		return read_queue(a, optarg != NULL ? optarg : "");
	case 'R':
		return read_ret(a, optarg);
	case 't':
		a->from_header = true;
		return CONTINUE;
	case 'V':
		return read_envid(a, optarg);
	case 'v':
		a->verbose = true;
		return CONTINUE;
	case HOST:
		a->host = optarg;
		return CONTINUE;
	case PORT:
		return read_port(a, optarg);
	case QUEUE:
		a->queue = optarg;
		return CONTINUE;
	case BOX:
		a->drop_box = optarg;
		return CONTINUE;
	case HELP:
		fputs(help, stdout);
		return EX_OK;
	case VERSION:
		printf("%s %s\n", PROGRAM, smtpd_version());
		return EX_OK;
	default:
		return CONTINUE;
	}
}

static int
read_environment(struct arguments *a)
{
	const char *host = getenv("SMTPOUT_HOST");
	const char *port = getenv("SMTPOUT_PORT");
	const char *queue = getenv("SMTPOUT_QUEUE");

	a->host = host;
	a->drop_program = getenv("SMTPOUT_DROP");
	if (a->drop_program == NULL)
		a->drop_program = SMTPOUT_DROP;
	a->drop_box = getenv("SMTPOUT_DROP_BOX");
	a->queue = queue != NULL ? queue : SMTPOUT_QUEUE;
	a->port = 25;
	return port != NULL ? read_port(a, port) : CONTINUE;
}

static int
read_rcpts(struct arguments *a, char **words)
{
	for (; *words != NULL; words++)
		if (address_list_parse_each(
			*words, strlen(*words), &a->rcpts, &a->bad) == -1)
			return complain(PROGRAM, EX_OSERR, "no memory");
	return CONTINUE;
}

/* Exim has options -oM whose values are words of their own. */
static bool
is_exim_option(const char *value)
{
	static const char *const names[] = { "Ma", "Maa", "Mai", "Mas", "Mi",
		"Mm", "Mr", "Ms", "Mt" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(value, names[i]) == 0)
			return true;
	return false;
}

/* What getopt_long() refused.  Letters that Sendmail does not have either are
 * ignored. */
static int
refuse_option(int result, char **argv)
{
	if (optopt > 0 && optopt < HOST)
		return result == '?'
		    ? CONTINUE
		    : complain(PROGRAM, EX_USAGE,
			  "a value is missing after -%c; see --help", optopt);
	return complain(PROGRAM, EX_USAGE, "%s %s; see --help",
	    result == ':' ? "a value is missing after" : "there is no option",
	    argv[optind - 1]);
}

int
arguments_read(struct arguments *a, int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *called = slash != NULL ? slash + 1 : argv[0];
	int option, status;

	*a = (struct arguments){ .mode = MODE_SUBMIT };
	if (strcmp(called, "mailq") == 0)
		a->mode = MODE_LIST;
	if (strcmp(called, "newaliases") == 0)
		a->mode = MODE_NOTHING;
	status = read_environment(a);
	opterr = 0;
	optind = 0;
	while (status == CONTINUE &&
	    (option = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (option == '?' || option == ':')
			status = refuse_option(option, argv);
		else
			status = read_option(a, option);
		if (option == 'o' && is_exim_option(optarg) && optind < argc &&
		    argv[optind][0] != '-')
			optind++;
	}
	/* Mail for another smtpout must not reach the usual one. */
	if (a->drop_box == NULL &&
	    (a->host != NULL || strcmp(a->queue, SMTPOUT_QUEUE) != 0))
		a->drop_program = NULL;
	return status == CONTINUE ? read_rcpts(a, argv + optind) : status;
}

void
arguments_finish(struct arguments *a)
{
	text_list_finish(&a->rcpts);
	text_list_finish(&a->bad);
}
