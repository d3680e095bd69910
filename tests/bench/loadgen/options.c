/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
    "usage: loadgen [options] HOST:PORT\n"
    "Send mail by SMTP and measure; exit status 1 after any unexpected "
    "reply.\n"
    "  -s, --sessions N     sessions at a time (1)\n"
    "  -m, --messages N     stop after N messages, or\n"
    "  -t, --seconds N      after N seconds (3)\n"
    "  -l, --size BYTES     of a message, header included (1024)\n"
    "  -p, --pipelining     where the server offers it\n"
    "  -b, --chunks         by BDAT, one chunk each, where that is offered\n"
    "  -n, --new            a new connection for each message\n"
    "  -r, --recipients N   of each message (1)\n"
    "  -f, --from ADDRESS   sender (sender@example.net); %d is replaced\n"
    "  -u, --to ADDRESS     recipients (user%d@example.org)\n"
    "  -R, --rotate N       %d runs from 0 to N-1 (1)\n"
    "  -S, --sources N      connect from N addresses, 127.0.0.1 on (1)\n"
    "  -q, --sequence       put a distinct X-Bench-Seq: in each message\n"
    "  -i, --idle           open the sessions, print \"open N\", hold them\n"
    "                       until SIGTERM or the end of standard input\n"
    "  -e, --max-errors N   give up after N unexpected replies (1000)\n"
    "  -w, --timeout N      give up after N seconds without progress (30)\n"
    "  -j, --json           results as JSON\n";

static const struct option longs[] = {
	{ "sessions", required_argument, NULL, 's' },
	{ "messages", required_argument, NULL, 'm' },
	{ "seconds", required_argument, NULL, 't' },
	{ "size", required_argument, NULL, 'l' },
	{ "pipelining", no_argument, NULL, 'p' },
	{ "chunks", no_argument, NULL, 'b' },
	{ "new", no_argument, NULL, 'n' },
	{ "recipients", required_argument, NULL, 'r' },
	{ "from", required_argument, NULL, 'f' },
	{ "to", required_argument, NULL, 'u' },
	{ "rotate", required_argument, NULL, 'R' },
	{ "sources", required_argument, NULL, 'S' },
	{ "sequence", no_argument, NULL, 'q' },
	{ "idle", no_argument, NULL, 'i' },
	{ "max-errors", required_argument, NULL, 'e' },
	{ "timeout", required_argument, NULL, 'w' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
complain(const char *what, const char *text)
{
	fprintf(stderr, "loadgen: %s: %s\n", what, text);
	return -1;
}

static int
read_count(const char *text, uint64_t max, uint64_t *out)
{
	char *end;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || text[0] == '-')
		return complain("not a number", text);
	if (n == 0 || n > max)
		return complain("out of range", text);
	*out = n;
	return 0;
}

static int
read_count32(const char *text, uint32_t max, uint32_t *out)
{
	uint64_t n;
	if (read_count(text, max, &n) < 0)
		return -1;
	*out = (uint32_t)n;
	return 0;
}

static int
read_seconds(const char *text, double *out)
{
	char *end;
	double n = strtod(text, &end);
	if (end == text || *end != '\0' || !(n > 0 && n < 1e6))
		return complain("not a time in seconds", text);
	*out = n;
	return 0;
}

/* HOST:PORT or [HOST]:PORT */
static int
read_target(const char *text, struct options *o)
{
	const char *colon = strrchr(text, ':');
	char host[256];
	if (colon == NULL || colon == text)
		return complain("not HOST:PORT", text);
	size_t len = (size_t)(colon - text);
	if (text[0] == '[' && colon[-1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return complain("name too long", text);
	memcpy(host, text, len);
	host[len] = '\0';

	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	int error = getaddrinfo(host, colon + 1, &hints, &found);
	if (error != 0)
		return complain(text, gai_strerror(error));
	memcpy(&o->target, found->ai_addr, found->ai_addrlen);
	o->target_len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int
read_number(int loaded, const char *text, struct options *o)
{
	switch (loaded) {
	case 's':
		return read_count32(text, 1000000, &o->sessions);
	case 'm':
		return read_count(text, UINT64_MAX, &o->messages);
	case 't':
		return read_seconds(text, &o->seconds);
	case 'l':
		return read_count(text, (uint64_t)1 << 32, &o->size);
	case 'r':
		return read_count32(text, 10000, &o->recipients);
	case 'R':
		return read_count32(text, UINT32_MAX, &o->rotate);
	case 'S':
		return read_count32(text, 60000, &o->sources);
	case 'e':
		return read_count32(text, UINT32_MAX, &o->max_errors);
	case 'w':
		return read_count32(text, 86400, &o->timeout);
	default:
		return complain("see", "loadgen --help");
	}
}

static int
read_option(int loaded, const char *text, struct options *o)
{
	switch (loaded) {
	case 'p':
		o->pipelining = true;
		return 0;
	case 'b':
		o->chunks = true;
		return 0;
	case 'n':
		o->new_connections = true;
		return 0;
	case 'i':
		o->idle = true;
		return 0;
	case 'q':
		o->sequence = true;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case 'f':
		o->from = text;
		return 0;
	case 'u':
		o->to = text;
		return 0;
	default:
		return read_number(loaded, text, o);
	}
}

static int
check(const struct options *o)
{
	if (o->sources > 1 && o->target.ss_family != AF_INET)
		return complain("--sources", "only for IPv4 on loopback");
	if (o->idle && o->new_connections)
		return complain("--idle and --new", "choose one");
	return 0;
}

int
options_parse(int argc, char **argv, struct options *out)
{
	*out = (struct options){
		.sessions = 1,
		.size = 1024,
		.recipients = 1,
		.rotate = 1,
		.sources = 1,
		.max_errors = 1000,
		.timeout = 30,
		.from = "sender@example.net",
		.to = "user%d@example.org",
	};
	int loaded;
	while ((loaded = getopt_long(argc, argv,
		    "s:m:t:l:pbnr:f:u:R:S:qie:w:jh", longs, NULL)) != -1) {
		if (loaded == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (read_option(loaded, optarg, out) < 0)
			return EX_USAGE;
	}
	if (optind != argc - 1) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	if (read_target(argv[optind], out) < 0 || check(out) < 0)
		return EX_USAGE;
	if (out->messages == 0 && out->seconds <= 0)
		out->seconds = 3;
	return -1;
}
