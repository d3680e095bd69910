/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/logger.h"

#include "test.h"

struct seen {
	int count;
	enum smtpd_log_level level;
	char line[2 * SMTPD_LOGGER_LINE_SIZE];
};

static void
take_line(enum smtpd_log_level level, const char *line, void *user)
{
	struct seen *seen = user;

	seen->count++;
	seen->level = level;
	snprintf(seen->line, sizeof(seen->line), "%s", line);
}

static void
lines_are_formatted(void **state)
{
	struct seen seen = { 0 };
	struct smtpd_logger l = { take_line, &seen, SMTPD_LOG_INFO };

	(void)state;
	smtpd__logger_write(&l, SMTPD_LOG_ERROR, "%s=%d", "code", 5);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.level, SMTPD_LOG_ERROR);
	assert_string_equal(seen.line, "code=5");
}

static void
levels_above_the_limit_are_dropped(void **state)
{
	struct seen seen = { 0 };
	struct smtpd_logger l = { take_line, &seen, SMTPD_LOG_INFO };

	(void)state;
	assert_true(smtpd__logger_wants(&l, SMTPD_LOG_INFO));
	assert_false(smtpd__logger_wants(&l, SMTPD_LOG_DEBUG));
	smtpd__logger_write(&l, SMTPD_LOG_DEBUG, "no");
	assert_int_equal(seen.count, 0);
}

static void
no_function_is_called_where_none_is_set(void **state)
{
	struct smtpd_logger l = { .level = SMTPD_LOG_TRACE };

	(void)state;
	assert_false(smtpd__logger_wants(&l, SMTPD_LOG_ERROR));
	smtpd__logger_write(&l, SMTPD_LOG_ERROR, "no");
}

static void
bytes_outside_printable_ascii_are_replaced(void **state)
{
	struct seen seen = { 0 };
	struct smtpd_logger l = { take_line, &seen, SMTPD_LOG_INFO };

	(void)state;
	smtpd__logger_write(
	    &l, SMTPD_LOG_INFO, "a\r\nid=1 %s\x7f", "\x1b[0m \xc3\xa4");
	assert_string_equal(seen.line, "a??id=1 ?[0m ???");
}

static void
long_lines_are_cut(void **state)
{
	char text[2 * SMTPD_LOGGER_LINE_SIZE];
	struct seen seen = { 0 };
	struct smtpd_logger l = { take_line, &seen, SMTPD_LOG_INFO };

	(void)state;
	memset(text, 'x', sizeof(text));
	smtpd__logger_write(
	    &l, SMTPD_LOG_INFO, "%.*s", (int)sizeof(text), text);
	assert_int_equal(strlen(seen.line), SMTPD_LOGGER_LINE_SIZE - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_formatted),
		cmocka_unit_test(levels_above_the_limit_are_dropped),
		cmocka_unit_test(no_function_is_called_where_none_is_set),
		cmocka_unit_test(bytes_outside_printable_ascii_are_replaced),
		cmocka_unit_test(long_lines_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
