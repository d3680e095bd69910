/* SPDX-License-Identifier: MIT */
/*
 * Hold the conversations that a file describes, as the client or the delivery
 * agent, with scripted hosts, and compare.  README has the form of the files.
 */
#include <stdio.h>

#include "grammar/idn.h"

#include "../unit/test.h"
#include "agent.h"
#include "client.h"
#include "script.h"

static struct call_script script;

static void
goes_as_written(void **state)
{
	(void)state;
	if (call_script_flag(&script, "idn") && !smtpd__idn_is_available())
		skip();
	if (call_script_setting(&script, "agent") != NULL)
		call_agent_run(&script);
	else
		call_client_run(&script);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_as_written),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: call FILE\n");
		return 1;
	}
	call_script_read(&script, argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
