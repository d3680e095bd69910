/* SPDX-License-Identifier: MIT */
#include "verify.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "ascii.h"
#include "complain.h"
#include "identity.h"
#include "target.h"

#define LINE_SIZE 1024

/* How long smtpout may take for a reply. */
#define REPLY_SECONDS 60

/* The lines of an exchange. */
struct exchange {
	FILE *in, *out;
	bool verbose;
};

/* Send a line. */
static void say_line(struct exchange *x, const char *format, ...)
    SMTPD_PRINTF(2, 3);

static void
say_line(struct exchange *x, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (x->verbose)
		fprintf(stderr, ">>> %s\n", line);
	fprintf(x->out, "%s\r\n", line);
	fflush(x->out);
}

/* The text of LINE, which has a code, behind that and an enhanced one. */
static const char *
text_of(const char *line)
{
	const char *text = line + 3 + (line[3] != '\0');
	size_t len = strspn(text, "0123456789.");

	return len > 0 && text[len] == ' ' ? text + len + 1 : text;
}

/* Read a reply, and print its lines behind WHO (NULL: do not).  Return its
 * code, 0 when there is none. */
static int
read_reply(struct exchange *x, const char *who)
{
	char line[LINE_SIZE];
	int code;

	do {
		if (fgets(line, sizeof(line), x->in) == NULL)
			return 0;
		line[strcspn(line, "\r\n")] = '\0';
		if (x->verbose)
			fprintf(stderr, "<<< %s\n", line);
		if (sscanf(line, "%3d", &code) != 1 || strlen(line) < 3)
			return 0;
		if (who != NULL)
			printf("%s: %s\n", who, text_of(line));
	} while (line[3] == '-');
	return code;
}

/* Ask about one recipient.  Return an exit status. */
static int
verify_recipient(struct exchange *x, const char *rcpt)
{
	int code;

	say_line(x, "EXPN %s%s", rcpt, ascii_is(rcpt) ? "" : " SMTPUTF8");
	code = read_reply(x, rcpt);
	if (code == 0 || code == 421)
		return EX_TEMPFAIL;
	return code < 300 ? EX_OK : code < 500 ? EX_TEMPFAIL : EX_UNAVAILABLE;
}

/* The answer may depend on the sender of a message. */
static int
ask_all(
    struct exchange *x, const struct arguments *a, const struct identity *id)
{
	int status = EX_OK;

	if (read_reply(x, NULL) != 220)
		return EX_TEMPFAIL;
	say_line(x, "EHLO %s", id->host);
	if (read_reply(x, NULL) != 250)
		return EX_TEMPFAIL;
	say_line(x, "MAIL FROM:<%s>%s", id->sender,
	    ascii_is(id->sender) ? "" : " SMTPUTF8");
	read_reply(x, NULL);
	for (size_t i = 0; i < a->rcpts.count && status != EX_TEMPFAIL; i++) {
		int result = verify_recipient(x, a->rcpts.items[i]);

		if (status == EX_OK || result == EX_TEMPFAIL)
			status = result;
	}
	say_line(x, "QUIT");
	return status;
}

/* Ask over FD, which is closed. */
static int
ask_smtpout(int fd, const struct arguments *a, const struct identity *id)
{
	const struct timeval patience = { .tv_sec = REPLY_SECONDS };
	struct exchange x = { .verbose = a->verbose };
	int copy = dup(fd), status = EX_TEMPFAIL;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	x.in = fdopen(fd, "r");
	x.out = copy != -1 ? fdopen(copy, "w") : NULL;
	if (x.in != NULL && x.out != NULL)
		status = ask_all(&x, a, id);
	if (x.out != NULL)
		fclose(x.out);
	if (x.in != NULL)
		fclose(x.in);
	else
		close(fd);
	return status;
}

int
verify_recipients(const struct arguments *a)
{
	struct identity id;
	int status = identity_find(&id, a->sender, a->name), fd, result;

	if (status != 0)
		return status;
	if (a->rcpts.count + a->bad.count == 0)
		return complain(PROGRAM, EX_USAGE, "no recipient is named");
	for (size_t i = 0; i < a->bad.count; i++)
		status = complain(PROGRAM, EX_USAGE, "\"%s\" is not an address",
		    a->bad.items[i]);
	if (a->rcpts.count == 0)
		return status;
	fd = target_connect(a);
	if (fd == -1)
		return complain(PROGRAM, EX_TEMPFAIL,
		    "smtpout does not answer: %s", strerror(errno));
	/* It may go away. */
	signal(SIGPIPE, SIG_IGN);
	result = ask_smtpout(fd, a, &id);
	if (result == EX_TEMPFAIL)
		complain(PROGRAM, result, "smtpout cannot say it now");
	return status != 0 ? status : result;
}
