/* SPDX-License-Identifier: MIT */
/* Routes and passwords as the options and files of smtpout have them. */
#include "mail_routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "test.h"

static const char password_text[] = "first password\r\n"
				    "ann@relay.test pen cil\n"
				    "\n"
				    "ann@2001:db8::1 \tink\n"
				    "nobody@here\n";

/* Write TEXT to a file, whose name is put into PATH. */
static void
write_file(const char *text, char path[32])
{
	int fd;

	snprintf(path, 32, "/tmp/routes.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
a_password_is_that_of_a_user_at_a_host(void **state)
{
	static const struct {
		const char *user, *host, *password;
	} cases[] = {
		{ "ann", "relay.test", "pen cil" },
		{ "ann", "Relay.Test", "pen cil" },
		{ "ann", "2001:db8::1", "ink" },
		{ "Ann", "relay.test", "first password" },
		{ "bob", "relay.test", "first password" },
		{ "nobody", "here", "first password" },
	};
	struct passwords p = { .text = NULL };
	char path[32];

	(void)state;
	write_file(password_text, path);
	assert_int_equal(passwords_read(path, &p), 0);
	unlink(path);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(
		    passwords_find(&p, cases[i].user, cases[i].host),
		    cases[i].password);
	/* What cannot be read leaves what there was. */
	assert_int_equal(passwords_read("/nowhere/at/all", &p), -1);
	assert_int_equal(errno, ENOENT);
	write_file("\nsecond\n", path);
	assert_int_equal(passwords_read(path, &p), -1);
	assert_int_equal(errno, EINVAL);
	unlink(path);
	assert_string_equal(
	    passwords_find(&p, "bob", "relay.test"), "first password");
	/* A first line for one user is for no other. */
	write_file("ann@relay.test pencil\n", path);
	assert_int_equal(passwords_read(path, &p), 0);
	unlink(path);
	assert_string_equal(passwords_find(&p, "ann", "relay.test"), "pencil");
	assert_null(passwords_find(&p, "bob", "relay.test"));
	passwords_finish(&p);
}

static const struct {
	const char *text;
	const char *pattern;
	struct smtpd_route_target target; /* the first */
	size_t count;
} good[] = {
	{ "example.org=mx", "example.org", { .kind = SMTPD_ROUTE_MX }, 1 },
	{ " .example.org = relay.test ", ".example.org",
	    { .kind = SMTPD_ROUTE_HOST, .host = "relay.test", .port = 25 }, 1 },
	{ "*=relay.test:2525,mx", "*",
	    { .kind = SMTPD_ROUTE_HOST, .host = "relay.test", .port = 2525 },
	    2 },
	{ "from:a@b.test=tls://ann@relay.test, [2001:db8::1]:26 ,mx",
	    "from:a@b.test",
	    { .kind = SMTPD_ROUTE_HOST,
		.host = "relay.test",
		.port = 465,
		.tls_first = true,
		.user = "ann",
		.password = "pen cil" },
	    3 },
	{ "a.test=bob@relay.test", "a.test",
	    { .kind = SMTPD_ROUTE_HOST,
		.host = "relay.test",
		.port = 587,
		.user = "bob",
		.password = "first password" },
	    1 },
	{ "a.test=lmtp:/run/x", "a.test",
	    { .kind = SMTPD_ROUTE_LMTP, .host = "/run/x" }, 1 },
	{ "a.test=lmtp:[::1]:24", "a.test",
	    { .kind = SMTPD_ROUTE_LMTP, .host = "::1", .port = 24 }, 1 },
	{ "localhost=maildir:/m/%d/%u", "localhost",
	    { .kind = SMTPD_ROUTE_LOCAL, .text = "maildir:/m/%d/%u" }, 1 },
	{ "a@b.test=error: 5.1.6 Moved, to c=d ", "a@b.test",
	    { .kind = SMTPD_ROUTE_ERROR, .text = "5.1.6 Moved, to c=d" }, 1 },
	{ "from:b.test = tls://ann@relay.test ; source=192.0.2.7=b.test;"
	  "source = 2001:db8::7; auth-mechanisms=plain LOGIN, mx;"
	  "source=192.0.2.7",
	    "from:b.test",
	    { .kind = SMTPD_ROUTE_HOST,
		.host = "relay.test",
		.port = 465,
		.tls_first = true,
		.user = "ann",
		.password = "pen cil",
		.mechanisms = "plain LOGIN",
		.nsources = 2 },
	    2 },
	{ "from:c.test=ann@relay.test;token-command=/bin/token of ann",
	    "from:c.test",
	    { .kind = SMTPD_ROUTE_HOST,
		.host = "relay.test",
		.port = 587,
		.user = "ann",
		.credentials = token_source_get },
	    1 },
	{ "a.test=a,b,c,d,e,f,g,h", "a.test",
	    { .kind = SMTPD_ROUTE_HOST, .host = "a", .port = 25 }, 8 },
};

static void
check_text(const char *got, const char *wanted)
{
	if (wanted == NULL)
		assert_null(got);
	else
		assert_string_equal(got, wanted);
}

static void
check_good(const struct mail_routes *r)
{
	assert_int_equal(r->count, COUNT(good));
	for (size_t i = 0; i < COUNT(good); i++) {
		const struct smtpd_route *route = &r->list[i];
		const struct smtpd_route_target *t = &route->targets[0];

		assert_string_equal(route->pattern, good[i].pattern);
		assert_int_equal(route->ntargets, good[i].count);
		assert_int_equal(t->kind, good[i].target.kind);
		assert_int_equal(t->port, good[i].target.port);
		assert_int_equal(t->tls_first, good[i].target.tls_first);
		check_text(t->host, good[i].target.host);
		check_text(t->user, good[i].target.user);
		check_text(t->password, good[i].target.password);
		check_text(t->text, good[i].target.text);
		check_text(t->mechanisms, good[i].target.mechanisms);
		assert_ptr_equal(t->credentials, good[i].target.credentials);
		assert_int_equal(t->nsources, good[i].target.nsources);
	}
}

/* Each target has addresses of its own, and a token is shared by those who name
 * the same place. */
static void
a_target_has_its_sources_and_its_token(void **state)
{
	static const char *const texts[] = {
		("a.test=mx;source=192.0.2.7=b.test;source=2001:db8::7,"
		 "mx;source=192.0.2.8"),
		"b.test=ann@x.test;token-file=/f,ann@y.test;token-file=/f",
		"c.test=ann@x.test;token-file=/g,ann@x.test;token-command=/f",
	};
	struct logins logins = { .tokens.count = 0 };
	struct text_list options = { .count = 0 };
	const struct smtpd_route_target *t;
	struct mail_routes r;
	char why[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		text_list_add(&options, texts[i]);
	assert_int_equal(
	    mail_routes_read(&r, &options, NULL, &logins, why, sizeof(why)), 0);
	t = r.list[0].targets;
	assert_string_equal(t[0].sources[0].address, "192.0.2.7");
	assert_string_equal(t[0].sources[0].hostname, "b.test");
	assert_string_equal(t[0].sources[1].address, "2001:db8::7");
	assert_null(t[0].sources[1].hostname);
	assert_string_equal(t[1].sources[0].address, "192.0.2.8");
	t = r.list[1].targets;
	assert_ptr_equal(t[0].credentials_user, t[1].credentials_user);
	assert_int_equal(logins.tokens.count, 3);
	assert_string_equal(logins.tokens.items[2]->source.command, "/f");
	mail_routes_finish(&r);
	text_list_finish(&options);
	tokens_finish(&logins.tokens);
}

/* From options and from a file, the options first. */
static void
routes_are_read_in_their_order(void **state)
{
	struct logins p = { .tokens.count = 0 };
	struct text_list options = { .count = 0 };
	struct mail_routes r;
	char path[32], text[2048] = "# a comment\n\n  # another\n";
	char why[1024];
	size_t len = strlen(text);

	(void)state;
	write_file(password_text, path);
	assert_int_equal(passwords_read(path, &p.passwords), 0);
	unlink(path);
	for (size_t i = 0; i < COUNT(good); i++) {
		if (i < 3) {
			text_list_add(&options, good[i].text);
			continue;
		}
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
		    good[i].text, i % 2 == 0 ? "\r\n" : "\n");
	}
	write_file(text, path);
	if (mail_routes_read(&r, &options, path, &p, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	check_good(&r);
	mail_routes_finish(&r);
	unlink(path);
	assert_int_equal(
	    mail_routes_read(&r, &options, path, &p, why, sizeof(why)),
	    EX_NOINPUT);
	assert_non_null(strstr(why, path));
	mail_routes_finish(&r);
	text_list_finish(&options);
	passwords_finish(&p.passwords);
	tokens_finish(&p.tokens);
	maildirs_finish(&p.maildirs);
}

static const struct {
	const char *text;
	const char *why; /* a part of it */
} bad[] = {
	{ "example.org", "give PATTERN=TARGET" },
	{ "=mx", "\"\" is not a domain" },
	{ "a b=mx", "\"a b\" is not a domain" },
	{ "a.test=", "a target is mx" },
	{ "a.test=mx,", "a target is mx" },
	{ "a.test=host:0", "a target is mx" },
	{ "a.test=host:65536", "a target is mx" },
	{ "a.test=[::1", "a target is mx" },
	{ "a.test=@relay.test", "a target is mx" },
	{ "a.test=a b", "a b: is neither" },
	{ "a.test=maildir:m/%u", "the path begins with \"/\"" },
	{ "a.test=maildir:/m", "all users would share one mailbox" },
	{ "a.test=maildir:/m/%x", "after % comes" },
	{ "a.test=maildir:/m/%u,mx", "stand alone" },
	{ "a.test=lmtp:host", "give lmtp:HOST:PORT" },
	{ "a.test=lmtp:host:x", "give lmtp:HOST:PORT" },
	{ "a.test=lmtp:[::1]", "give lmtp:HOST:PORT" },
	{ "a.test=lmtp:ann@host:24", "give lmtp:HOST:PORT" },
	{ "a.test=lmtp:host:25", "port 25 for LMTP" },
	{ "a.test=lmtp:tls://host:24", "give lmtp:HOST:PORT" },
	{ "a.test=error:", "an error has no text" },
	{ "a.test=mx,error:no", "a target is mx" },
	{ "a.test=a,b,c,d,e,f,g,h,i", "more than 8 targets" },
	{ "a.test=tls://ann@relay.test",
	    "the password of ann@relay.test is missing" },
	{ "a.test=mx;", "behind a target stand ;source=" },
	{ "a.test=mx;source", "behind a target stand ;source=" },
	{ "a.test=mx;sauce=192.0.2.1", "\"sauce\": behind a target stand" },
	{ "a.test=mx;source=", "\"\" is not an address" },
	{ "a.test=mx;source=192.0.2.1=a b", "\"a b\" is not the name" },
	{ "a.test=mx;source=192.0.2.1;source=192.0.2.2",
	    "two addresses of IPv4" },
	{ "a.test=lmtp:/run/x;source=192.0.2.1", "has a source, but no" },
	{ "a.test=relay.test;token-file=/f", "give USER@HOST before a token" },
	{ "a.test=relay.test;auth-mechanisms=PLAIN",
	    "give USER@HOST before mechanisms" },
	{ "a.test=u@relay.test;token-file=", "behind a target stand" },
	{ "a.test=u@relay.test;token-file=/f;token-file=/g",
	    "behind a target stand" },
	{ "a.test=u@relay.test;token-file=/f;token-command=/g",
	    "only one of token-file and token-command" },
	{ "a.test=u@relay.test;token-file=/f;auth-mechanisms=PLAIN",
	    "auth-mechanisms: PLAIN takes a password" },
	{ "a.test=u@a.test;token-file=/f;auth-mechanisms=XOAUTH2,oauthbearer",
	    "oauthbearer would be a target" },
};

/* Each mistake is told of with the option, or the file and its line. */
static void
mistakes_are_told_with_their_place(void **state)
{
	struct logins none = { .tokens.count = 0 };
	static const struct text_list empty;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct text_list options = { .count = 0 };
		struct mail_routes r;
		char path[32], text[256], why[1024], begin[128];

		text_list_add(&options, bad[i].text);
		assert_int_equal(mail_routes_read(&r, &options, NULL, &none,
				     why, sizeof(why)),
		    EX_USAGE);
		mail_routes_finish(&r);
		text_list_finish(&options);
		snprintf(begin, sizeof(begin), "--route %s: ", bad[i].text);
		if (strncmp(why, begin, strlen(begin)) != 0 ||
		    strstr(why, bad[i].why) == NULL)
			fail_msg("%s: %s", bad[i].text, why);
		snprintf(text, sizeof(text), "a.test=mx\n\n%s\nb.test=mx\n",
		    bad[i].text);
		write_file(text, path);
		assert_int_equal(
		    mail_routes_read(&r, &empty, path, &none, why, sizeof(why)),
		    EX_CONFIG);
		mail_routes_finish(&r);
		unlink(path);
		snprintf(begin, sizeof(begin), "%s:3: ", path);
		if (strncmp(why, begin, strlen(begin)) != 0 ||
		    strstr(why, bad[i].why) == NULL)
			fail_msg("%s: %s", bad[i].text, why);
	}
	tokens_finish(&none.tokens);
	maildirs_finish(&none.maildirs);
}

static void
a_long_line_is_refused_and_a_last_one_needs_no_end(void **state)
{
	struct logins none = { .tokens.count = 0 };
	static const struct text_list empty;
	struct mail_routes r;
	char path[32], text[5000], why[1024];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	write_file(text, path);
	assert_int_equal(
	    mail_routes_read(&r, &empty, path, &none, why, sizeof(why)),
	    EX_CONFIG);
	assert_non_null(strstr(why, ":1: the line is longer than 4094 octets"));
	mail_routes_finish(&r);
	unlink(path);
	write_file("a.test=mx", path);
	assert_int_equal(
	    mail_routes_read(&r, &empty, path, &none, why, sizeof(why)), 0);
	assert_int_equal(r.count, 1);
	mail_routes_finish(&r);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_is_that_of_a_user_at_a_host),
		cmocka_unit_test(routes_are_read_in_their_order),
		cmocka_unit_test(a_target_has_its_sources_and_its_token),
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(
		    a_long_line_is_refused_and_a_last_one_needs_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
