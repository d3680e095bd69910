/* SPDX-License-Identifier: MIT */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "queue/delivery/hoststat.h"

#include "test.h"

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static struct smtpd_target
make(const char *address)
{
	struct smtpd_target t = { SMTPD_TARGET_INIT, .host = "mx.example" };
	struct sockaddr_in *in = (struct sockaddr_in *)&t.addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&t.addr;

	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		t.len = sizeof(*in);
	} else {
		assert_int_equal(
		    inet_pton(AF_INET6, address, &in6->sin6_addr), 1);
		in6->sin6_family = AF_INET6;
		t.len = sizeof(*in6);
	}
	return t;
}

static void
nothing_is_held_against_a_stranger(void **state)
{
	struct smtpd_hoststat *h = smtpd__hoststat_create();
	struct smtpd_target t = make("192.0.2.1");

	(void)state;
	assert_false(smtpd__hoststat_is(h, &t, SMTPD_HOST_DOWN, 0));
	assert_false(smtpd__hoststat_is(h, &t, SMTPD_HOST_TLS_BROKEN, 0));
	assert_false(smtpd__hoststat_is(h, &t, SMTPD_HOST_HAD_TLS, 0));
	smtpd__hoststat_note(h, &t, SMTPD_HOST_ANSWERED, 0);
	assert_false(smtpd__hoststat_is(h, &t, SMTPD_HOST_DOWN, 0));
	smtpd__hoststat_destroy(h);
	smtpd__hoststat_destroy(NULL);
}

/* How long one keeps away, from the first failure on. */
static const uint64_t waits[] = { MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE,
	16 * MINUTE, 32 * MINUTE, HOUR, HOUR, HOUR };

static void
the_time_away_doubles_up_to_an_hour(void **state)
{
	struct smtpd_hoststat *h = smtpd__hoststat_create();
	struct smtpd_target t = make("2001:db8::1");
	uint64_t now = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		smtpd__hoststat_note(h, &t, SMTPD_HOST_SILENT, now);
		assert_true(smtpd__hoststat_is(h, &t, SMTPD_HOST_DOWN, now));
		assert_true(smtpd__hoststat_is(
		    h, &t, SMTPD_HOST_DOWN, now + waits[i] - 1));
		now += waits[i];
		assert_false(smtpd__hoststat_is(h, &t, SMTPD_HOST_DOWN, now));
	}
	smtpd__hoststat_note(h, &t, SMTPD_HOST_ANSWERED, 0);
	smtpd__hoststat_note(h, &t, SMTPD_HOST_SILENT, now);
	assert_true(
	    smtpd__hoststat_is(h, &t, SMTPD_HOST_DOWN, now + MINUTE - 1));
	assert_false(smtpd__hoststat_is(h, &t, SMTPD_HOST_DOWN, now + MINUTE));
	smtpd__hoststat_destroy(h);
}

/* Ten workers who find out at once do not make it an hour. */
static void
failures_at_once_are_one(void **state)
{
	struct smtpd_hoststat *h = smtpd__hoststat_create();
	struct smtpd_target t = make("192.0.2.1");

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		smtpd__hoststat_note(h, &t, SMTPD_HOST_SILENT, 5 * SECOND + i);
	assert_false(
	    smtpd__hoststat_is(h, &t, SMTPD_HOST_DOWN, 5 * SECOND + MINUTE));
	smtpd__hoststat_destroy(h);
}

static void
one_that_works_is_well_at_once(void **state)
{
	struct smtpd_hoststat *h = smtpd__hoststat_create();
	struct smtpd_target t = make("192.0.2.1");

	(void)state;
	smtpd__hoststat_note(h, &t, SMTPD_HOST_SILENT, 7);
	smtpd__hoststat_note(h, &t, SMTPD_HOST_ANSWERED, 0);
	assert_false(smtpd__hoststat_is(h, &t, SMTPD_HOST_DOWN, 7));
	smtpd__hoststat_destroy(h);
}

static void
broken_tls_is_known_for_an_hour(void **state)
{
	struct smtpd_hoststat *h = smtpd__hoststat_create();
	struct smtpd_target t = make("192.0.2.1");

	(void)state;
	smtpd__hoststat_note(h, &t, SMTPD_HOST_TLS_FAILED, 9);
	assert_false(smtpd__hoststat_is(h, &t, SMTPD_HOST_DOWN, 9));
	assert_false(smtpd__hoststat_is(h, &t, SMTPD_HOST_HAD_TLS, 9));
	assert_true(smtpd__hoststat_is(h, &t, SMTPD_HOST_TLS_BROKEN, 9));
	/* To be reached is not to be well in that. */
	smtpd__hoststat_note(h, &t, SMTPD_HOST_ANSWERED, 0);
	smtpd__hoststat_note(h, &t, SMTPD_HOST_SILENT, 10);
	assert_true(
	    smtpd__hoststat_is(h, &t, SMTPD_HOST_TLS_BROKEN, 9 + HOUR - 1));
	assert_false(
	    smtpd__hoststat_is(h, &t, SMTPD_HOST_TLS_BROKEN, 9 + HOUR));
	smtpd__hoststat_destroy(h);
}

/* S20 */
static void
a_host_that_had_tls_is_known_for_ever(void **state)
{
	struct smtpd_hoststat *h = smtpd__hoststat_create();
	struct smtpd_target t = make("192.0.2.1");

	(void)state;
	smtpd__hoststat_note(h, &t, SMTPD_HOST_TLS_FAILED, 1);
	smtpd__hoststat_note(h, &t, SMTPD_HOST_TLS_WORKED, 2);
	assert_false(smtpd__hoststat_is(h, &t, SMTPD_HOST_TLS_BROKEN, 3));
	smtpd__hoststat_note(h, &t, SMTPD_HOST_TLS_FAILED, 4);
	assert_true(smtpd__hoststat_is(h, &t, SMTPD_HOST_HAD_TLS, 9 * DAY));
	smtpd__hoststat_destroy(h);
}

/* Pairs of addresses, and whether they are the same host's. */
static const struct {
	const char *a, *b;
	bool same;
} pairs[] = {
	{ "192.0.2.1", "192.0.2.2", false },
	{ "192.0.2.1", "193.0.2.1", false },
	{ "192.0.2.1", "::ffff:192.0.2.1", true },
	{ "192.0.2.1", "::192.0.2.1", false },
	{ "2001:db8::1", "2001:db8::2", false },
	{ "2001:db8::1", "2001:db8:0:0::1", true },
};

static void
addresses_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct smtpd_hoststat *h = smtpd__hoststat_create();
		struct smtpd_target a = make(pairs[i].a), b = make(pairs[i].b);

		/* Neither the name nor the port matters. */
		a.host = "other.example";
		smtpd__hoststat_note(h, &a, SMTPD_HOST_SILENT, 1);
		if (smtpd__hoststat_is(h, &b, SMTPD_HOST_DOWN, 1) !=
		    pairs[i].same)
			fail_msg("%s and %s", pairs[i].a, pairs[i].b);
		smtpd__hoststat_destroy(h);
	}
}

static void
old_ones_make_room(void **state)
{
	struct smtpd_hoststat *h = smtpd__hoststat_create();
	const unsigned count = 100000;
	unsigned remembered = 0;
	char text[32];

	(void)state;
	for (unsigned i = 1; i <= count; i++) {
		struct smtpd_target t;

		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16,
		    i >> 8 & 255, i & 255);
		t = make(text);
		smtpd__hoststat_note(h, &t, SMTPD_HOST_SILENT, i);
		assert_true(smtpd__hoststat_is(h, &t, SMTPD_HOST_DOWN, i));
	}
	for (unsigned i = 1; i <= count; i++) {
		struct smtpd_target t;

		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16,
		    i >> 8 & 255, i & 255);
		t = make(text);
		if (!smtpd__hoststat_is(h, &t, SMTPD_HOST_DOWN, i))
			continue;
		assert_true(i > count / 2);
		remembered++;
	}
	assert_in_range(remembered, 1000, 10000);
	smtpd__hoststat_destroy(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_held_against_a_stranger),
		cmocka_unit_test(the_time_away_doubles_up_to_an_hour),
		cmocka_unit_test(failures_at_once_are_one),
		cmocka_unit_test(one_that_works_is_well_at_once),
		cmocka_unit_test(broken_tls_is_known_for_an_hour),
		cmocka_unit_test(a_host_that_had_tls_is_known_for_ever),
		cmocka_unit_test(addresses_are_told_apart),
		cmocka_unit_test(old_ones_make_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
