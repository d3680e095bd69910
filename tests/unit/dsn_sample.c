/* SPDX-License-Identifier: MIT */
/* Writes a report for test_dsn_email.py to read: an honest one, or one in which
 * everything that comes from others tries to be something else. */

#include <stdio.h>
#include <string.h>

#include "grammar/dsn.h"

/* 2006-01-02 15:04:05 UTC */
#define WHEN 1136214245

#define SIXTEEN "0123456789 ABCDE"
#define LONG    SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN

#define HOSTILE "x>\r\nSubject: forged\r\n\r\n--=_\r\n\303\244 " LONG

static const struct smtpd_dsn_rcpt honest[] = {
	{ .address = "bob@example.com",
	    .original = "rfc822;robert+2Bx@example.com",
	    .action = SMTPD_DSN_FAILED,
	    .status = "5.1.1",
	    .remote = "mx.example.com",
	    .diagnostic = "550 5.1.1 no such user",
	    .remote_said = true,
	    .last_attempt = WHEN + 60 },
	{ .address = "carol@example.net",
	    .action = SMTPD_DSN_DELAYED,
	    .status = "4.4.1",
	    .diagnostic = "no host could be reached: " LONG },
	{ .address = "eve@example.edu",
	    .action = SMTPD_DSN_RELAYED,
	    .status = "2.0.0",
	    .remote = "mx.example.edu",
	    .last_attempt = WHEN + 60 },
};

static const struct smtpd_dsn_rcpt hostile[] = {
	{ .address = HOSTILE,
	    .original = "rfc822;a+0D+0Ab",
	    .action = SMTPD_DSN_FAILED,
	    .status = HOSTILE,
	    .remote = HOSTILE,
	    .diagnostic = HOSTILE,
	    .remote_said = true,
	    .last_attempt = WHEN },
	{ .address = HOSTILE,
	    .action = SMTPD_DSN_DELAYED,
	    .status = HOSTILE,
	    .diagnostic = HOSTILE },
};

static int
put(void *user, const void *data, size_t len)
{
	return fwrite(data, 1, len, user) == len ? 0 : -1;
}

int
main(int argc, char **argv)
{
	bool evil = argc > 1 && strcmp(argv[1], "hostile") == 0;
	bool whole = argc > 2 && strcmp(argv[2], "whole") == 0;
	const struct smtpd_dsn_report r = {
		.hostname = evil ? HOSTILE : "mail.example.org",
		.to = evil ? HOSTILE : "alice@example.org",
		.postmaster = evil ? HOSTILE : "help@example.org",
		.about = { .id = evil ? HOSTILE : "0123456789ABC",
		    .subject = evil ? HOSTILE : "hello",
		    .date = evil ? HOSTILE : NULL },
		.unique = evil ? HOSTILE : "0123456789ABD.0",
		.envid = evil ? "+0D+0A" : "QQ+20314159",
		.references = evil ? HOSTILE : "<m1@example.org>",
		.secret = "0123456789abcde",
		.arrival = WHEN,
		.now = WHEN + 120,
		.retry_until = WHEN + 432000,
		.whole = whole,
		.eight_bit = whole,
		.rcpts = evil ? hostile : honest,
		.nrcpts = evil ? 2 : 3,
	};

	if (smtpd__dsn_begin(&r, put, stdout) != 0)
		return 1;
	fputs("From: a@b\r\nSubject: hello\r\n", stdout);
	if (whole)
		fputs("\r\n--=_\r\n\303\244 body\r\n", stdout);
	return smtpd__dsn_end(&r, put, stdout) == 0 ? 0 : 1;
}
