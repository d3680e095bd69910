/* SPDX-License-Identifier: MIT */
/* explicit_bzero(). */
#define _DEFAULT_SOURCE
#include "key_command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include <smtpd/auth.h>

#include "complain.h"
#include "settings.h"

/* As long as the mechanisms take it, with its line end and NUL. */
#define PASSWORD_SIZE 1025

/* Read a line into BUF of PASSWORD_SIZE, from a terminal after QUESTION and
 * without an echo.  Return 0, or an exit status after a complaint. */
static int
read_password(const char *question, char *buf)
{
	struct termios shown, hidden;
	bool asked = tcgetattr(STDIN_FILENO, &shown) == 0;
	bool got;

	if (asked) {
		hidden = shown;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
		fputs(question, stderr);
	}
	got = fgets(buf, PASSWORD_SIZE, stdin) != NULL;
	if (asked) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		fputs("\n", stderr);
	}
	if (!got)
		return complain(PROGRAM, EX_NOINPUT, "there is no password");
	if (strchr(buf, '\n') == NULL && strlen(buf) == PASSWORD_SIZE - 1)
		return complain(PROGRAM, EX_DATAERR,
		    "a password has at most %d bytes", PASSWORD_SIZE - 2);
	buf[strcspn(buf, "\r\n")] = '\0';
	if (buf[0] == '\0')
		return complain(PROGRAM, EX_DATAERR, "the password is empty");
	return 0;
}

static int
print_key(const char *password)
{
	struct smtpd_scram_key key = { SMTPD_SCRAM_KEY_INIT };
	char text[SMTPD_SCRAM_KEY_TEXT_SIZE];

	if (smtpd_scram_key_make(&key, password, KEY_ITERATIONS) == -1 ||
	    smtpd_scram_key_write(&key, text, sizeof(text)) == -1)
		return complain(PROGRAM, EX_OSERR, "cannot make a key: %s",
		    strerror(errno));
	return puts(text) == EOF || fflush(stdout) == EOF ? EX_IOERR : EX_OK;
}

int
key_command(int argc, char **argv)
{
	char password[PASSWORD_SIZE], again[PASSWORD_SIZE];
	bool help = argc == 2 && strcmp(argv[1], "--help") == 0;
	int status;

	if (argc != 1) {
		fputs("Usage: submission key\n"
		      "Read a password from the terminal, or standard input, "
		      "and print its key.\n",
		    help ? stdout : stderr);
		return help ? EX_OK : EX_USAGE;
	}
	status = read_password("Password: ", password);
	if (status == 0 && isatty(STDIN_FILENO)) {
		status = read_password("Once more: ", again);
		if (status == 0 && strcmp(password, again) != 0)
			status = complain(
			    PROGRAM, EX_DATAERR, "these are two passwords");
		explicit_bzero(again, sizeof(again));
	}
	if (status == 0)
		status = print_key(password);
	explicit_bzero(password, sizeof(password));
	return status;
}
