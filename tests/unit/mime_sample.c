/* SPDX-License-Identifier: MIT */
/* Converts the message on standard input for test_mime_email.py: with "8bit"
 * for a host that takes bytes outside ASCII, with "7bit" for another.  The
 * first line that it writes says what was needed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/mime_convert.h"

/* Octets of a message. */
#define SIZE_MAX_IN ((size_t)4 << 20)

static int
put(void *user, const void *data, size_t len)
{
	return fwrite(data, 1, len, user) == len ? 0 : -1;
}

int
main(int argc, char **argv)
{
	static const char *const needs[] = { "nothing", "conversion", "signed",
		"fixed", "barred" };
	static struct smtpd_mime_planner planner;
	static struct smtpd_mime_convert convert;
	static struct smtpd_mime_plan plan;
	static char in[SIZE_MAX_IN];
	size_t len = fread(in, 1, sizeof(in), stdin);

	if (argc != 2)
		return 2;
	smtpd__mime_plan_init(&planner, &plan, strcmp(argv[1], "8bit") == 0);
	smtpd__mime_plan_feed(&planner, in, len);
	smtpd__mime_plan_end(&planner);
	printf("%s\n", needs[plan.need]);
	if (plan.need != SMTPD_MIME_NEED_CONVERSION)
		return put(stdout, in, len);
	smtpd__mime_convert_init(&convert, &plan, put, stdout);
	smtpd__mime_convert_feed(&convert, in, len);
	return smtpd__mime_convert_end(&convert);
}
