/* SPDX-License-Identifier: MIT */
#include "queue/delivery/source_copy.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

/* A queue makes clients long after the program's settings are gone. */
static void
the_texts_are_copied(void **state)
{
	char address[] = "192.0.2.1", hostname[] = "one.example";
	struct smtpd_source given[] = {
		{ SMTPD_SOURCE_INIT, address, hostname },
		{ SMTPD_SOURCE_INIT, "2001:db8::1", NULL },
	};
	struct smtpd_client_settings client = { SMTPD_CLIENT_SETTINGS_INIT,
		.sources = given, .nsources = 2 };
	struct smtpd_source_copy copy;

	(void)state;
	assert_int_equal(smtpd__source_copy_fill(&copy, &client), 0);
	memset(address, 'x', strlen(address));
	memset(hostname, 'x', strlen(hostname));
	memset(given, 0, sizeof(given));
	assert_ptr_equal(client.sources, copy.sources);
	assert_string_equal(client.sources[0].address, "192.0.2.1");
	assert_string_equal(client.sources[0].hostname, "one.example");
	assert_string_equal(client.sources[1].address, "2001:db8::1");
	assert_null(client.sources[1].hostname);
}

static void
what_cannot_be_is_refused(void **state)
{
	static const struct smtpd_source given[3] = {
		{ SMTPD_SOURCE_INIT, "192.0.2.1", NULL },
		{ SMTPD_SOURCE_INIT, "2001:db8::1", NULL },
		{ SMTPD_SOURCE_INIT, "192.0.2.2", NULL },
	};
	struct smtpd_client_settings client = { SMTPD_CLIENT_SETTINGS_INIT,
		.sources = given, .nsources = 3 };
	struct smtpd_source_copy copy;

	(void)state;
	assert_int_equal(smtpd__source_copy_fill(&copy, &client), -1);
	client.nsources = 0;
	assert_int_equal(smtpd__source_copy_fill(&copy, &client), 0);
	assert_null(client.sources);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_texts_are_copied),
		cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
