/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "grammar/command.h"

#include "test.h"

/* RFC 5321, 4.1.1 */
static void
lines_are_split(void **state)
{
	static const struct {
		const char *line;
		const char *verb;
		const char *argument;
	} cases[] = {
		{ "QUIT", "QUIT", "" },
		{ "quit", "QUIT", "" },
		{ "QuIt  ", "QUIT", "" },
		{ "QUIT\t", "QUIT", "" },
		{ "MAIL FROM:<a@b>", "MAIL", "FROM:<a@b>" },
		{ "MAIL\tFROM:<a@b>\t", "MAIL", "FROM:<a@b>" },
		{ "rcpt  To:<A@b> X=y  ", "RCPT", "To:<A@b> X=y" },
		{ "EHLO a\tb", "EHLO", "a\tb" },
		{ "X", "X", "" },
		{ "X-FOO-1 y", "X-FOO-1", "y" },
		{ "ABCDEFGHIJKL m", "ABCDEFGHIJKL", "m" },
		{ "VRFY \303\251", "VRFY", "\303\251" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].line);
		struct smtpd_command_line line;

		assert_int_equal(
		    smtpd__command_parse(cases[i].line, len, &line), 0);
		assert_string_equal(line.verb, cases[i].verb);
		assert_int_equal(line.len, strlen(cases[i].argument));
		assert_memory_equal(line.argument, cases[i].argument, line.len);
		assert_true(line.argument >= cases[i].line &&
		    line.argument + line.len <= cases[i].line + len);
	}
}

static void
lines_without_a_verb_are_refused(void **state)
{
	static const char *const lines[] = { "", " ", "\t", " QUIT", "\tQUIT",
		"1", "1A", "-A", "A_B", "A.B", "MAIL:<a@b>", "A@B", "<a@b>",
		"ABCDEFGHIJKLM", "ABCDEFGHIJKLM x", "\303\251", "A\303\251 b",
		"QUIT;", "A\200" };

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct smtpd_command_line line;

		if (smtpd__command_parse(lines[i], strlen(lines[i]), &line) !=
		    -1)
			fail_msg("not refused: %s", lines[i]);
	}
}

static void
control_bytes_are_refused_anywhere(void **state)
{
	static const char *const lines[] = { "?", "?QUIT", "QU?IT", "QUIT?",
		"QUIT ?", "NOOP a?b", "NOOP a ?", "1?" };

	(void)state;
	for (int c = 0; c < 33; c++) {
		for (size_t i = 0; i < COUNT(lines); i++) {
			struct smtpd_command_line line;
			char copy[16];
			size_t len = strlen(lines[i]);

			if (c == '\t')
				continue;
			memcpy(copy, lines[i], len);
			*(char *)memchr(copy, '?', len) =
			    (char)(c == 32 ? 127 : c);
			assert_int_equal(
			    smtpd__command_parse(copy, len, &line), -1);
		}
	}
}

/* RFC 5322, 3.6.8 */
static void
other_protocols_are_seen(void **state)
{
	static const char *const foreign[] = { "GET / HTTP/1.1",
		"POST / HTTP/1.1", "CONNECT a:25 HTTP/1.1", "HEAD / HTTP/1.0",
		"PUT / HTTP/1.1", "PATCH / HTTP/1.1", "DELETE / HTTP/1.1",
		"OPTIONS * HTTP/1.1", "TRACE / HTTP/1.1", "get / http/1.0",
		"GET", "GET\t/", "Host: a", "Host:", "Content-Length: 5",
		"X_y: z", "EHLO: a", "MAIL:<a@b>", "{", "<html>", " EHLO a",
		"\026\003\001", "1", "--x", "\303\251", ":", "\177" };
	static const char *const ours[] = { "", "EHLO a", "HELO [1.2.3.4]",
		"MAIL FROM:<a@b>", "MAIL  FROM : <a@b>", "RCPT TO:<b@c>",
		"RCPT TO: <@a:b@c>", "MAIL\tFROM:<a@b>", "QUIT", "GETX", "GE /",
		"POSTER x", "NOOP GET /", "HELP Host: x", "nonsense",
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2",
		"X\303\251:", "A\001B:", "A\177B:" };

	(void)state;
	for (size_t i = 0; i < COUNT(foreign); i++) {
		if (!smtpd__command_is_foreign(foreign[i], strlen(foreign[i])))
			fail_msg("not seen: %s", foreign[i]);
	}
	for (size_t i = 0; i < COUNT(ours); i++) {
		if (smtpd__command_is_foreign(ours[i], strlen(ours[i])))
			fail_msg("taken for foreign: %s", ours[i]);
	}
	assert_true(smtpd__command_is_foreign("\0", 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_split),
		cmocka_unit_test(lines_without_a_verb_are_refused),
		cmocka_unit_test(control_bytes_are_refused_anywhere),
		cmocka_unit_test(other_protocols_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
