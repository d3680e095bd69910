/* SPDX-License-Identifier: MIT */
#include "token_command.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#define SECONDS 20

static char program[] = "/tmp/test_token_command.XXXXXX";

static int
make_program(void **state)
{
	int fd = mkstemp(program);

	(void)state;
	if (fd == -1)
		return -1;
	close(fd);
	return 0;
}

static int
remove_program(void **state)
{
	(void)state;
	return unlink(program);
}

/* Have the program run LINES of a shell. */
static void
write_program(const char *lines)
{
	FILE *file = fopen(program, "w");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", lines);
	fclose(file);
	chmod(program, 0700);
}

/* Run COMMAND; what it printed, or why it failed, is in OUT. */
static int
run(const char *command, int seconds, char *out, size_t size)
{
	char why[256] = "";
	int result = token_command_run(
	    command, seconds, NULL, out, size, why, sizeof(why));

	if (result == -1)
		snprintf(out, size, "%s", why);
	return result;
}

static void
words_are_divided_at_blanks_and_nothing_else(void **state)
{
	char command[128], out[256];

	(void)state;
	write_program("printf '%s|' \"$#\" \"$@\"");
	snprintf(command, sizeof(command), "  %s  'a  $HOME\t\"b\" ;* >x \\c",
	    program);
	assert_int_equal(run(command, SECONDS, out, sizeof(out)), 0);
	assert_string_equal(out, "6|'a|$HOME|\"b\"|;*|>x|\\c|");
}

/* Whatever signals this process ignores or blocks. */
static void
it_starts_as_any_program(void **state)
{
	const char *ignored;
	sigset_t blocked;
	char out[512];

	(void)state;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	signal(SIGPIPE, SIG_IGN);
	write_program("cat; echo $X_TEST\n"
		      "grep -E 'Sig(Blk|Ign)' /proc/self/status");
	setenv("X_TEST", "kept", 1);
	assert_int_equal(run(program, SECONDS, out, sizeof(out)), 0);
	pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
	signal(SIGPIPE, SIG_DFL);
	assert_memory_equal(out, "kept\n", 5);
	assert_non_null(strstr(out, "SigBlk:\t0000000000000000"));
	ignored = strstr(out, "SigIgn:");
	assert_non_null(ignored);
	assert_int_equal(strtoull(ignored + strlen("SigIgn:"), NULL, 16) &
		(1U << (SIGPIPE - 1)),
	    0);
}

static const struct {
	const char *lines, *why;
} failures[] = {
	{ "exit 3", "it ended with exit status 3" },
	{ "echo t0ken; exit 1", "it ended with exit status 1" },
	{ "kill -9 $$", "it ended with signal 9" },
	{ "echo first >&2; echo 'the grant is over' >&2; echo >&2; exit 1",
	    "it ended with exit status 1: the grant is over" },
	/* A token that is said is not shown. */
	{ "echo 'not \"eyJ0eXAiOiJKV1QiLCJub25jZSI6IkF\", no' >&2; exit 1",
	    "it ended with exit status 1: not * no" },
	{ "echo \"a$(printf '\\001')b\" >&2; exit 1",
	    "it ended with exit status 1: a?b" },
	{ "i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done\n"
	  "exit 1",
	    "it ended with exit status 1: line 2999" },
	{ "yes x", "it printed too much" },
};

static void
failures_are_explained(void **state)
{
	char out[4096];

	(void)state;
	for (size_t i = 0; i < COUNT(failures); i++) {
		write_program(failures[i].lines);
		assert_int_equal(run(program, SECONDS, out, sizeof(out)), -1);
		assert_string_equal(out, failures[i].why);
	}
}

static void
what_cannot_be_run_is_known_before(void **state)
{
	static const struct {
		const char *command, *why;
		int error;
	} cases[] = {
		{ "/nowhere/x y", "it cannot be run: No such file or directory",
		    ENOENT },
		{ "sh -c x", "it cannot be run: No such file or directory",
		    ENOENT },
		{ "  ", "it cannot be run: No such file or directory", ENOENT },
	};
	char out[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(
		    run(cases[i].command, SECONDS, out, sizeof(out)), -1);
		assert_string_equal(out, cases[i].why);
		assert_int_equal(token_command_check(cases[i].command), -1);
		assert_int_equal(errno, cases[i].error);
	}
	assert_int_equal(token_command_check("/bin/sh -c x"), 0);
	write_program("true");
	chmod(program, 0600);
	assert_int_equal(token_command_check(program), -1);
	assert_int_equal(errno, EACCES);
}

/* It is killed with all that it has started. */
static void
its_time_is_limited(void **state)
{
	char out[256];
	FILE *file;
	long pid = 0;

	(void)state;
	write_program("sleep 1000 & echo $! >$0.pid; wait");
	assert_int_equal(run(program, 1, out, sizeof(out)), -1);
	assert_string_equal(out, "it took too long");
	snprintf(out, sizeof(out), "%s.pid", program);
	file = fopen(out, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld", &pid), 1);
	fclose(file);
	unlink(out);
	/* It may be a zombie for a moment, if nobody waits for it. */
	for (int i = 0; i < 1000 && kill((pid_t)pid, 0) == 0; i++) {
		char path[64], state_of = 'Z';

		snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
		file = fopen(path, "r");
		if (file != NULL) {
			assert_int_equal(
			    fscanf(file, "%*d %*s %c", &state_of), 1);
			fclose(file);
		}
		if (state_of == 'Z')
			return;
		poll(NULL, 0, 10);
	}
	assert_int_equal(kill((pid_t)pid, 0), -1);
}

/* A command that closes its output and goes on. */
static void
its_end_is_waited_for(void **state)
{
	char out[256];

	(void)state;
	write_program("echo t0ken; exec >&- 2>&-; sleep 0.2; exit 0");
	assert_int_equal(run(program, SECONDS, out, sizeof(out)), 0);
	assert_string_equal(out, "t0ken\n");
	write_program("echo t0ken; exec >&- 2>&-; sleep 1000");
	assert_int_equal(run(program, 1, out, sizeof(out)), -1);
	assert_string_equal(out, "it did not end in time");
}

static void *
trigger_soon(void *cancel)
{
	poll(NULL, 0, 100);
	smtpd_cancel_trigger(cancel);
	return NULL;
}

static void
a_cancel_ends_it(void **state)
{
	struct smtpd_cancel *cancel = smtpd_cancel_create();
	char out[256], why[256];
	pthread_t thread;

	(void)state;
	write_program("sleep 1000");
	pthread_create(&thread, NULL, trigger_soon, cancel);
	assert_int_equal(token_command_run(program, 600, cancel, out,
			     sizeof(out), why, sizeof(why)),
	    -1);
	assert_string_equal(why, "it was broken off, for this program ends");
	pthread_join(thread, NULL);
	smtpd_cancel_destroy(cancel);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_divided_at_blanks_and_nothing_else),
		cmocka_unit_test(it_starts_as_any_program),
		cmocka_unit_test(failures_are_explained),
		cmocka_unit_test(what_cannot_be_run_is_known_before),
		cmocka_unit_test(its_time_is_limited),
		cmocka_unit_test(its_end_is_waited_for),
		cmocka_unit_test(a_cancel_ends_it),
	};

	return cmocka_run_group_tests(tests, make_program, remove_program);
}
