/* SPDX-License-Identifier: MIT */

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolve/cache.h"

#include "test.h"

static struct smtpd_dns_answer *
make_answer(enum smtpd_dns_status status, uint32_t ttl_s, size_t count)
{
	struct smtpd_dns_answer *a =
	    calloc(1, smtpd__dns_message_answer_size(count));

	assert_non_null(a);
	a->status = status;
	a->reason = "";
	a->ttl_s = ttl_s;
	a->count = count;
	for (size_t i = 0; i < count; i++)
		a->records[i].preference = (uint16_t)i;
	return a;
}

/* Put an answer, and return the TTL that it was given. */
static uint32_t
put(struct smtpd_cache *c, const char *name, enum smtpd_dns_status status,
    uint32_t ttl_s, size_t count, uint64_t now)
{
	struct smtpd_dns_answer *a = make_answer(status, ttl_s, count);

	smtpd__cache_put(c, name, SMTPD_DNS_MX, a, now);
	ttl_s = a->ttl_s;
	free(a);
	return ttl_s;
}

static bool
is_known(struct smtpd_cache *c, const char *name, uint64_t now)
{
	struct smtpd_dns_answer *a =
	    smtpd__cache_get(c, name, SMTPD_DNS_MX, now);

	free(a);
	return a != NULL;
}

static void
what_was_put_comes_back(void **state)
{
	struct smtpd_cache *c = smtpd__cache_create(10, 3600);
	struct smtpd_dns_answer *a;

	(void)state;
	assert_false(is_known(c, "a", 1000));
	put(c, "a", SMTPD_DNS_FOUND, 60, 3, 1000);
	a = smtpd__cache_get(c, "a", SMTPD_DNS_MX, 11000);
	assert_non_null(a);
	assert_int_equal(a->status, SMTPD_DNS_FOUND);
	assert_int_equal(a->ttl_s, 50);
	assert_int_equal(a->count, 3);
	assert_int_equal(a->records[2].preference, 2);
	free(a);
	assert_false(is_known(c, "b", 1000));
	assert_null(smtpd__cache_get(c, "a", SMTPD_DNS_A, 11000));
	smtpd__cache_destroy(c);
}

static void
it_is_forgotten_when_its_time_is_over(void **state)
{
	struct smtpd_cache *c = smtpd__cache_create(10, 3600);

	(void)state;
	put(c, "a", SMTPD_DNS_FOUND, 60, 1, 1000);
	assert_true(is_known(c, "a", 60999));
	assert_false(is_known(c, "a", 61000));
	assert_false(is_known(c, "a", 1000));
	smtpd__cache_destroy(c);
}

static void
times_are_bounded(void **state)
{
	struct smtpd_cache *c = smtpd__cache_create(10, 3600);
	struct smtpd_cache *brief = smtpd__cache_create(10, 100);

	(void)state;
	assert_int_equal(put(c, "a", SMTPD_DNS_FOUND, 99999, 1, 0), 3600);
	assert_int_equal(put(c, "b", SMTPD_DNS_NXDOMAIN, 99999, 0, 0), 300);
	assert_int_equal(put(c, "c", SMTPD_DNS_NODATA, 99999, 0, 0), 300);
	assert_int_equal(put(c, "d", SMTPD_DNS_NODATA, 299, 0, 0), 299);
	assert_true(is_known(c, "a", 3599999));
	assert_false(is_known(c, "a", 3600000));
	assert_true(is_known(c, "b", 299999));
	assert_false(is_known(c, "b", 300000));
	assert_int_equal(put(brief, "a", SMTPD_DNS_FOUND, 101, 1, 0), 100);
	assert_int_equal(put(brief, "b", SMTPD_DNS_NODATA, 101, 0, 0), 100);
	smtpd__cache_destroy(c);
	smtpd__cache_destroy(brief);
}

static void
failures_and_large_answers_are_not_kept(void **state)
{
	struct smtpd_cache *c = smtpd__cache_create(10, 3600);

	(void)state;
	assert_int_equal(put(c, "a", SMTPD_DNS_FAILED, 60, 0, 0), 0);
	assert_false(is_known(c, "a", 0));
	put(c, "b", SMTPD_DNS_FOUND, 0, 1, 0);
	assert_false(is_known(c, "b", 0));
	put(c, "c", SMTPD_DNS_FOUND, 60, SMTPD_CACHE_RECORDS_MAX, 0);
	assert_true(is_known(c, "c", 0));
	put(c, "d", SMTPD_DNS_FOUND, 60, SMTPD_CACHE_RECORDS_MAX + 1, 0);
	assert_false(is_known(c, "d", 0));
	smtpd__cache_destroy(c);
}

static void
the_later_of_two_stays(void **state)
{
	struct smtpd_cache *c = smtpd__cache_create(10, 3600);
	struct smtpd_dns_answer *a;

	(void)state;
	put(c, "a", SMTPD_DNS_FOUND, 60, 1, 0);
	put(c, "a", SMTPD_DNS_NXDOMAIN, 60, 0, 0);
	a = smtpd__cache_get(c, "a", SMTPD_DNS_MX, 0);
	assert_int_equal(a->status, SMTPD_DNS_NXDOMAIN);
	free(a);
	smtpd__cache_destroy(c);
}

static void
the_least_used_goes_first(void **state)
{
	struct smtpd_cache *c = smtpd__cache_create(3, 3600);

	(void)state;
	put(c, "a", SMTPD_DNS_FOUND, 60, 1, 0);
	put(c, "b", SMTPD_DNS_FOUND, 60, 1, 0);
	put(c, "c", SMTPD_DNS_FOUND, 60, 1, 0);
	assert_true(is_known(c, "a", 0));
	put(c, "d", SMTPD_DNS_FOUND, 60, 1, 0);
	assert_true(is_known(c, "a", 0));
	assert_false(is_known(c, "b", 0));
	assert_true(is_known(c, "c", 0));
	assert_true(is_known(c, "d", 0));
	smtpd__cache_destroy(c);
}

static void
many_names_are_told_apart(void **state)
{
	struct smtpd_cache *c = smtpd__cache_create(5000, 3600);
	char name[32];

	(void)state;
	for (size_t i = 0; i < 9000; i++) {
		snprintf(name, sizeof(name), "n%zu.example", i);
		put(c, name, SMTPD_DNS_FOUND, 60, i % 7, 0);
	}
	for (size_t i = 0; i < 9000; i++) {
		struct smtpd_dns_answer *a;

		snprintf(name, sizeof(name), "n%zu.example", i);
		a = smtpd__cache_get(c, name, SMTPD_DNS_MX, 0);
		assert_int_equal(a != NULL, i >= 4000);
		if (a != NULL)
			assert_int_equal(a->count, i % 7);
		free(a);
	}
	smtpd__cache_destroy(c);
	smtpd__cache_destroy(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_comes_back),
		cmocka_unit_test(it_is_forgotten_when_its_time_is_over),
		cmocka_unit_test(times_are_bounded),
		cmocka_unit_test(failures_and_large_answers_are_not_kept),
		cmocka_unit_test(the_later_of_two_stays),
		cmocka_unit_test(the_least_used_goes_first),
		cmocka_unit_test(many_names_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
