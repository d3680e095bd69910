/* SPDX-License-Identifier: MIT */
#include "queue_request.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include <smtpd/queue.h>

#include "complain.h"

static int
print_shown(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool shown = (c >= ' ' && c != 0x7f) || c == '\n' || c == '\t';

		if (c != '\r' && putchar(shown ? c : '?') == EOF)
			return -1;
	}
	return 0;
}

/* *TERMINAL: the answer goes to one. */
static int
print_answer(void *terminal, const void *data, size_t len)
{
	if (*(const bool *)terminal)
		return print_shown(data, len);
	return fwrite(data, 1, len, stdout) == len ? 0 : -1;
}

static int
status_of(int error)
{
	switch (error) {
	case EINVAL:
		return EX_USAGE;
	case EBADMSG:
		return EX_DATAERR;
	case ENOTDIR:
		return EX_NOINPUT;
	case ENOENT:
		return EX_UNAVAILABLE;
	case EEXIST:
		return EX_CANTCREAT;
	case EPIPE:
	case EIO:
		return EX_IOERR;
	case EBUSY:
	case EAGAIN:
		return EX_TEMPFAIL;
	case EACCES:
	case EPERM:
		return EX_NOPERM;
	default:
		return EX_OSERR;
	}
}

int
queue_request_send(const char *program, const char *directory,
    const char *const *words, size_t count)
{
	bool terminal = isatty(STDOUT_FILENO) == 1;
	char error[1024];
	int result, code;

	result = smtpd_queue_ask(directory, words, count, print_answer,
	    &terminal, error, sizeof(error));
	code = errno;
	if (fflush(stdout) == EOF && result == 0) {
		result = -1;
		code = EPIPE;
		snprintf(error, sizeof(error), "cannot write the answer");
	}
	if (result == 0)
		return EX_OK;
	return complain(program, status_of(code), "queue: %s", error);
}
