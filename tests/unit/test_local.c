/* SPDX-License-Identifier: MIT */
/* Routes of an open queue: to the program itself, and beside others. */
#include "queue/delivery/local.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <smtpd.h>

#include "queue_fixture.h"

#include "test.h"

/* What a callback was given, under the lock of the world. */
struct taken {
	atomic_int calls;
	char sender[64];
	char rcpts[256]; /* divided by blanks */
	char content[512];
	uint64_t length;
	int code; /* that it returns */
};

static int
deliver(struct smtpd_local *local, void *user)
{
	struct taken *t = user;
	const struct smtpd_outgoing_envelope *e = local->envelope;
	size_t len = 0, at = 0;
	ssize_t n;

	snprintf(t->sender, sizeof(t->sender), "%s", e->sender);
	t->rcpts[0] = '\0';
	for (size_t i = 0; i < e->nrcpts; i++) {
		const char *address = e->rcpts[i].address;

		at += (size_t)snprintf(t->rcpts + at, sizeof(t->rcpts) - at,
		    "%s%s", i > 0 ? " " : "", address);
		if (strncmp(address, "full", 4) == 0)
			smtpd_local_reply(local, i, 552, "5.2.2 No room");
		if (strncmp(address, "later", 5) == 0 && t->calls == 0)
			smtpd_local_reply(local, i, 450, NULL);
	}
	/* Neither is there. */
	assert_int_equal(smtpd_local_reply(local, e->nrcpts, 250, ""), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(smtpd_local_reply(local, 0, 354, ""), -1);
	while ((n = local->read(local->read_user, t->content + len,
		    sizeof(t->content) - 1 - len)) > 0)
		len += (size_t)n;
	t->content[len] = '\0';
	t->length = local->length;
	atomic_fetch_add(&t->calls, 1);
	return t->code;
}

/* The one whose callback fills T. */
static struct smtpd_route_target
target_of(struct taken *t)
{
	return (struct smtpd_route_target){ SMTPD_ROUTE_TARGET_INIT,
		SMTPD_ROUTE_LOCAL, .deliver = deliver, .deliver_user = t };
}

/* Open W with COUNT ROUTES. */
static void
begin(struct world *w, const struct smtpd_route *routes, size_t count)
{
	w->settings.routes = routes;
	w->settings.nroutes = count;
	world_begin(w);
}

/* Each recipient has its own reply: done, later, or in a report. */
static void
the_program_gets_what_is_its_own(void **state)
{
	struct taken t = { .code = 250 };
	const struct smtpd_route_target target = target_of(&t);
	const struct smtpd_route route = { SMTPD_ROUTE_INIT, "own.test",
		&target, 1 };
	struct world *w = *state;
	struct smtpd_queue_counters c;

	begin(w, &route, 1);
	world_send(w, "s@a1.test", "ann@own.test full@own.test later@own.test");
	world_await(w, 0);
	c = world_counters(w);
	assert_int_equal(t.calls, 2);
	assert_string_equal(t.sender, "s@a1.test");
	assert_string_equal(t.rcpts, "later@own.test");
	assert_int_equal(t.length, strlen(t.content));
	assert_non_null(strstr(t.content, "\r\n\r\n"));
	assert_int_equal(c.reports, 1);
	assert_int_equal(c.failed, 1);
	world_close(w, 0);
	assert_non_null(strstr(w->log, "to=<ann@own.test> relay=local "));
	assert_non_null(strstr(w->log, "reply=\"552 5.2.2 No room\""));
	/* The report went to the sender's host.  RFC 3464: no other host
	 * had to do with it. */
	assert_int_equal(w->hosts[0].count, 1);
	assert_non_null(
	    strstr(w->hosts[0].messages[0].data, "552 5.2.2 No room"));
	assert_null(strstr(w->hosts[0].messages[0].data, "Remote-MTA"));
}

/* RFC 3461, 5.2.3: success is the delivery itself. */
static void
success_is_reported_as_delivery(void **state)
{
	struct taken t = { .code = 250 };
	const struct smtpd_route_target target = target_of(&t);
	const struct smtpd_route route = { SMTPD_ROUTE_INIT, "own.test",
		&target, 1 };
	struct world *w = *state;

	begin(w, &route, 1);
	world_send_notify(w, "s@a1.test", "ann@own.test", "SUCCESS");
	world_await(w, 0);
	world_close(w, 0);
	assert_int_equal(w->hosts[0].count, 1);
	assert_non_null(
	    strstr(w->hosts[0].messages[0].data, "Action: delivered\n"));
}

/* What is no code is not taken for a good one. */
static void
a_code_that_is_none_is_for_later(void **state)
{
	struct taken t = { .code = 0 };
	const struct smtpd_route_target target = target_of(&t);
	const struct smtpd_route route = { SMTPD_ROUTE_INIT, "*", &target, 1 };
	struct world *w = *state;

	w->settings.retry_min_s = w->settings.retry_max_s = 1000;
	begin(w, &route, 1);
	world_send(w, "s@a1.test", "ann@own.test");
	world_await_counter(
	    w, offsetof(struct smtpd_queue_counters, attempts), 1);
	world_close(w, 10000);
	assert_non_null(
	    strstr(w->log, "status=deferred reply=\"451 not now\""));
}

/* Recipients at one domain may have several routes. */
static void
routes_of_one_message_do_not_hinder_each_other(void **state)
{
	struct taken t = { .code = 250 };
	const struct smtpd_route_target local = target_of(&t);
	const struct smtpd_route_target closed = { SMTPD_ROUTE_TARGET_INIT,
		SMTPD_ROUTE_ERROR, .text = "5.1.6 Gone to the sea" };
	const struct smtpd_route_target missing = { SMTPD_ROUTE_TARGET_INIT,
		SMTPD_ROUTE_HOST, .host = "missing.test" };
	const struct smtpd_route routes[] = {
		{ SMTPD_ROUTE_INIT, "old@a2.test", &closed, 1 },
		{ SMTPD_ROUTE_INIT, "own@a2.test", &local, 1 },
		{ SMTPD_ROUTE_INIT, "stuck@a2.test", &missing, 1 },
	};
	struct world *w = *state;
	char out[4096];

	begin(w, routes, COUNT(routes));
	world_send(w, "s@a1.test",
	    "x@a2.test old@a2.test stuck@a2.test own@a2.test y@a2.test");
	world_await_counter(w, offsetof(struct smtpd_queue_counters, sent), 4);
	world_await(w, 1);
	assert_int_equal(t.calls, 1);
	assert_string_equal(t.rcpts, "own@a2.test");
	assert_int_equal(w->hosts[1].count, 1);
	assert_int_equal(w->hosts[1].messages[0].nrcpts, 2);
	assert_non_null(
	    strstr(w->hosts[0].messages[0].data, "5.1.6 Gone to the sea"));
	/* Who is stuck follows a changed table, without being sent to twice. */
	assert_int_equal(
	    smtpd_queue_set_routes(w->queue, NULL, 0, out, sizeof(out)), 0);
	assert_int_equal(world_ask(w, "flush", NULL, out, sizeof(out)), 0);
	world_await(w, 0);
	assert_int_equal(w->hosts[1].count, 2);
	assert_string_equal(w->hosts[1].messages[1].rcpts[0], "stuck@a2.test");
	assert_int_equal(w->hosts[1].messages[1].nrcpts, 1);
	world_close(w, 0);
}

/* Of one domain, mail of one sender is not held up by the route of another;
 * nor after the queue was opened again. */
static void
a_route_that_is_dead_holds_up_no_other(void **state)
{
	const struct smtpd_route_target missing = { SMTPD_ROUTE_TARGET_INIT,
		SMTPD_ROUTE_HOST, .host = "missing.test" };
	const struct smtpd_route route = { SMTPD_ROUTE_INIT, "from:bad@a1.test",
		&missing, 1 };
	struct world *w = *state;

	w->settings.retry_min_s = w->settings.retry_max_s = 1000;
	begin(w, &route, 1);
	for (int i = 0; i < 2; i++) {
		world_send(w, "bad@a1.test", "x@a2.test");
		world_await_log(w, "mail for site=missing.test:25 waits");
		world_send(w, "good@a1.test", "y@a2.test");
		world_await(w, 1 + (uint64_t)i);
		world_close(w, 0);
		world_begin(w);
	}
	assert_int_equal(w->hosts[1].count, 2);
	world_close(w, 0);
}

static void
wrong_routes_leave_the_old_ones(void **state)
{
	const struct smtpd_route_target closed = { SMTPD_ROUTE_TARGET_INIT,
		SMTPD_ROUTE_ERROR, .text = "Closed" };
	const struct smtpd_route good = { SMTPD_ROUTE_INIT, "*", &closed, 1 };
	const struct smtpd_route bad = { SMTPD_ROUTE_INIT, "a b", &closed, 1 };
	struct world *w = *state;
	char why[128];

	begin(w, &good, 1);
	assert_int_equal(
	    smtpd_queue_set_routes(w->queue, &bad, 1, why, sizeof(why)), -1);
	assert_int_equal(errno, EINVAL);
	assert_memory_equal(why, "\"a b\"", 5);
	assert_int_equal(
	    smtpd_queue_set_routes(w->queue, NULL, 1, why, sizeof(why)), -1);
	assert_int_equal(errno, EINVAL);
	world_send(w, "", "x@a2.test");
	world_await(w, 0);
	assert_int_equal(w->hosts[1].count, 0);
	world_close(w, 0);
	w->settings.routes = &bad;
	assert_null(smtpd_queue_open(w->path, &w->settings, why, sizeof(why)));
	assert_int_equal(errno, EINVAL);
	w->settings.routes = NULL;
	assert_null(smtpd_queue_open(w->path, &w->settings, why, sizeof(why)));
	assert_int_equal(errno, EINVAL);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_program_gets_what_is_its_own),
		CASE(success_is_reported_as_delivery),
		CASE(a_code_that_is_none_is_for_later),
		CASE(routes_of_one_message_do_not_hinder_each_other),
		CASE(a_route_that_is_dead_holds_up_no_other),
		CASE(wrong_routes_leave_the_old_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
