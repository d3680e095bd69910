/* SPDX-License-Identifier: MIT */
#include "grammar/mailbox_list.h"

#include <string.h>

#include "test.h"

/* RFC 5322, 3.4, and the forms of RFC 5322, 4.4. */
static void
domains_are_found(void **state)
{
	static const struct {
		const char *in;
		const char *domains[4];
	} cases[] = {
		{ "", { NULL } },
		{ " \r\n ", { NULL } },
		{ ",, ;", { NULL } },
		{ "a@b.example", { "b.example" } },
		{ "<a@b.example>", { "b.example" } },
		{ "A B <a@b.example>", { "b.example" } },
		{ "root", { "" } },
		{ "root (Cron Daemon)", { "" } },
		{ "\"a@x.example\" <root>", { "" } },
		{ "\"a, <b@x.example>\" <a@b.example>", { "b.example" } },
		{ "\"\\\"<b@x.example>\" <a@b.example>", { "b.example" } },
		{ "a@b.example (c@x.example (d), \\) e)", { "b.example" } },
		{ "(c@x.example) a@b.example", { "b.example" } },
		{ "\"a@x.example\"@b.example", { "b.example" } },
		{ "a@b.example, c, <d@E.example>",
		    { "b.example", "", "E.example" } },
		{ "G: a@b.example, c@d.example;, e@f.example",
		    { "b.example", "d.example", "f.example" } },
		{ "undisclosed:;", { NULL } },
		{ "<@r.example,@s.example:a@b.example>", { "b.example" } },
		{ "a @ b . example", { "b.example" } },
		{ "<a@b.example> c@x.example", { "b.example" } },
		{ "a@[192.0.2.1]", { "[192.0.2.1]" } },
		{ "a@[IPv6:2001:db8::1], b@c.example",
		    { "[IPv6:2001:db8::1]", "c.example" } },
		{ "a@", { "" } },
		{ "a@b.example <", { "" } },
		{ "(", { NULL } },
		{ "\"", { "" } },
		{ "a@\xc3\xa9.example", { "\xc3\xa9.example" } },
		/* Longer than the buffer is no domain, and not none. */
		{ "a@123456789.123456789.12345678, b@c.example",
		    { ".", "c.example" } },
	};
	char domain[28];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *at = cases[i].in;
		size_t len = strlen(at);

		for (size_t k = 0; cases[i].domains[k] != NULL; k++) {
			if (!smtpd__mailbox_list_next(
				&at, &len, domain, sizeof(domain)) ||
			    strcmp(domain, cases[i].domains[k]) != 0)
				fail_msg("%s: %zu: %s", cases[i].in, k, domain);
		}
		assert_false(smtpd__mailbox_list_next(
		    &at, &len, domain, sizeof(domain)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
