/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "grammar/ehlo_limits.h"

#include "test.h"

/* RFC 9422, 3; RFC 9422, 4.1; RFC 9422, 4.2 */
static void
limits_are_read(void **state)
{
	static const struct {
		const char *params;
		uint32_t mails, rcpts;
	} cases[] = {
		{ NULL, 0, 0 },
		{ "MAILMAX=20 RCPTMAX=100", 20, 100 },
		{ "rcptMax=100 mailmax=1", 1, 100 },
		{ "RCPTMAX=999999", 0, 999999 },
		/* The register is open. */
		{ "RCPTDOMAINMAX=1 RCPTMAX=5 X-NEW=a=b FLAG x_1", 0, 5 },
		{ "MAILMAX RCPTMAX=5", 0, 5 },
		{ "MAILMAX2=7 XMAILMAX=8 RCPTMAX=5", 0, 5 },
		/* What is said twice. */
		{ "MAILMAX=7 MAILMAX=3 MAILMAX=5", 3, 0 },
		/* Values that are none. */
		{ "MAILMAX=0 RCPTMAX=5", 0, 5 },
		{ "MAILMAX=07 RCPTMAX=5", 0, 5 },
		{ "MAILMAX=1000000 RCPTMAX=5", 0, 5 },
		{ "MAILMAX=99999999999999999999999 RCPTMAX=5", 0, 5 },
		{ "MAILMAX=-1 RCPTMAX=5", 0, 5 },
		{ "MAILMAX=+1 RCPTMAX=5", 0, 5 },
		{ "MAILMAX=1x RCPTMAX=5", 0, 5 },
		/* No parameters of this form. */
		{ "", 0, 0 },
		{ "RCPTMAX= MAILMAX=5", 0, 0 },
		{ "MAILMAX=5 RCPTMAX=", 0, 0 },
		{ "=5 MAILMAX=5", 0, 0 },
		{ "MAILMAX=5 =5", 0, 0 },
		{ "MAILMAX=5  RCPTMAX=5", 0, 0 },
		{ " MAILMAX=5", 0, 0 },
		{ "MAILMAX=5 ", 0, 0 },
		{ "MAILMAX=5\tRCPTMAX=5", 0, 0 },
		{ "MAILMAX=5 -A=5", 0, 0 },
		{ "MAILMAX=5 A?=5", 0, 0 },
		{ "MAILMAX=5 A=\303\274", 0, 0 },
	};
	struct smtpd_ehlo_limits limits;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		smtpd__ehlo_limits_read(cases[i].params, &limits);
		assert_int_equal(limits.mails, cases[i].mails);
		assert_int_equal(limits.rcpts, cases[i].rcpts);
	}
}

static void
many_limits_are_read(void **state)
{
	char params[8192];
	struct smtpd_ehlo_limits limits;
	struct smtpd_text t;

	(void)state;
	smtpd__text_init(&t, params, sizeof(params));
	for (unsigned i = 0; i < 500; i++)
		smtpd__text_format(&t, "X%u=%u ", i, i);
	smtpd__text_add(&t, "MAILMAX=3");
	smtpd__ehlo_limits_read(params, &limits);
	assert_int_equal(limits.mails, 3);
}

/* RFC 9422, 3: a limit that has too many digits is not said. */
static void
limits_are_written(void **state)
{
	static const struct {
		struct smtpd_ehlo_limits limits;
		const char *text;
	} cases[] = {
		{ { 0, 0 }, "" },
		{ { 20, 100 }, " MAILMAX=20 RCPTMAX=100" },
		{ { 1, 0 }, " MAILMAX=1" },
		{ { 0, 999999 }, " RCPTMAX=999999" },
		{ { UINT32_MAX, 1000000 }, "" },
	};
	char buf[64];
	struct smtpd_text t;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		smtpd__text_init(&t, buf, sizeof(buf));
		smtpd__ehlo_limits_write(&t, &cases[i].limits);
		assert_string_equal(buf, cases[i].text);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_read),
		cmocka_unit_test(many_limits_are_read),
		cmocka_unit_test(limits_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
