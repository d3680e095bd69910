/* SPDX-License-Identifier: MIT */
#include "queue_command.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "complain.h"
#include "places.h"
#include "privileges.h"
#include "queue_request.h"
#include "settings.h"

static const char help[] =
    "Usage: smtpout queue [-q DIR] REQUEST\n"
    "Look at the queue, or change it, whether smtpout runs or not.\n\n"
    "  -q, --queue DIR      the queue's directory (" SMTPOUT_QUEUE ")\n\n"
    "  list [--json]        a line, or a JSON object, for each message\n"
    "  show ID... [--json]  envelope and state of a message\n"
    "  cat ID               the message itself\n"
    "  why ID... [--json]   its attempts, their results, and the next one\n"
    "  flush [ID|DOMAIN...] try it, all mail for the domain, or all mail now\n"
    "  hold ID|DOMAIN...    do not try it until it is released\n"
    "  release ID|DOMAIN... end the hold, try it when its time has come\n"
    "  remove ID|DOMAIN...  delete it; its sender is not told\n"
    "  export DIR           write each message to DIR/ID.eml, its envelope to\n"
    "                       DIR/ID.json\n"
    "  check                read the whole queue and report damage\n"
    "  stats [--json]       what was done, and the limits of each site\n\n"
    "The beginning of an ID is enough; an address may stand for a DOMAIN.\n"
    "Exit status: 0 done, 64 usage, 65 damage was found, 66 there is no\n"
    "queue, 69 no such message, 73 cannot make a file, 74 cannot read or\n"
    "write, 75 in use, try again, 77 no permission.\n";

/* The command line. */
struct command {
	const char *directory;
	const char **words;
	size_t count;
	bool help;
};

/* Read the word at *I as an option.  Return false if it is none of ours; set
 * *BAD if its value is missing. */
static bool
read_option(struct command *c, int argc, char **argv, int *i, bool *bad)
{
	static const char whole[] = "--queue=";
	const char *word = argv[*i];

	if (strcmp(word, "--help") == 0) {
		c->help = true;
	} else if (strcmp(word, "-q") == 0 || strcmp(word, "--queue") == 0) {
		*bad = *i + 1 == argc;
		if (!*bad)
			c->directory = argv[++*i];
	} else if (strncmp(word, whole, strlen(whole)) == 0) {
		c->directory = word + strlen(whole);
	} else if (strncmp(word, "-q", 2) == 0) {
		c->directory = word + 2;
	} else {
		return false;
	}
	return true;
}

static int
read_words(struct command *c, int argc, char **argv)
{
	bool bad = false;

	for (int i = 1; i < argc && !bad; i++)
		if (!read_option(c, argc, argv, &i, &bad))
			c->words[c->count++] = argv[i];
	if (bad)
		return complain(
		    PROGRAM, EX_USAGE, "--queue: the directory is missing");
	if (c->count == 0 && !c->help)
		return complain(PROGRAM, EX_USAGE,
		    "queue: the request is missing; see smtpout queue --help");
	return EX_OK;
}

/* The requests that take ids, one or several. */
static const struct request {
	const char *name;
	bool change; /* it writes to the queue's files when no smtpout runs */
} requests[] = {
	{ "show", false },
	{ "cat", false },
	{ "why", false },
	{ "flush", true },
	{ "hold", true },
	{ "release", true },
	{ "remove", true },
};

/* Find the request NAME; NULL when it takes no ids. */
static const struct request *
find_request(const char *name)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (strcmp(requests[i].name, name) == 0)
			return &requests[i];
	return NULL;
}

/* Put the verb before its options: "--json list". */
static void
order_words(struct command *c)
{
	size_t verb = 0;

	while (verb < c->count && c->words[verb][0] == '-')
		verb++;
	if (verb > 0 && verb < c->count) {
		const char *word = c->words[verb];

		memmove(c->words + 1, c->words, verb * sizeof(*c->words));
		c->words[0] = word;
	}
}

/* Ask about each id in turn; return the first status that is not 0. */
static int
ask_each(const struct command *c)
{
	const char *words[3] = { c->words[0] };
	size_t count = 1;
	int status = EX_OK;

	for (size_t i = 1; i < c->count; i++)
		if (c->words[i][0] == '-' && count == 1)
			words[count++] = c->words[i];
	for (size_t i = 1; i < c->count; i++) {
		int result;

		if (c->words[i] == words[1])
			continue;
		words[count] = c->words[i];
		result =
		    queue_request_send(PROGRAM, c->directory, words, count + 1);
		status = status == EX_OK ? result : status;
	}
	return status;
}

static int
ask_queue(struct command *c)
{
	const struct request *request;

	order_words(c);
	request = find_request(c->words[0]);
	/* If something is wrong with the directory, the request says it. */
	if (request != NULL && request->change)
		(void)!privileges_borrow(c->directory);
	return c->count > 2 && request != NULL
	    ? ask_each(c)
	    : queue_request_send(PROGRAM, c->directory, c->words, c->count);
}

int
queue_command(int argc, char **argv)
{
	struct command c = { .directory = SMTPOUT_QUEUE };
	int status;

	c.words = calloc((size_t)argc, sizeof(*c.words));
	if (c.words == NULL)
		return complain(PROGRAM, EX_OSERR, "no memory");
	status = read_words(&c, argc, argv);
	if (status == EX_OK && c.help)
		fputs(help, stdout);
	else if (status == EX_OK)
		status = ask_queue(&c);
	free(c.words);
	return status;
}
