/* SPDX-License-Identifier: MIT */
#include <sys/types.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "certs.h"
#include "tls_files.h"

#include "test.h"

#define DAY 86400

/* Files that this test may replace, and what reads them. */
struct daemon_files {
	struct text_list certs, keys;
	char log_path[64];
	struct tls_files files;
};

static void
copy(const char *from, const char *to)
{
	char command[256];

	/* As an administrator should: by rename. */
	snprintf(command, sizeof(command),
	    "cd %s && cp %s %s.new && mv %s.new %s", certs_at(""), from, to, to,
	    to);
	assert_int_equal(system(command), 0);
}

static int
setup(void **state)
{
	struct daemon_files *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	copy("a.pem", "one.pem");
	copy("a.key", "one.key");
	copy("soon.pem", "two.pem");
	copy("soon.key", "two.key");
	text_list_add(&d->certs, certs_at("one.pem"));
	text_list_add(&d->certs, certs_at("two.pem"));
	text_list_add(&d->keys, certs_at("one.key"));
	text_list_add(&d->keys, certs_at("two.key"));
	snprintf(d->log_path, sizeof(d->log_path), "%s", certs_at("log"));
	unlink(d->log_path);
	d->files = (struct tls_files){
		.server = smtpd_server_create(NULL),
		.log = log_create(SMTPD_LOG_INFO),
		.certs = &d->certs,
		.keys = &d->keys,
	};
	assert_int_equal(log_to(d->files.log, "test", d->log_path), 0);
	*state = d;
	return 0;
}

static int
teardown(void **state)
{
	struct daemon_files *d = *state;

	tls_files_finish(&d->files);
	smtpd_server_destroy(d->files.server);
	log_destroy(d->files.log);
	text_list_finish(&d->certs);
	text_list_finish(&d->keys);
	free(d);
	return 0;
}

/* How many lines of the log have WORD. */
static int
lines(const struct daemon_files *d, const char *word)
{
	FILE *file = fopen(d->log_path, "r");
	char line[1024];
	int n = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		n += strstr(line, word) != NULL;
	fclose(file);
	return n;
}

static void
load(struct daemon_files *d)
{
	char why[256] = "";

	assert_int_equal(tls_files_load(&d->files, why, sizeof(why)), 0);
	assert_string_equal(why, "");
}

static void
the_first_to_expire_is_named(void **state)
{
	struct daemon_files *d = *state;

	load(d);
	assert_string_equal(d->files.first, d->certs.items[1]);
	assert_int_equal(d->files.expires, 2147483648);
	assert_int_equal(
	    lines(d, "two.pem expires first, 2038-01-19 03:14 UTC"), 1);
}

static void
nothing_is_nothing_to_do(void **state)
{
	struct daemon_files *d = *state;
	struct text_list none = { NULL, 0 };
	char why[8] = "";

	d->files.certs = d->files.keys = &none;
	assert_int_equal(tls_files_load(&d->files, why, sizeof(why)), 0);
	tls_files_look(&d->files, 1);
	tls_files_reload(&d->files);
	assert_null(d->files.tls);
}

static void
a_mistake_has_a_status_and_a_reason(void **state)
{
	static const struct {
		const char *cert, *key;
		int status;
		const char *why;
	} cases[] = {
		{ "a.pem", "b.key", EX_CONFIG, "/b.key: the key belongs to " },
		{ "half-chain.pem", "a.key", EX_CONFIG, "not all " },
	};
	struct daemon_files *d = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char why[256] = "";

		free(d->certs.items[1]);
		free(d->keys.items[1]);
		d->certs.items[1] = strdup(certs_at(cases[i].cert));
		d->keys.items[1] = strdup(certs_at(cases[i].key));
		assert_int_equal(tls_files_load(&d->files, why, sizeof(why)),
		    cases[i].status);
		assert_non_null(strstr(why, cases[i].why));
		assert_null(d->files.tls);
	}
}

/* O8: A certificate that has expired, or is not valid yet, keeps no mail
 * out. */
static void
one_out_of_its_time_is_used(void **state)
{
	struct daemon_files *d = *state;

	copy("expired.pem", "one.pem");
	copy("expired.key", "one.key");
	copy("future.pem", "two.pem");
	copy("future.key", "two.key");
	load(d);
	assert_non_null(d->files.tls);
	assert_int_equal(lines(d, "error /"), 2);
	assert_int_equal(lines(d, "one.pem: the certificate has expired"), 1);
	assert_int_equal(lines(d, "two.pem: the certificate is not valid"), 1);
	tls_files_look(&d->files, time(NULL));
	assert_int_equal(lines(d, "has expired"), 1);

	copy("a.pem", "one.pem");
	copy("a.key", "one.key");
	copy("b.pem", "two.pem");
	copy("b.key", "two.key");
	tls_files_look(&d->files, time(NULL));
	assert_int_equal(lines(d, "error /"), 2);
	assert_int_equal(lines(d, "read 2 certificates"), 2);
}

/* O8: The other one is offered, and both when both are there. */
static void
one_that_is_missing_is_left_out(void **state)
{
	struct daemon_files *d = *state;

	unlink(d->keys.items[1]);
	load(d);
	assert_string_equal(d->files.first, d->certs.items[0]);
	assert_int_equal(lines(d, "error /"), 1);
	assert_int_equal(lines(d, "two.key: cannot be read: No such"), 1);
	tls_files_look(&d->files, 1);
	assert_int_equal(lines(d, "error /"), 1);

	copy("soon.key", "two.key");
	tls_files_look(&d->files, 1);
	assert_string_equal(d->files.first, d->certs.items[1]);
	assert_int_equal(lines(d, "error /"), 1);
}

/* O8: Mail comes in without TLS until one can be read. */
static void
all_may_be_missing(void **state)
{
	struct daemon_files *d = *state;

	unlink(d->keys.items[0]);
	unlink(d->keys.items[1]);
	load(d);
	assert_null(d->files.tls);
	assert_int_equal(lines(d, "no certificate can be used"), 1);
	tls_files_look(&d->files, 1);
	assert_int_equal(lines(d, "no certificate can be used"), 1);

	copy("a.key", "one.key");
	tls_files_look(&d->files, 1);
	assert_non_null(d->files.tls);
}

static void
each_warning_comes_once(void **state)
{
	static const struct {
		int days_before, hours_before;
		int warnings, errors; /* until then */
	} times[] = {
		{ 400, 0, 0, 0 },
		{ 14, 1, 0, 0 },
		{ 14, 0, 1, 0 },
		{ 13, 0, 1, 0 },
		{ 7, 1, 1, 0 },
		{ 7, 0, 2, 0 },
		{ 6, 23, 2, 0 },
		{ 1, 0, 3, 0 },
		{ 0, 1, 3, 0 },
		{ 0, 0, 3, 1 },
		{ -1, 0, 3, 1 },
	};
	struct daemon_files *d = *state;

	load(d);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		time_t now = d->files.expires - times[i].days_before * DAY -
		    times[i].hours_before * 3600;

		tls_files_look(&d->files, now);
		tls_files_look(&d->files, now + 60);
		assert_int_equal(lines(d, " warning the certificate in "),
		    times[i].warnings);
		assert_int_equal(lines(d, "has expired"), times[i].errors);
	}
	assert_int_equal(lines(d, "two.pem expires within 14 days"), 1);
	assert_int_equal(lines(d, "two.pem expires within 7 days"), 1);
	assert_int_equal(lines(d, "two.pem expires within 1 days"), 1);
}

/* A daemon that starts late says it once, not for each day it missed. */
static void
a_late_start_warns_once(void **state)
{
	struct daemon_files *d = *state;

	load(d);
	tls_files_look(&d->files, d->files.expires - 3600);
	assert_int_equal(lines(d, " warning the certificate in "), 1);
	tls_files_look(&d->files, d->files.expires + 3600);
	assert_int_equal(lines(d, " error the certificate in "), 1);
}

static void
a_changed_file_is_read(void **state)
{
	struct daemon_files *d = *state;
	time_t now = 2147483648 - DAY / 2;
	struct smtpd_tls *old;

	load(d);
	old = smtpd_tls_ref(d->files.tls);
	tls_files_look(&d->files, now);
	assert_ptr_equal(d->files.tls, old);
	assert_int_equal(lines(d, " warning "), 1);

	copy("b.pem", "two.pem");
	copy("b.key", "two.key");
	tls_files_look(&d->files, now);
	assert_ptr_not_equal(d->files.tls, old);
	assert_int_equal(d->files.expires, 2208988800);
	assert_int_equal(lines(d, "read 2 certificates"), 2);
	assert_int_equal(lines(d, " warning "), 1);
	smtpd_tls_unref(old);

	/* And the next one gets its warnings again. */
	tls_files_look(&d->files, 2208988800 - DAY);
	assert_int_equal(lines(d, " warning "), 2);
}

static void
a_bad_one_is_told_once_and_tried_again(void **state)
{
	struct daemon_files *d = *state;
	struct smtpd_tls *old;

	load(d);
	old = d->files.tls;
	copy("b.pem", "two.pem");
	for (int i = 0; i < 3; i++)
		tls_files_look(&d->files, 1);
	assert_ptr_equal(d->files.tls, old);
	assert_int_equal(
	    lines(d, " warning the old certificates stay in use"), 1);
	assert_int_equal(lines(d, "two.key: the key belongs to another"), 1);

	unlink(d->keys.items[1]);
	tls_files_look(&d->files, 1);
	assert_int_equal(lines(d, "two.key: cannot be read: No such"), 1);

	copy("b.key", "two.key");
	tls_files_look(&d->files, 1);
	assert_int_equal(lines(d, "stay in use"), 2);
	assert_int_equal(lines(d, "read 2 certificates"), 2);
}

static void
a_reload_needs_no_change(void **state)
{
	struct daemon_files *d = *state;

	load(d);
	tls_files_reload(&d->files);
	assert_int_equal(lines(d, "read 2 certificates"), 2);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_first_to_expire_is_named),
		TEST(nothing_is_nothing_to_do),
		TEST(a_mistake_has_a_status_and_a_reason),
		TEST(one_out_of_its_time_is_used),
		TEST(one_that_is_missing_is_left_out),
		TEST(all_may_be_missing),
		TEST(each_warning_comes_once),
		TEST(a_late_start_warns_once),
		TEST(a_changed_file_is_read),
		TEST(a_bad_one_is_told_once_and_tried_again),
		TEST(a_reload_needs_no_change),
	};

	if (!smtpd_tls_supported())
		return 77;
	return cmocka_run_group_tests(tests, certs_copy, certs_remove);
}
