/* SPDX-License-Identifier: MIT */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

/*
 * The command line, as programs have long written it for sendmail.
 */

#include <stdbool.h>
#include <stdint.h>

#include "text_list.h"

#define PROGRAM "smtpout-sendmail"

/* The tasks of the program. */
enum mode {
	MODE_SUBMIT,
	MODE_LIST,    /* -bp, or called as mailq */
	MODE_FLUSH,   /* -q */
	MODE_SESSION, /* -bs */
	MODE_VERIFY,  /* -bv */
	MODE_NOTHING, /* -bi, -q30m: there is nothing to do */
};

struct arguments {
	enum mode mode;
	bool dot_is_text;   /* -i, -oi */
	bool from_header;   /* -t */
	bool verbose;       /* -v */
	const char *sender; /* -f, -r; NULL: the user */
	const char *name;   /* -F; NULL: the user's */
	const char *notify; /* -N, as on the wire */
	const char *ret;    /* -R, likewise */
	const char *envid;  /* -V, likewise */
	const char *host;   /* to submit to: an address, or a socket's path;
	                     * NULL: where smtpout listens by default */
	uint16_t port;
	const char *queue; /* of which -bp and -q ask */
	const char *flush; /* -qI, -qR: what to try; NULL: all */

	/* What puts mail into a drop box before that; NULL: the smtpout that is
	 * meant has none.  And which one; NULL: the program knows. */
	const char *drop_program, *drop_box;
	struct text_list rcpts; /* of the command line */
	struct text_list bad;   /* what stands there and is no address */
	char notify_text[32];
	char envid_text[304];
};

/* Read them.  Return -1 to continue, or the status to exit with after
 * --help, or after complaining of a mistake.  To be finished in any case. */
int arguments_read(struct arguments *a, int argc, char **argv);
void arguments_finish(struct arguments *a);

#endif
