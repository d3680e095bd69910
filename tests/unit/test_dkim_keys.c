/* SPDX-License-Identifier: MIT */
/* Keys of --dkim whose files change. */
#include "dkim_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dkim_key_command.h"

#include "test.h"

static char dir[] = "/tmp/test_dkim_keys.XXXXXX";
static char path[sizeof(dir) + 8], spec[sizeof(path) + 16];

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/key", dir);
	snprintf(spec, sizeof(spec), "a.test:s:%s", path);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

/* Make another key; false: this build has no TLS. */
static bool
make_key(void)
{
	char name[] = "dkim-key", option[] = "--bits", bits[] = "1024";
	char *argv[] = { name, option, bits, spec, NULL };

	unlink(path);
	return dkim_key_command(4, argv) == 0;
}

static void
write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void
a_file_that_changes_is_read_again(void **state)
{
	struct text_list specs = { .count = 0 };
	struct dkim_keys k = { .log = log_create(0), .specs = &specs };
	struct smtpd_dkim *first;
	char why[256] = "";

	(void)state;
	if (!make_key()) {
		log_destroy(k.log);
		skip();
	}
	assert_int_equal(text_list_add(&specs, spec), 0);
	assert_false(dkim_keys_look(&k));
	assert_int_equal(dkim_keys_load(&k, why, sizeof(why)), 0);
	first = k.dkim;
	assert_false(dkim_keys_look(&k));
	/* What cannot be read leaves what there was, and is tried once. */
	write_file("no key\n");
	assert_false(dkim_keys_look(&k));
	assert_ptr_equal(k.dkim, first);
	assert_true(make_key());
	assert_true(dkim_keys_look(&k));
	assert_non_null(k.dkim);
	assert_false(dkim_keys_look(&k));
	/* SIGHUP was first. */
	assert_true(make_key());
	assert_true(dkim_keys_reload(&k));
	assert_false(dkim_keys_look(&k));
	dkim_keys_finish(&k);
	text_list_finish(&specs);
	log_destroy(k.log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_changes_is_read_again),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
