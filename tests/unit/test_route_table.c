/* SPDX-License-Identifier: MIT */
#include "queue/delivery/route_table.h"

#include <errno.h>
#include <string.h>

#include "test.h"

static int
deliver_nothing(struct smtpd_local *local, void *user)
{
	(void)local;
	(void)user;
	return 250;
}

#define TARGET(k, ...) { SMTPD_ROUTE_TARGET_INIT, .kind = (k), __VA_ARGS__ }

static const struct smtpd_route_target mx = TARGET(SMTPD_ROUTE_MX, .port = 0);
static const struct smtpd_route_target relay =
    TARGET(SMTPD_ROUTE_HOST, .host = "relay.test");
static const struct smtpd_route_target login =
    TARGET(SMTPD_ROUTE_HOST, .host = "2001:db8::1", .tls_first = true,
	.user = "ann", .password = "pencil");
static const struct smtpd_route_target store =
    TARGET(SMTPD_ROUTE_LMTP, .host = "/run/store");
static const struct smtpd_route_target lists[] = {
	TARGET(SMTPD_ROUTE_LMTP, .host = "127.0.0.1", .port = 24),
	TARGET(SMTPD_ROUTE_HOST, .host = "relay.test", .port = 2525),
	TARGET(SMTPD_ROUTE_MX, .port = 0),
};
static const struct smtpd_route_target closed =
    TARGET(SMTPD_ROUTE_ERROR, .text = "5.1.1 Closed, since May");
static const struct smtpd_route_target program =
    TARGET(SMTPD_ROUTE_LOCAL, .deliver = deliver_nothing);

static const struct smtpd_route_target named = TARGET(
    SMTPD_ROUTE_LOCAL, .text = "maildir:/m/%u", .deliver = deliver_nothing);

static const struct smtpd_source sources[] = {
	{ SMTPD_SOURCE_INIT, "192.0.2.7", "bulk.home.test" },
	{ SMTPD_SOURCE_INIT, "2001:db8::7", NULL },
};
static const struct smtpd_route_target bulk[] = {
	TARGET(SMTPD_ROUTE_HOST, .host = "relay.test", .sources = sources,
	    .nsources = 2),
	TARGET(SMTPD_ROUTE_MX, .sources = sources, .nsources = 1),
};

static const struct smtpd_route routes[] = {
	{ SMTPD_ROUTE_INIT, "from:boss@home.test", &login, 1 },
	{ SMTPD_ROUTE_INIT, "lists.home.test", lists, 3 },
	{ SMTPD_ROUTE_INIT, "old@home.test", &closed, 1 },
	{ SMTPD_ROUTE_INIT, "home.test", &store, 1 },
	{ SMTPD_ROUTE_INIT, "robot.test", &program, 1 },
	{ SMTPD_ROUTE_INIT, ".direct.test", &mx, 1 },
	{ SMTPD_ROUTE_INIT, "from:.home.test", &relay, 1 },
	{ SMTPD_ROUTE_INIT, "store.test", &named, 1 },
	{ SMTPD_ROUTE_INIT, "from:bulk.test", bulk, 2 },
};

static const struct {
	const char *sender, *rcpt;
	const char *key; /* of its route; NULL: none */
} cases[] = {
	{ "ann@home.test", "bob@home.test", "lmtp:/run/store" },
	{ "Boss@Home.test", "bob@home.test", "tls://ann@[2001:db8::1]:465" },
	{ "", "x@lists.home.test", "lmtp:127.0.0.1:24,relay.test:2525,mx" },
	{ "", "old@home.test", "error:5.1.1 Closed, since May" },
	{ "", "x@robot.test", "local" },
	{ "", "x@store.test", "maildir:/m/%u" },
	{ "a@b.home.test", "x@a.direct.test", "mx" },
	{ "a@b.home.test", "x@far.test", "relay.test:25" },
	{ "a@bulk.test", "x@far.test",
	    "relay.test:25 from 192.0.2.7 from 2001:db8::7,"
	    "mx from 192.0.2.7" },
	{ "a@far.test", "x@far.test", NULL },
};

static void
the_first_route_that_matches_is_taken(void **state)
{
	struct smtpd_text error;
	char why[128];
	struct smtpd_route_table *t;

	(void)state;
	smtpd__text_init(&error, why, sizeof(why));
	t = smtpd__route_table_create(routes, COUNT(routes), NULL, &error);
	assert_non_null(t);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct smtpd_route_entry *e =
		    smtpd__route_table_match(t, cases[i].sender, cases[i].rcpt);

		if (cases[i].key == NULL)
			assert_null(e);
		else
			assert_string_equal(e->key, cases[i].key);
	}
	smtpd__route_table_unref(t);
}

static void
a_domain_alone_is_sure_where_no_other_route_comes_first(void **state)
{
	static const struct {
		const char *domain;
		const char *key;
	} domains[] = {
		{ "lists.home.test", "lmtp:127.0.0.1:24,relay.test:2525,mx" },
		{ "home.test", "" },
		{ "robot.test", "local" },
		{ "far.test", "" },
	};
	struct smtpd_text error;
	char why[128];
	struct smtpd_route_table *t;

	(void)state;
	smtpd__text_init(&error, why, sizeof(why));
	/* Without the first, which is for a sender. */
	t = smtpd__route_table_create(
	    routes + 1, COUNT(routes) - 1, NULL, &error);
	assert_non_null(t);
	assert_true(smtpd__route_table_needs_envelopes(t));
	for (size_t i = 0; i < COUNT(domains); i++) {
		char key[SMTPD_ROUTE_KEY_SIZE];

		smtpd__route_table_key(t, domains[i].domain, NULL, key);
		assert_string_equal(key, domains[i].key);
	}
	smtpd__route_table_unref(t);
	t = smtpd__route_table_create(routes + 3, 3, NULL, &error);
	assert_false(smtpd__route_table_needs_envelopes(t));
	smtpd__route_table_unref(t);
}

/* What leaves from elsewhere goes over connections of its own, also where the
 * DNS names the hosts. */
static void
a_target_has_sources_of_its_own(void **state)
{
	struct smtpd_text error;
	char why[128];
	struct smtpd_route_table *t;
	const struct smtpd_table_target *to;

	(void)state;
	smtpd__text_init(&error, why, sizeof(why));
	t = smtpd__route_table_create(routes, COUNT(routes), NULL, &error);
	to = smtpd__route_table_match(t, "a@bulk.test", "x@far.test")->targets;
	assert_int_equal(to[0].sources->count, 2);
	assert_string_equal(to[0].set.sources[1].address, "2001:db8::7");
	assert_ptr_not_equal(to[0].set.sources, sources);
	assert_int_equal(to[1].set.nsources, 1);
	assert_int_not_equal(to[1].id, 0);
	to = smtpd__route_table_match(t, "", "x@a.direct.test")->targets;
	assert_int_equal(to[0].id, 0);
	assert_null(to[0].sources);
	smtpd__route_table_unref(t);
}

/* It has the texts of its own, and no target has the id of an old one. */
static void
a_table_is_renewed_with_its_smarthost(void **state)
{
	static const struct smtpd_route_target smarthost =
	    TARGET(SMTPD_ROUTE_HOST, .host = "relay.test", .port = 587,
		.user = "u", .password = "p");
	struct smtpd_text error;
	char why[128];
	struct smtpd_route_table *old, *t;
	const struct smtpd_route_entry *a, *b;

	(void)state;
	smtpd__text_init(&error, why, sizeof(why));
	old = smtpd__route_table_create(routes, 1, &smarthost, &error);
	t = smtpd__route_table_renew(old, routes + 1, 2, &error);
	a = smtpd__route_table_match(old, "", "x@far.test");
	b = smtpd__route_table_match(t, "", "x@far.test");
	assert_string_equal(a->key, "smarthost");
	assert_string_equal(b->key, "smarthost");
	assert_int_not_equal(a->targets[0].id, b->targets[0].id);
	smtpd__route_table_unref(old);
	assert_string_equal(b->targets[0].set.password, "p");
	assert_string_equal(b->targets[0].name, "relay.test");
	assert_int_equal(b->targets[0].set.port, 587);
	smtpd__route_table_unref(t);
}

static void
what_cannot_be_a_route_is_refused(void **state)
{
	static const struct smtpd_route_target targets[] = {
		TARGET(SMTPD_ROUTE_HOST, .port = 25),
		TARGET(SMTPD_ROUTE_HOST, .host = "a b"),
		TARGET(SMTPD_ROUTE_HOST, .host = "/run/x"),
		TARGET(SMTPD_ROUTE_LMTP, .host = "store.test"),
		TARGET(SMTPD_ROUTE_LMTP, .host = "store.test", .port = 25),
		TARGET(SMTPD_ROUTE_LMTP,
		    .host = "/a23456789012345678901234567890123456789012345678"
			    "901234567890123456789012345678901234567890123456"
			    "789012345678901234567890"),
		TARGET(SMTPD_ROUTE_ERROR, .port = 0),
		TARGET(SMTPD_ROUTE_ERROR, .text = ""),
		TARGET(SMTPD_ROUTE_LOCAL, .port = 0),
		TARGET((enum smtpd_route_kind)9, .port = 0),
		TARGET(SMTPD_ROUTE_HOST, .host = "relay.test", .sources = NULL,
		    .nsources = 1),
		TARGET(SMTPD_ROUTE_LMTP, .host = "/run/x", .sources = sources,
		    .nsources = 1),
		TARGET(SMTPD_ROUTE_ERROR, .text = "no", .sources = sources,
		    .nsources = 1),
	};
	static const char *const errors[] = { "a target has no host",
		"a b: is neither", "/run/x: is neither",
		"store.test: needs a port for LMTP",
		"store.test: cannot have port 25 for LMTP (RFC 2033, 5)",
		"/a23456789", "an error has no text", "an error has no text",
		"a local target has no callback",
		"there is no such kind of target",
		"relay.test: has a source that is no address",
		"/run/x: has a source, but no connection",
		"has a source, but no connection" };
	const struct smtpd_route_target two[] = { relay, closed };
	struct smtpd_route_target nine[SMTPD_ROUTE_TARGETS_MAX + 1];
	const struct smtpd_route others[] = {
		{ SMTPD_ROUTE_INIT, NULL, &relay, 1 },
		{ SMTPD_ROUTE_INIT, "a b", &relay, 1 },
		{ SMTPD_ROUTE_INIT, "a.test", NULL, 1 },
		{ SMTPD_ROUTE_INIT, "a.test", &relay, 0 },
		{ SMTPD_ROUTE_INIT, "a.test", nine, COUNT(nine) },
		{ SMTPD_ROUTE_INIT, "a.test", two, 2 },
		{ .size = 0, .pattern = "a.test" },
	};
	char why[256];

	(void)state;
	for (size_t i = 0; i < COUNT(nine); i++)
		nine[i] = relay;
	for (size_t i = 0; i < COUNT(targets); i++) {
		const struct smtpd_route route = { SMTPD_ROUTE_INIT, "a.test",
			&targets[i], 1 };

		assert_int_equal(
		    smtpd_route_check(&route, why, sizeof(why)), -1);
		assert_int_equal(errno, EINVAL);
		if (strncmp(why, errors[i], strlen(errors[i])) != 0)
			fail_msg("%zu: %s", i, why);
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_int_equal(
		    smtpd_route_check(&others[i], why, sizeof(why)), -1);
		assert_int_equal(errno, EINVAL);
		assert_true(why[0] != '\0');
	}
	for (size_t i = 0; i < COUNT(routes); i++)
		assert_int_equal(
		    smtpd_route_check(&routes[i], why, sizeof(why)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_route_that_matches_is_taken),
		cmocka_unit_test(
		    a_domain_alone_is_sure_where_no_other_route_comes_first),
		cmocka_unit_test(a_target_has_sources_of_its_own),
		cmocka_unit_test(a_table_is_renewed_with_its_smarthost),
		cmocka_unit_test(what_cannot_be_a_route_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
