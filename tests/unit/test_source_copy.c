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
	struct smtpd_source_copy copy;

	(void)state;
	assert_int_equal(smtpd__source_copy_fill(&copy, given, 2), 0);
	memset(address, 'x', strlen(address));
	memset(hostname, 'x', strlen(hostname));
	memset(given, 0, sizeof(given));
	assert_int_equal(copy.count, 2);
	assert_string_equal(copy.sources[0].address, "192.0.2.1");
	assert_string_equal(copy.sources[0].hostname, "one.example");
	assert_string_equal(copy.sources[1].address, "2001:db8::1");
	assert_null(copy.sources[1].hostname);
}

/* Those of a route, and of the settings for a family that it has none of. */
static void
a_client_uses_one_of_each_family(void **state)
{
	static const struct smtpd_source own[] = {
		{ SMTPD_SOURCE_INIT, "192.0.2.1", NULL },
		{ SMTPD_SOURCE_INIT, "2001:db8::1", NULL },
	};
	static const struct {
		size_t count, nown;
		struct smtpd_source given[2];
		const char *used[2];
	} cases[] = {
		{ 0, 0, { { 0 } }, { NULL } },
		{ 0, 2, { { 0 } }, { "192.0.2.1", "2001:db8::1" } },
		{ 1, 0, { { SMTPD_SOURCE_INIT, "192.0.2.7", NULL } },
		    { "192.0.2.7" } },
		{ 1, 1, { { SMTPD_SOURCE_INIT, "192.0.2.7", NULL } },
		    { "192.0.2.7" } },
		{ 1, 2, { { SMTPD_SOURCE_INIT, "192.0.2.7", NULL } },
		    { "192.0.2.7", "2001:db8::1" } },
		{ 1, 2, { { SMTPD_SOURCE_INIT, "2001:db8::7", NULL } },
		    { "2001:db8::7", "192.0.2.1" } },
		{ 2, 2,
		    { { SMTPD_SOURCE_INIT, "2001:db8::7", NULL },
			{ SMTPD_SOURCE_INIT, "192.0.2.7", NULL } },
		    { "2001:db8::7", "192.0.2.7" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_client_settings client = {
			SMTPD_CLIENT_SETTINGS_INIT,
			.sources = own,
			.nsources = cases[i].nown,
		};
		struct smtpd_source room[SMTPD_SOURCES_MAX];
		struct smtpd_source_copy copy;
		size_t count = 0;

		while (count < 2 && cases[i].used[count] != NULL)
			count++;
		assert_int_equal(smtpd__source_copy_fill(
				     &copy, cases[i].given, cases[i].count),
		    0);
		smtpd__source_copy_use(&copy, room, &client);
		assert_int_equal(client.nsources, count);
		for (size_t k = 0; k < count; k++)
			assert_string_equal(
			    client.sources[k].address, cases[i].used[k]);
	}
}

static void
what_cannot_be_is_refused(void **state)
{
	static const struct smtpd_source given[3] = {
		{ SMTPD_SOURCE_INIT, "192.0.2.1", NULL },
		{ SMTPD_SOURCE_INIT, "2001:db8::1", NULL },
		{ SMTPD_SOURCE_INIT, "192.0.2.2", NULL },
	};
	struct smtpd_source_copy copy;

	(void)state;
	assert_int_equal(smtpd__source_copy_fill(&copy, given, 3), -1);
	assert_int_equal(smtpd__source_copy_fill(&copy, NULL, 1), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_texts_are_copied),
		cmocka_unit_test(a_client_uses_one_of_each_family),
		cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
