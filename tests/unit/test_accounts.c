/* SPDX-License-Identifier: MIT */
/* Files of accounts, good and bad, and what submission makes of them. */
#include "accounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "test.h"

/* What SCRAM has of "pencil" (RFC 5803, 3). */
#define KEY                                             \
	"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"  \
	"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:" \
	"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define HASH "$6$salt$hash"

static char path[] = "/tmp/test_accounts.XXXXXX";

static void
write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	fclose(file);
}

static void
begin(struct accounts *a, bool only_scram, struct log *log)
{
	*a = (struct accounts){
		.path = path, .only_scram = only_scram, .log = log
	};
	accounts_init(a);
}

/* Whether USER may send as TEXT. */
static bool
owns(struct accounts *a, const char *user, const char *text)
{
	char buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address address;

	assert_int_equal(
	    smtpd_address_parse(text, buf, sizeof(buf), &address), 0);
	return accounts_owns(a, user, &address);
}

static void
a_file_is_read(void **state)
{
	struct log *log = log_create(0);
	char key[ACCOUNTS_KEY_SIZE], why[256];
	struct accounts a;

	(void)state;
	begin(&a, false, log);
	write_file("# comment\n\n\tzoe " KEY " zoe@x.example # Zoe\r\n"
		   "ann " HASH " ann@x.example,a.lee@x.example @y.example\n"
		   "bob@x.example\t" KEY);
	assert_int_equal(accounts_load(&a, why, sizeof(why)), 0);
	assert_int_equal(a.list.count, 3);
	assert_true(accounts_find_key(&a, "ann", key));
	assert_string_equal(key, HASH);
	assert_true(accounts_find_key(&a, "zoe", key));
	assert_string_equal(key, KEY);
	assert_false(accounts_find_key(&a, "eve", key));
	assert_true(key[0] != '\0');
	assert_true(owns(&a, "ann", "ANN@X.example"));
	assert_true(owns(&a, "ann", "ann+a+b@x.example"));
	assert_true(owns(&a, "ann", "\"\"@y.example"));
	assert_false(owns(&a, "ann", "ann@z.y.example"));
	assert_false(owns(&a, "ann", "+ann@x.example"));
	assert_false(owns(&a, "zoe", "ann@x.example"));
	assert_false(owns(&a, "eve", "zoe@x.example"));
	assert_true(owns(&a, "bob@x.example", "bob@x.example"));
	accounts_finish(&a);
	log_destroy(log);
}

/* File, line and reason are told, and no key. */
static void
mistakes_are_told(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "",
		    ": there is no account: write lines \"user key "
		    "address...\"" },
		{ "\nann\n", ":2: there is no key for the user: \"ann\"" },
		{ "ann  a@b.org\n",
		    ":1: the key is missing before the address: \"submission "
		    "key\" makes one: \"a@b.org\"" },
		{ "ann pencil ann@x.example\n",
		    ":1: the second word is no key: \"submission key\" makes "
		    "one" },
		{ "ann " HASH " ann@x.example\n",
		    ":1: a hash of crypt(3) is of no use to SCRAM: make a key "
		    "by \"submission key\", or start with --no-scram" },
		{ "ann " KEY " # none\n",
		    ":1: no address for the user: \"ann\"" },
		{ "ann " KEY " ann@x.example ann\n",
		    ":1: not an address: \"ann\"" },
		{ "ann " KEY " @\n", ":1: not an address: \"@\"" },
		{ "a " KEY " a@x.example\nb " KEY " b@x.example\na " KEY
		  " c@x.example\n",
		    ": user \"a\" has two lines" },
	};
	char why[256], expected[300];
	struct accounts a;

	(void)state;
	begin(&a, true, NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		write_file(cases[i].text);
		assert_int_equal(
		    accounts_load(&a, why, sizeof(why)), EX_CONFIG);
		snprintf(
		    expected, sizeof(expected), "%s%s", path, cases[i].why);
		assert_string_equal(why, expected);
	}
	unlink(path);
	assert_int_equal(accounts_load(&a, why, sizeof(why)), EX_NOINPUT);
	accounts_finish(&a);
}

/* A file that changed is read without a signal; one that did not is not. */
static void
changes_are_seen(void **state)
{
	struct log *log = log_create(0);
	char key[ACCOUNTS_KEY_SIZE], why[256];
	struct accounts a;

	(void)state;
	begin(&a, true, log);
	write_file("ann " KEY " ann@x.example\n");
	assert_int_equal(accounts_load(&a, why, sizeof(why)), 0);
	accounts_file_finish(&a.list);
	accounts_look(&a);
	assert_int_equal(a.list.count, 0);
	write_file("ann " KEY " ann@x.example\nbob " KEY " b@x.example\n");
	accounts_look(&a);
	assert_true(accounts_find_key(&a, "bob", key));
	write_file("bob\n");
	accounts_look(&a);
	assert_true(accounts_find_key(&a, "ann", key));
	accounts_finish(&a);
	log_destroy(log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read),
		cmocka_unit_test(mistakes_are_told),
		cmocka_unit_test(changes_are_seen),
	};
	int status;

	close(mkstemp(path));
	status = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return status;
}
