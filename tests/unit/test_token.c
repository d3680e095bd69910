/* SPDX-License-Identifier: MIT */
#include "token.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

/* Threads that want a token at the same time. */
#define THREADS 8

static char dir[] = "/tmp/test_token.XXXXXX";

/* The clock of the source, in seconds: it stands still. */
static uint64_t present = 1000;

int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __real_clock_gettime(clockid_t id, struct timespec *now);

int
__wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	int result = __real_clock_gettime(id, now);

	if (id == CLOCK_MONOTONIC)
		*now = (struct timespec){ .tv_sec = (time_t)present };
	return result;
}

static int
make_directory(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
remove_directory(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *
path_of(const char *name)
{
	static char paths[2][64];
	static unsigned next;
	char *path = paths[next++ % 2];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

/* Put TEXT in the place of file NAME at once. */
static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(path_of("new"), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(path_of("new"), 0700);
	assert_int_equal(rename(path_of("new"), path_of(name)), 0);
}

/* What S gives; REFUSED: the server has refused that, or NULL. */
static const char *
get(struct token_source *s, const char *refused)
{
	static struct smtpd_credentials c;

	memset(&c, 0, sizeof(c));
	c.refused = refused != NULL;
	if (refused != NULL)
		snprintf(c.secret, sizeof(c.secret), "%s", refused);
	if (token_source_get(s, &c) == -1)
		return c.reason;
	assert_true(c.is_token);
	return c.secret;
}

/* A command that counts how often it was run. */
#define COUNTING                     \
	"#!/bin/sh\n"                \
	"echo x >>${0%/*}/runs\n"    \
	"n=$(wc -l <${0%/*}/runs)\n" \
	"echo t$((n))\n"

/* Begin S with the command of TEXT, whose path becomes COMMAND. */
static void
begin_counting(struct token_source *s, char command[64], const char *text)
{
	write_file("runs", "");
	write_file("command", text);
	snprintf(command, 64, "%s", path_of("command"));
	token_source_init(s, NULL, command);
}

static void
a_token_is_used_until_shortly_before_its_end(void **state)
{
	char command[64];
	struct token_source s;

	(void)state;
	begin_counting(&s, command, COUNTING "echo 1000\n");
	assert_string_equal(get(&s, NULL), "t1");
	present += 1000 - 60 - 100 - 1;
	assert_string_equal(get(&s, NULL), "t1");
	present += 1;
	assert_string_equal(get(&s, NULL), "t2");
	token_source_finish(&s);
}

static void
spans_are_as_documented(void **state)
{
	(void)state;
	assert_int_equal(token_source_span(0), 1800);
	assert_int_equal(token_source_span(3600), 3600 - 60 - 360);
	assert_int_equal(token_source_span(100), 100 - 50 - 10);
	assert_int_equal(token_source_span(10), 10 - 5 - 1);
	assert_int_equal(token_source_span(1), 0);
}

/* A second one who has the same refused gets what the first one fetched. */
static void
a_refused_token_is_fetched_anew_once(void **state)
{
	char command[64];
	struct token_source s;

	(void)state;
	begin_counting(&s, command, COUNTING);
	assert_string_equal(get(&s, NULL), "t1");
	assert_string_equal(get(&s, "t1"), "t2");
	assert_string_equal(get(&s, "t1"), "t2");
	assert_string_equal(get(&s, NULL), "t2");
	assert_string_equal(get(&s, "t2"), "t3");
	token_source_finish(&s);
}

static void *
get_one(void *source)
{
	struct smtpd_credentials *c = calloc(1, sizeof(*c));

	assert_int_equal(token_source_get(source, c), 0);
	assert_string_equal(c->secret, "t1");
	free(c);
	return NULL;
}

static void
one_fetches_for_all_who_wait(void **state)
{
	pthread_t threads[THREADS];
	char command[64];
	struct token_source s;

	(void)state;
	begin_counting(&s, command, COUNTING "sleep 0.1\n");
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, get_one, &s);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	token_source_finish(&s);
}

/* 1, 2, 4, 8, 16 and then 30 seconds. */
static void
a_command_that_failed_rests(void **state)
{
	static const unsigned rests[] = { 1, 2, 4, 8, 16, 30, 30 };
	char command[64], expected[128];
	struct token_source s;
	struct stat st;

	(void)state;
	write_file("runs", "");
	write_file("command",
	    "#!/bin/sh\necho x >>${0%/*}/runs\necho no >&2\nexit 1\n");
	snprintf(command, sizeof(command), "%s arg", path_of("command"));
	snprintf(expected, sizeof(expected),
	    "the token command %s: it ended with exit status 1: no",
	    path_of("command"));
	token_source_init(&s, NULL, command);
	for (size_t i = 0; i < COUNT(rests); i++) {
		assert_string_equal(get(&s, NULL), expected);
		present += rests[i] - 1;
		assert_string_equal(get(&s, NULL), expected);
		present += 1;
		stat(path_of("runs"), &st);
		assert_int_equal(st.st_size, 2 * (i + 1));
	}
	write_file("command", COUNTING);
	assert_string_equal(get(&s, NULL), "t8");
	token_source_finish(&s);
}

static void
a_file_is_read_when_it_changes(void **state)
{
	char file[64];
	struct token_source s;
	char why[256];

	(void)state;
	snprintf(file, sizeof(file), "%s", path_of("file"));
	token_source_init(&s, file, NULL);
	assert_non_null(strstr(get(&s, NULL), "cannot be read: No such file"));
	assert_int_equal(token_source_check(&s, why, sizeof(why)), -1);
	write_file("file", "t1\n60\n");
	assert_int_equal(token_source_check(&s, why, sizeof(why)), 0);
	assert_string_equal(get(&s, NULL), "t1");
	/* Its writer renews it. */
	present += 100000;
	assert_string_equal(get(&s, NULL), "t1");
	assert_string_equal(get(&s, "t1"), "t1");
	write_file("file", "{\"access_token\":\"t2\"}");
	assert_string_equal(get(&s, NULL), "t2");
	write_file("file", "");
	assert_non_null(strstr(get(&s, NULL), "is wrong: it is empty"));
	write_file("file", "t3");
	assert_string_equal(get(&s, NULL), "t3");
	unlink(file);
	assert_non_null(strstr(get(&s, NULL), "cannot be read: No such file"));
	token_source_finish(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_used_until_shortly_before_its_end),
		cmocka_unit_test(spans_are_as_documented),
		cmocka_unit_test(a_refused_token_is_fetched_anew_once),
		cmocka_unit_test(one_fetches_for_all_who_wait),
		cmocka_unit_test(a_command_that_failed_rests),
		cmocka_unit_test(a_file_is_read_when_it_changes),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
