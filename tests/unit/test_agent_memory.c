/* SPDX-License-Identifier: MIT */
/* Routes and agents with every allocation failing once; linked with --wrap.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd.h>

#include "failing.h"
#include "queue/delivery/agent.h"
#include "queue/delivery/agent_state.h"
#include "scripted.h"

#include "test.h"

static int
take_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	(void)s, (void)c, (void)user;
	return 0;
}

static int
count_message(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *count)
{
	char buf[64];
	ssize_t n;

	(void)s, (void)envelope;
	while ((n = smtpd_body_read(body, buf, sizeof(buf))) > 0)
		continue;
	if (n == 0)
		atomic_fetch_add((atomic_int *)count, 1);
	return 0;
}

static struct smtpd_outgoing_rcpt rcpt = { SMTPD_OUTGOING_RCPT_INIT,
	.address = "b@example.org" };

static const struct smtpd_loaded_message loaded = {
	.id = 1,
	.envelope = {
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = "a@example.net",
		.rcpts = &rcpt,
		.nrcpts = 1,
	},
	.content = "hi\r\n",
	.size = 4,
};

/* Send a loaded along ROUTE.  Return how many times it was sent. */
static int
send_letter(struct smtpd_agent *c, const struct smtpd_found_route *route)
{
	struct smtpd_rcpt_progress progress = { .rcpt = 0 };
	char lines[1024];
	struct smtpd_text history;
	struct smtpd_delivery_request request = {
		.loaded = &loaded,
		.route = route,
		.rcpts = &progress,
		.nrcpts = 1,
		.history = &history,
	};
	struct smtpd_delivery_result end;

	smtpd__text_init(&history, lines, sizeof(lines));
	smtpd__agent_deliver(c, &request, &end);
	assert_false(end.in_doubt);
	assert_int_equal(
	    progress.finished, progress.result.outcome == SMTPD_OUTCOME_SENT);
	if (progress.finished) {
		assert_int_equal(end.feedback, SMTPD_SITE_FINE);
		return 1;
	}
	/* It spoke with us, or nothing was learnt of it. */
	if (end.feedback != SMTPD_SITE_FINE)
		assert_int_equal(end.feedback, SMTPD_SITE_UNTOLD);
	assert_int_equal(progress.result.outcome, SMTPD_OUTCOME_TEMPORARY);
	assert_string_equal(progress.result.status, "4.3.0");
	return 0;
}

/* Two letters with one agent.  What is said to be sent was, once. */
static void
no_letter_is_lost_without_memory(void **state)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "a.example", .max_connections = 200,
		.max_per_address = 200 };
	const struct smtpd_client_settings client = {
		SMTPD_CLIENT_SETTINGS_INIT, .hostname = "me",
		.security = SMTPD_SECURITY_NONE
	};
	struct smtpd_target target = scripted_target("127.0.0.1", "a.example");
	struct smtpd_targets *targets = scripted_targets(&target, 1);
	char site[] = "a.example";
	struct smtpd_found_route route = {
		.hops = { { .targets = targets,
		    .policy = { .level = SMTPD_SECURITY_NONE,
			.id = "none" } } },
		.nhops = 1,
		.site = site,
	};
	struct smtpd_server *server = smtpd_server_create(&settings);
	atomic_int count = 0;
	bool failed = true;
	int n;

	(void)state;
	smtpd_server_add_handler(server, "RCPT", take_rcpt, NULL);
	smtpd_server_set_deliver(server, count_message, &count);
	assert_int_equal(smtpd_server_listen(server, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(server), 0);
	route.hops[0].port = (uint16_t)strtoul(
	    strrchr(smtpd_server_address(server, 0), ':') + 1, NULL, 10);
	for (n = 0; failed; n++) {
		struct smtpd_agent_settings set = { .client = &client };
		struct smtpd_agent *c = NULL;
		int before = atomic_load(&count);
		int sent = 0;

		failing_after(n);
		set.hosts = smtpd__hoststat_create();
		if (set.hosts != NULL)
			c = smtpd__agent_create(&set);
		if (c != NULL) {
			sent = send_letter(c, &route);
			sent += send_letter(c, &route);
			smtpd__agent_state_quit(c);
		}
		smtpd__agent_destroy(c);
		smtpd__hoststat_destroy(set.hosts);
		failed = failing_ended();
		assert_int_equal(atomic_load(&count) - before, sent);
		assert_true(sent == 2 || failed);
	}
	assert_in_range(n, 10, 100);
	smtpd_targets_free(targets);
	smtpd_server_destroy(server);
}

static int
find_route(struct smtpd_router *r, struct smtpd_found_route *route,
    struct smtpd_text *history)
{
	struct smtpd_route_table *table = smtpd__route_table(r);
	int status = smtpd__route_find(r, table,
	    smtpd__route_table_match(table, "", "x@[192.0.2.1]"), "[192.0.2.1]",
	    NULL, route, history);

	smtpd__route_table_unref(table);
	return status;
}

/* A literal and a smarthost, found or not for want of memory alone. */
static void
no_route_is_wrong_without_memory(void **state)
{
	static const struct smtpd_security_rule rule = {
		SMTPD_SECURITY_RULE_INIT, "[192.0.2.1]", SMTPD_SECURITY_REQUIRED
	};
	static const struct smtpd_route_target smarthost = {
		SMTPD_ROUTE_TARGET_INIT,
		.kind = SMTPD_ROUTE_HOST,
		.host = "localhost",
		.user = "u",
		.password = "p",
	};
	const struct smtpd_resolver_settings resolver = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = "127.0.0.1",
	};

	(void)state;
	for (int smart = 0; smart <= 1; smart++) {
		const struct smtpd_queue_settings settings = {
			.hostname = "me.test",
			.resolver = &resolver,
			.rules = &rule,
			.nrules = 1,
			.smarthost = smart ? &smarthost : NULL,
		};
		bool failed = true;
		int n;

		for (n = 0; failed; n++) {
			struct smtpd_router *r;
			struct smtpd_found_route route;
			char error[64] = "", lines[256];
			struct smtpd_text history;

			smtpd__text_init(&history, lines, sizeof(lines));
			failing_after(n);
			r = smtpd__route_router_create(
			    &settings, error, sizeof(error));
			if (r == NULL) {
				assert_string_equal(error, "out of memory");
			} else if (find_route(r, &route, &history) == 0) {
				assert_int_equal(
				    route.outcome, SMTPD_RESOLVE_FOUND);
				assert_string_equal(route.site,
				    smart ? "smarthost required"
					  : "[192.0.2.1] required");
				smtpd__route_finish(&route);
			} else {
				assert_int_equal(
				    route.outcome, SMTPD_RESOLVE_LATER);
				assert_string_equal(route.why.status, "4.3.0");
				smtpd__route_finish(&route);
			}
			smtpd__route_router_destroy(r);
			failed = failing_ended();
		}
		assert_in_range(n, 8, 100);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_letter_is_lost_without_memory),
		cmocka_unit_test(no_route_is_wrong_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
