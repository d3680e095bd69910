/* SPDX-License-Identifier: MIT */
#include "queue/control/protocol.h"

#include <string.h>

#include "test.h"

static void
what_is_written_is_read(void **state)
{
	static const char *const words[] = { "show", "", "1M822E6BY0000",
		"--json" };
	const char *out[SMTPD_CONTROL_WORDS];
	char line[64];
	int len;

	(void)state;
	for (size_t n = 1; n <= 4; n++) {
		len = smtpd__control_protocol_format(
		    words, n, line, sizeof(line));
		assert_true(len > 0);
		assert_int_equal(line[len - 1], '\n');
		assert_int_equal(
		    smtpd__control_protocol_parse(line, (size_t)len, out), n);
		for (size_t i = 0; i < n; i++)
			assert_string_equal(out[i], words[i]);
	}
}

static void
a_word_is_no_line(void **state)
{
	static const char *const bad[] = { "remove", "a\nb" };
	static const char *const many[] = { "1", "2", "3", "4", "5", "6", "7",
		"8", "9" };
	static const char *const fits[] = { "list" };
	const char *out[SMTPD_CONTROL_WORDS];
	char line[64];

	(void)state;
	assert_int_equal(smtpd__control_protocol_format(bad, 2, line, 64), -1);
	assert_int_equal(smtpd__control_protocol_format(bad, 0, line, 64), -1);
	assert_int_equal(smtpd__control_protocol_format(many, 9, line, 64), -1);
	assert_int_equal(smtpd__control_protocol_format(fits, 1, line, 4), -1);
	assert_int_equal(smtpd__control_protocol_format(fits, 1, line, 5), 5);
	memcpy(line, "list", 4);
	assert_int_equal(smtpd__control_protocol_parse(line, 4, out), -1);
	assert_int_equal(smtpd__control_protocol_parse(line, 0, out), -1);
	memcpy(line, "1\0002\0003\0004\0005\0006\0007\0008\0009\n", 18);
	assert_int_equal(smtpd__control_protocol_parse(line, 18, out), -1);
}

static void
an_address_is_short(void **state)
{
	struct sockaddr_un a;

	(void)state;
	smtpd__control_protocol_address(INT32_MAX, &a);
	assert_string_equal(a.sun_path, "/proc/self/fd/2147483647/control");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_word_is_no_line),
		cmocka_unit_test(an_address_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
