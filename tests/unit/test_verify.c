/* SPDX-License-Identifier: MIT */
#include <smtpd/verify.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "queue_fixture.h"

#include "test.h"

static int
setup(void **state)
{
	static const struct smtpd_route_target targets[] = {
		{ SMTPD_ROUTE_TARGET_INIT, .kind = SMTPD_ROUTE_HOST,
		    .host = "relay.test", .user = "ann", .password = "secret" },
		{ SMTPD_ROUTE_TARGET_INIT, .kind = SMTPD_ROUTE_MX },
		{ SMTPD_ROUTE_TARGET_INIT, .kind = SMTPD_ROUTE_LMTP,
		    .host = "/run/lmtp" },
		{ SMTPD_ROUTE_TARGET_INIT, .kind = SMTPD_ROUTE_ERROR,
		    .text = "5.1.6 moved, away" },
	};
	static const struct smtpd_route routes[] = {
		{ SMTPD_ROUTE_INIT, "from:eve@queue.test", &targets[0], 2 },
		{ SMTPD_ROUTE_INIT, "lists.test", &targets[2], 1 },
		{ SMTPD_ROUTE_INIT, "old@a1.test", &targets[3], 1 },
	};
	struct world *w;

	world_setup(state);
	w = *state;
	w->settings.routes = routes;
	w->settings.nroutes = COUNT(routes);
	w->settings.fix = SMTPD_FIX_ADDRESSES;
	return 0;
}

static int
expand_staff(const char *address, struct smtpd_expansion *x, void *user)
{
	(void)user;
	if (strcmp(address, "none@queue.test") == 0) {
		errno = EIO;
		return -1;
	}
	if (strcmp(address, "staff@queue.test") != 0)
		return 0;
	return smtpd_expansion_add(x, "bob@lists.test") == 0 &&
		smtpd_expansion_add(x, "old@a1.test") == 0
	    ? 0
	    : -1;
}

static void
add_line(const struct smtpd_queue_recipient *r, void *user)
{
	char *text = user;

	snprintf(text + strlen(text), 512 - strlen(text), "%s %s%s\n",
	    r->address, r->route, r->refused ? " refused" : "");
}

static void
routes_and_aliases_are_told(void **state)
{
	static const struct {
		const char *sender, *address, *out;
	} cases[] = {
		{ "", "bob@a1.test", "bob@a1.test mx\n" },
		{ "root", "BOB", "BOB@queue.test mx\n" },
		{ "root", "x@lists.test", "x@lists.test lmtp:/run/lmtp\n" },
		{ "", "staff",
		    "bob@lists.test lmtp:/run/lmtp\n"
		    "old@a1.test error:5.1.6 moved, away refused\n" },
		/* The password and its user are nobody's business. */
		{ "eve", "old@a1.test", "old@a1.test relay.test:25,mx\n" },
	};
	struct world *w = *state;

	w->settings.expand = expand_staff;
	world_open(w);
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[512] = "";

		assert_int_equal(smtpd_queue_verify(w->queue, cases[i].sender,
				     cases[i].address, add_line, text),
		    0);
		assert_string_equal(text, cases[i].out);
	}
	assert_int_equal(world_counters(w).messages, 0);
}

static void
smarthost_is_told(void **state)
{
	const struct smtpd_route_target smarthost = { SMTPD_ROUTE_TARGET_INIT,
		.kind = SMTPD_ROUTE_HOST, .host = "Smart.test", .user = "ann",
		.password = "secret", .tls_first = true };
	struct world *w = *state;
	char text[512] = "";

	w->settings.smarthost = &smarthost;
	world_open(w);
	assert_int_equal(
	    smtpd_queue_verify(w->queue, "", "a@a1.test", add_line, text), 0);
	assert_string_equal(text, "a@a1.test tls://Smart.test:465\n");
}

static void
mistakes_are_told(void **state)
{
	struct world *w = *state;
	char text[512] = "";

	w->settings.expand = expand_staff;
	world_open(w);
	errno = 0;
	assert_int_equal(
	    smtpd_queue_verify(NULL, "", "a@a1.test", add_line, text), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
	    smtpd_queue_verify(w->queue, "", "a@a1.test", NULL, text), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
	    smtpd_queue_verify(w->queue, NULL, "a@a1.test", add_line, text),
	    -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
	    smtpd_queue_verify(w->queue, "a@@", "a@a1.test", add_line, text),
	    -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
	    smtpd_queue_verify(w->queue, "", NULL, add_line, text), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
	    smtpd_queue_verify(w->queue, "", "", add_line, text), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
	    smtpd_queue_verify(w->queue, "", "none", add_line, text), -1);
	assert_int_equal(errno, EIO);
	assert_string_equal(text, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(routes_and_aliases_are_told),
		TEST(smarthost_is_told),
		TEST(mistakes_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
