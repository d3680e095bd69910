/* SPDX-License-Identifier: MIT */
#include "grammar/urgency.h"

#include "test.h"

/* RFC 2852, 4 */
static void
deliver_by_is_read(void **state)
{
	static const struct {
		const char *value;
		enum smtpd_by_mode mode;
		int32_t seconds;
		bool trace;
	} good[] = {
		{ "1;R", SMTPD_BY_RETURN, 1, false },
		{ "+1;r", SMTPD_BY_RETURN, 1, false },
		{ "000000001;RT", SMTPD_BY_RETURN, 1, true },
		{ "999999999;rt", SMTPD_BY_RETURN, 999999999, true },
		{ "-999999999;N", SMTPD_BY_NOTIFY, -999999999, false },
		{ "-0;nT", SMTPD_BY_NOTIFY, 0, true },
	};
	static const char *const bad[] = { NULL, "", ";R", "1", "1;", "1;R ",
		"1;RTx", "1;T", "1;TR", "1,R", "1;;R", "R;1", "--1;N", "- 1;N",
		"+;N", "0000000001;R", "1000000000;N", "0;R", "-1;R", "+0;RT",
		"1;X", "1x;R", " 1;R" };
	struct smtpd_deliver_by by;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(smtpd__urgency_read_by(good[i].value, &by), 0);
		assert_int_equal(by.mode, good[i].mode);
		assert_int_equal(by.seconds, good[i].seconds);
		assert_int_equal(by.trace, good[i].trace);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(smtpd__urgency_read_by(bad[i], &by), -1);
}

/* RFC 4865, 3 */
static void
holdfor_is_read(void **state)
{
	static const char *const bad[] = { NULL, "", "0", "01", "-1", "+1",
		"1 ", "1s", "1000000000", "99999999999999999999" };
	uint32_t seconds;

	(void)state;
	assert_int_equal(smtpd__urgency_read_holdfor("1", &seconds), 0);
	assert_int_equal(seconds, 1);
	assert_int_equal(smtpd__urgency_read_holdfor("999999999", &seconds), 0);
	assert_int_equal(seconds, 999999999);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(
		    smtpd__urgency_read_holdfor(bad[i], &seconds), -1);
}

/* RFC 6710, 3 */
static void
priorities_are_read(void **state)
{
	static const char *const bad[] = { NULL, "", "-", "-0", "+1", "10",
		"-10", "01", "1 ", " 1", "a", "--1" };
	char value[] = "-1";
	int priority;

	(void)state;
	for (int i = 0; i <= 9; i++) {
		value[1] = (char)('0' + i);
		assert_int_equal(
		    smtpd__urgency_read_priority(value + 1, &priority), 0);
		assert_int_equal(priority, i);
		assert_int_equal(smtpd__urgency_read_priority(value, &priority),
		    i == 0 ? -1 : 0);
		assert_int_equal(priority, i == 0 ? 0 : -i);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(
		    smtpd__urgency_read_priority(bad[i], &priority), -1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(deliver_by_is_read),
		cmocka_unit_test(holdfor_is_read),
		cmocka_unit_test(priorities_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
