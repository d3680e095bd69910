/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <smtpd/server.h>

#include "text_list.h"

#include "test.h"

/* What other programs have too. */
struct incoming {
	char *name;
	struct text_list peers;
	uint64_t limit;
};

struct settings {
	bool loopback;
	char *users;
	char *host;
	struct text_list listen;
	uint64_t port;
	int level;
	struct incoming in;
};

static const struct option_rule shared_rules[] = {
	{ "name", 'H', OPTION_TEXT, "NAME", "a shared text",
	    offsetof(struct incoming, name), 0, 0 },
	{ "limit", 'm', OPTION_NUMBER, "N", "a shared number",
	    offsetof(struct incoming, limit), 1, 9 },
	{ "peer", 0, OPTION_LIST, "HOST", "a shared list",
	    offsetof(struct incoming, peers), 0, 0 },
	{ "secret", 'S', OPTION_TEXT, "TEXT", "not for this program",
	    offsetof(struct incoming, name), 0, 0 },
};

static const struct option_table shared = {
	.rules = shared_rules,
	.count = sizeof(shared_rules) / sizeof(shared_rules[0]),
};

#define AT(member) offsetof(struct settings, member)

static const struct option_rule rules[] = {
	{ "loopback", 'l', OPTION_SWITCH, NULL, "a switch", AT(loopback), 0,
	    0 },
	{ "limit", .kind = OPTION_SHARED, .help = "of this program" },
	{ "users", 'u', OPTION_TEXT, "FILE", "a text", AT(users), 0, 0 },
	{ "host", 0, OPTION_HOST, "NAME", "a name", AT(host), 0, 0 },
	{ "name", .kind = OPTION_SHARED },
	{ "peer", .kind = OPTION_SHARED },
	{ "listen", 'a', OPTION_LIST, "ADDR", "a list", AT(listen), 0, 0 },
	{ "port", 'p', OPTION_NUMBER, "N", "a port (@; 0: off)", AT(port), 1,
	    65535 },
	{ "log-level", 'n', OPTION_LEVEL, "LEVEL", "a level", AT(level), 0, 0 },
	{ "queue", 'q', OPTION_REFUSED, "DIR", "not here", 0, 0, 0 },
};

static const struct option_table table = {
	.program = "prog",
	.usage = "Usage: prog\n",
	.rules = rules,
	.count = sizeof(rules) / sizeof(rules[0]),
	.shared = &shared,
	.shared_offset = AT(in),
};

#define WORDS_MAX 12

/* Read the words at WORDS, up to NULL; what is said goes nowhere. */
static int
parse(const char *const *words, struct settings *s)
{
	char copies[WORDS_MAX][256];
	char *argv[WORDS_MAX + 2] = { copies[0] };
	int argc = 1;

	snprintf(copies[0], sizeof(copies[0]), "prog");
	for (; *words != NULL && argc < WORDS_MAX; words++, argc++) {
		snprintf(copies[argc], sizeof(copies[argc]), "%s", *words);
		argv[argc] = copies[argc];
	}
	*s = (struct settings){ .port = 25, .level = SMTPD_LOG_INFO };
	return options_read(&table, argc, argv, s);
}

static void
test_all(void **state)
{
	static const char *const words[] = { "-l", "--users=u", "-a", "one",
		"-atwo", "--port", "2525", "-n", "debug", NULL };
	struct settings s;

	(void)state;
	assert_int_equal(parse(words, &s), OPTIONS_GO);
	assert_true(s.loopback);
	assert_string_equal(s.users, "u");
	assert_int_equal(s.listen.count, 2);
	assert_string_equal(s.listen.items[0], "one");
	assert_string_equal(s.listen.items[1], "two");
	assert_int_equal(s.port, 2525);
	assert_int_equal(s.level, SMTPD_LOG_DEBUG);
	option_table_finish(&table, &s);
	assert_null(s.users);
	assert_int_equal(s.listen.count, 0);
}

static void
test_none(void **state)
{
	static const char *const words[] = { NULL };
	struct settings s;

	(void)state;
	assert_int_equal(parse(words, &s), OPTIONS_GO);
	assert_false(s.loopback);
	assert_null(s.users);
	assert_int_equal(s.port, 25);
	option_table_finish(&table, &s);
}

/* O28: What does not add up is not given twice. */
static void
test_twice(void **state)
{
	static const struct {
		const char *words[5];
		int status;
	} cases[] = {
		{ { "-u", "one", "-u", "two" }, EX_USAGE },
		{ { "-u", "one", "--users=one" }, EX_USAGE },
		{ { "-p1", "-p1" }, EX_USAGE },
		{ { "-nerror", "-nerror" }, EX_USAGE },
		{ { "--config=-/none", "--config=-/none" }, EX_USAGE },
		{ { "-l", "-l" }, OPTIONS_GO },
		{ { "-a1", "-a1" }, OPTIONS_GO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings s;

		assert_int_equal(parse(cases[i].words, &s), cases[i].status);
		option_table_finish(&table, &s);
	}
}

static void
test_shared(void **state)
{
	static const char *const words[] = { "-m", "3", "--name", "n",
		"--peer=a", "--peer=b", "-ux", NULL };
	struct settings s;

	(void)state;
	assert_int_equal(parse(words, &s), OPTIONS_GO);
	assert_int_equal(s.in.limit, 3);
	assert_string_equal(s.in.name, "n");
	assert_int_equal(s.in.peers.count, 2);
	assert_string_equal(s.users, "x");
	option_table_finish(&table, &s);
	assert_null(s.in.name);
	assert_int_equal(s.in.peers.count, 0);
}

static void
test_levels(void **state)
{
	static const struct {
		const char *text;
		int level; /* -1: refused */
	} cases[] = { { "error", 1 }, { "WARNING", 2 }, { "info", 3 },
		{ "debug", 4 }, { "trace", 5 }, { "0", 0 }, { "255", 255 },
		{ "256", -1 }, { "-1", -1 }, { "", -1 }, { "3x", -1 },
		{ "none", -1 }, { "verbose", -1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *words[] = { "-n", cases[i].text, NULL };
		struct settings s;
		int want = cases[i].level < 0 ? EX_USAGE : OPTIONS_GO;

		assert_int_equal(parse(words, &s), want);
		if (want == OPTIONS_GO)
			assert_int_equal(s.level, cases[i].level);
		option_table_finish(&table, &s);
	}
}

static void
test_mistakes(void **state)
{
	static const char *const cases[][4] = {
		{ "--bogus", NULL },
		{ "-x", NULL },
		{ "-p", NULL },
		{ "--port", NULL },
		{ "-m", "10", NULL },
		{ "--secret", "x", NULL },
		{ "-S", "x", NULL },
		{ "-p", "0", NULL },
		{ "-p", "65536", NULL },
		{ "-p", "25x", NULL },
		{ "-p", "-25", NULL },
		{ "-p", "99999999999999999999999", NULL },
		{ "--loopback=1", NULL },
		{ "-q", "dir", NULL },
		{ "--queue=dir", NULL },
		{ "word", NULL },
		{ "-l", "word", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings s;

		assert_int_equal(parse(cases[i], &s), EX_USAGE);
		option_table_finish(&table, &s);
	}
}

/* Read TEXT as a file, with WORDS, up to NULL, behind it. */
static int
parse_file(
    const char *text, const char *one, const char *two, struct settings *s)
{
	char path[] = "/tmp/test_options.XXXXXX";
	int fd = mkstemp(path), status;
	const char *words[] = { one, "--config", path, two, NULL };

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	status = parse(one != NULL ? words : words + 1, s);
	unlink(path);
	return status;
}

/* O29: a name with its last dot; O30: a comment behind a value. */
static void
test_file(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(
	    parse_file("# comment\n\n  loopback\r\nusers a b#c # d\n"
		       "--listen one\nlisten = two\nport=2525\nlimit 2\n"
		       "host mx.example.\nlog-level\ttrace",
		NULL, NULL, &s),
	    OPTIONS_GO);
	assert_true(s.loopback);
	assert_string_equal(s.users, "a b#c");
	assert_string_equal(s.host, "mx.example");
	assert_int_equal(s.listen.count, 2);
	assert_string_equal(s.listen.items[1], "two");
	assert_int_equal(s.port, 2525);
	assert_int_equal(s.in.limit, 2);
	assert_int_equal(s.level, SMTPD_LOG_TRACE);
	option_table_finish(&table, &s);
}

static void
test_command_line_replaces_file(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(
	    parse_file("port 1\nusers f\n", "-p3", "-uu", &s), OPTIONS_GO);
	assert_int_equal(s.port, 3);
	assert_string_equal(s.users, "u");
	option_table_finish(&table, &s);
}

static void
test_file_mistakes(void **state)
{
	static const char *const cases[] = { "bogus 1\n", "port\n", "port 0\n",
		"loopback yes\n", "limit 10\n", "secret x\n", "queue /q\n",
		"config /f\n", "-p 25\n", "help\n", "port 25 26\n", "= 3\n",
		"port 1\nport 1\n", "host a b\n" };
	char longer[5000];
	struct settings s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    parse_file(cases[i], NULL, NULL, &s), EX_CONFIG);
		option_table_finish(&table, &s);
	}
	memset(longer, 'x', sizeof(longer) - 1);
	memcpy(longer, "users ", 6);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(parse_file(longer, NULL, NULL, &s), EX_CONFIG);
	option_table_finish(&table, &s);
}

static void
test_no_file(void **state)
{
	static const char *const words[] = { "--config", "/nonexistent", NULL };
	/* O18: It may be missing. */
	static const char *const optional[] = { "--config", "-/nonexistent",
		NULL };
	struct settings s;

	(void)state;
	assert_int_equal(parse(words, &s), EX_NOINPUT);
	option_table_finish(&table, &s);
	assert_int_equal(parse(optional, &s), OPTIONS_GO);
	option_table_finish(&table, &s);
}

static void
test_help(void **state)
{
	const struct settings s = { .port = 2525 };
	char text[4096];

	(void)state;
	option_table_help(&table, &s, text, sizeof(text));
	assert_non_null(strstr(text, " -u, --users FILE"));
	assert_non_null(strstr(text, "     --config FILE"));
	assert_null(strstr(text, "queue"));
	assert_non_null(strstr(text, " a port (2525; 0: off)\n"));
	assert_non_null(strstr(text, " -m, --limit N"));
	assert_non_null(strstr(text, " of this program\n"));
	assert_non_null(strstr(text, " a shared text\n"));
	assert_null(strstr(text, "secret"));
	option_table_help(&table, &s, text, 20);
	assert_true(strlen(text) < 20);
}

/* O30: Bytes and seconds may have a unit. */
static void
numbers_may_have_a_unit(void **state)
{
	static const struct {
		const char *argument, *text;
		int status;
		uint64_t n;
	} cases[] = {
		{ "BYTES", "50M", 0, 52428800 },
		{ "BYTES", "1K", 0, 1024 },
		{ "BYTES", "5d", EX_USAGE, 0 },
		{ "SECONDS", "5d", 0, 432000 },
		{ "SECONDS", "5m", 0, 300 },
		{ "SECONDS", "5mm", EX_USAGE, 0 },
		{ "SECONDS", "18446744073709551615d", EX_USAGE, 0 },
		{ "N", "5m", EX_USAGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct option_rule rule = { .kind = OPTION_NUMBER,
			.argument = cases[i].argument,
			.max = UINT64_MAX };
		uint64_t n = 0;

		assert_int_equal(option_table_set(&rule, &n, cases[i].text),
		    cases[i].status);
		assert_int_equal(n, cases[i].n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_may_have_a_unit),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_command_line_replaces_file),
		cmocka_unit_test(test_file_mistakes),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
