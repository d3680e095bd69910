/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolve/dns_servers.h"

#include "test.h"

struct list_case {
	const char *text;
	const char *want; /* NULL: none */
};

static const struct list_case lists[] = {
	{ "192.0.2.53", "192.0.2.53:53 " },
	{ " 192.0.2.53\t127.0.0.1:5353\n", "192.0.2.53:53 127.0.0.1:5353 " },
	{ "[2001:db8::53]:5353", "[2001:db8::53]:5353 " },
	{ "[2001:db8::53] ::1", "[2001:db8::53]:53 [::1]:53 " },
	{ "127.0.0.1:65535", "127.0.0.1:65535 " },
	{ "1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5 1.1.1.6 1.1.1.7 1.1.1.8",
	    "1.1.1.1:53 1.1.1.2:53 1.1.1.3:53 1.1.1.4:53 1.1.1.5:53 "
	    "1.1.1.6:53 1.1.1.7:53 1.1.1.8:53 " },
	{ "1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5 1.1.1.6 1.1.1.7 1.1.1.8 "
	  "1.1.1.9",
	    NULL },
	{ "", NULL },
	{ " ", NULL },
	{ "/run/dns", NULL },
	{ "localhost", NULL },
	{ "127.0.0.1:0", NULL },
	{ "127.0.0.1:", NULL },
	{ "127.0.0.1:x", NULL },
	{ "127.0.0.1:65536", NULL },
	{ "[::1]:0", NULL },
	{ "[::1]x", NULL },
	{ "[::1", NULL },
	{ "[127.0.0.1]", NULL },
	{ "127.0.0.1,127.0.0.2", NULL },
	{ "127.0.0.1 nonsense", NULL },
};

static void
lists_of_servers_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct list_case *c = &lists[i];
		struct smtpd_dns_servers servers;
		char got[512] = "";
		size_t len = 0;

		errno = 0;
		if (smtpd__dns_servers_parse(c->text, &servers) != 0) {
			assert_int_equal(errno, EINVAL);
			if (c->want != NULL)
				fail_msg("%s", c->text);
			continue;
		}
		for (size_t k = 0; k < servers.count; k++) {
			smtpd__socket_text(&servers.list[k], got + len);
			len += strlen(got + len);
			got[len++] = ' ';
			got[len] = '\0';
		}
		if (c->want == NULL)
			fail_msg("%s", c->text);
		assert_string_equal(got, c->want);
	}
}

static void
too_long_a_word_is_no_server(void **state)
{
	struct smtpd_dns_servers servers;
	char text[1000];

	(void)state;
	for (size_t len = 1; len < sizeof(text); len++) {
		memset(text, 'a', len);
		text[len] = '\0';
		assert_int_equal(smtpd__dns_servers_parse(text, &servers), -1);
	}
}

static void
servers_of_this_host_are_known(void **state)
{
	static const struct {
		const char *server;
		bool is_local;
	} cases[] = {
		{ "127.0.0.1", true },
		{ "127.0.0.53", true },
		{ "::1", true },
		{ "::ffff:127.0.0.1", true },
		{ "128.0.0.1", false },
		{ "192.0.2.53", false },
		{ "::2", false },
		{ "::ffff:192.0.2.53", false },
		{ "2001:db8::1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtpd_dns_servers servers;

		assert_int_equal(
		    smtpd__dns_servers_parse(cases[i].server, &servers), 0);
		assert_int_equal(smtpd__dns_servers_is_local(&servers.list[0]),
		    cases[i].is_local);
	}
}

/* E5: resolv.conf(5) is read without the C library.  Without a server in it,
 * this host is asked. */
static void
the_system_has_servers(void **state)
{
	static const struct {
		const char *text; /* NULL: there is no file */
		const char *first;
		size_t count;
		bool trusted;
	} cases[] = {
		{ "nameserver 192.0.2.1\n", "192.0.2.1:53", 1, false },
		{ "# nameserver 192.0.2.9\n; nameserver 192.0.2.9\n"
		  "search a.example\n\tnameserver\t2001:db8::1 # here\n"
		  "options edns0 trust-ad\nnameserver 192.0.2.2",
		    "[2001:db8::1]:53", 2, true },
		{ "nameserver\nnameserver ?\noptions trust-adx\n"
		  "sortlist trust-ad\n",
		    "127.0.0.1:53", 1, false },
		{ "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
		  "nameserver 192.0.2.3\nnameserver 192.0.2.4\n",
		    "192.0.2.1:53", 3, false },
		{ "", "127.0.0.1:53", 1, false },
		{ NULL, "127.0.0.1:53", 1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[] = "/tmp/resolv.conf.XXXXXX";
		struct smtpd_dns_servers got, want;
		int fd = mkstemp(path);

		assert_int_not_equal(fd, -1);
		if (cases[i].text == NULL)
			assert_int_equal(unlink(path), 0);
		else
			assert_int_equal(
			    write(fd, cases[i].text, strlen(cases[i].text)),
			    strlen(cases[i].text));
		close(fd);
		assert_int_equal(smtpd__dns_servers_system(path, &got), 0);
		unlink(path);
		assert_int_equal(
		    smtpd__dns_servers_parse(cases[i].first, &want), 0);
		assert_int_equal(got.count, cases[i].count);
		assert_int_equal(got.trusted, cases[i].trusted);
		assert_memory_equal(
		    &got.list[0].addr, &want.list[0].addr, want.list[0].len);
	}
}

/* Routers name servers of their own network. */
static void
a_server_may_have_a_scope(void **state)
{
	static const char text[] = "nameserver fe80::1%lo\n";
	char path[] = "/tmp/resolv.conf.XXXXXX";
	struct smtpd_dns_servers got;
	const struct sockaddr_in6 *in6 =
	    (const struct sockaddr_in6 *)&got.list[0].addr;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(smtpd__dns_servers_system(path, &got), 0);
	unlink(path);
	assert_int_equal(got.count, 1);
	assert_int_equal(in6->sin6_scope_id, if_nametoindex("lo"));
	assert_int_not_equal(in6->sin6_scope_id, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_servers_are_read),
		cmocka_unit_test(too_long_a_word_is_no_server),
		cmocka_unit_test(servers_of_this_host_are_known),
		cmocka_unit_test(the_system_has_servers),
		cmocka_unit_test(a_server_may_have_a_scope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
