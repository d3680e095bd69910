/* SPDX-License-Identifier: MIT */
#include "address_list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

/* The addresses of LIST, divided by "|". */
static void
join(const struct text_list *list, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < list->count; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s",
		    i > 0 ? "|" : "", list->items[i]);
}

/* RFC 5322, 3.4; RFC 5322, 3.2.2; RFC 5322, 4.4 */
static void
lists_are_read(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "" },
		{ " \t\r\n ", "" },
		{ ",,", "" },
		{ "ann@example.org", "ann@example.org" },
		{ "root", "root" },
		{ "ann@example.org, bob", "ann@example.org|bob" },
		{ "ann@example.org,,bob,", "ann@example.org|bob" },
		{ "<ann@example.org>", "ann@example.org" },
		{ "<root>", "root" },
		{ "<>", "" },
		{ "Ann Lee <ann@example.org>", "ann@example.org" },
		{ "\"Lee, Ann\" <ann@example.org>", "ann@example.org" },
		{ "\"a \\\" , <x@y>\" <ann@example.org>", "ann@example.org" },
		{ "J. R. Lee <ann@example.org>", "ann@example.org" },
		{ "=?UTF-8?Q?J=C3=BCrgen?= <ann@example.org>",
		    "ann@example.org" },
		{ "J\xc3\xbcrgen <ann@example.org>", "ann@example.org" },
		{ "ann@example.org (Lee, Ann)", "ann@example.org" },
		{ "(a (nested, \\) one)) ann (x) @ (y) example . org (z)",
		    "ann@example.org" },
		{ "ann . lee@example.org", "ann.lee@example.org" },
		{ "\"ann lee\"@example.org", "\"ann lee\"@example.org" },
		{ "\"a@b\"@example.org", "\"a@b\"@example.org" },
		{ "ann@[192.0.2.1]", "ann@[192.0.2.1]" },
		{ "ann@[IPv6:2001:db8::1], bob", "ann@[IPv6:2001:db8::1]|bob" },
		{ "<@a.example,@b.example:ann@example.org>",
		    "ann@example.org" },
		{ "Friends: ann@example.org, Bob <bob@example.net>;, carl",
		    "ann@example.org|bob@example.net|carl" },
		{ "undisclosed-recipients:;", "" },
		/* T10: a stray ";" is as good as a comma. */
		{ "\"J, K\" <j@t>;", "j@t" },
		{ "a@in.example; b@in.example", "a@in.example|b@in.example" },
		{ "a:;, b:c@d.example;", "c@d.example" },
		{ "ann@example.org,\r\n\tbob@example.net",
		    "ann@example.org|bob@example.net" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text_list list = { .count = 0 };
		char text[512];
		int result =
		    address_list_parse(cases[i].in, strlen(cases[i].in), &list);

		assert_int_equal(result, 0);
		join(&list, text, sizeof(text));
		assert_string_equal(text, cases[i].out);
		text_list_finish(&list);
	}
}

static void
other_texts_are_refused(void **state)
{
	static const char *const cases[] = {
		"Ann Lee",
		"ann@",
		"@example.org",
		"ann@example.org bob@example.org",
		"ann@@example.org",
		"<ann@example.org",
		"ann@example.org>",
		"<ann@example.org> <bob@example.org>",
		"<ann@example.org> Lee",
		"<a@b.example,c@d.example>",
		"<<ann@example.org>>",
		"\"ann@example.org",
		"(ann@example.org",
		"ann@example.org)",
		"ann@[192.0.2.1",
		"group: ann@example.org",
		"a: b: c@d.example;;",
		":ann@example.org;",
		"<ann@example.org>: b@c.example;",
		"<@a.example>",
		"<@a.example,ann@example.org>",
		"ann\\@example.org",
		"ann@-example.org",
		"J. R.",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text_list list = { .count = 0 };

		errno = 0;
		if (address_list_parse(cases[i], strlen(cases[i]), &list) == 0)
			fail_msg("it was taken: %s", cases[i]);
		assert_int_equal(errno, EINVAL);
		text_list_finish(&list);
	}
}

/* OU1: One mistake costs that address only. */
static void
mistakes_are_passed_over(void **state)
{
	static const struct {
		const char *in, *out, *bad;
	} cases[] = {
		{ "a@x, b", "a@x|b", "" },
		{ "a@@in.example, b@x", "b@x", "a@@in.example" },
		{ "a@-x , c@x", "c@x", "a@-x" },
		{ "a@x b@x, c@x; d@x", "c@x|d@x", "a@x b@x" },
		{ "<a@x> b, c@x", "c@x", "<a@x> b" },
		{ "<a@x, b@x>, c@x", "c@x", "<a@x, b@x>" },
		{ "\"Lee, Ann <a@x>, b@x", "a@x|b@x", "\"Lee" },
		{ "a@x, (no end, b@x", "a@x|b@x", "(no end" },
		{ "<undisclosed-recipients:;>", "", "" },
		{ "<undisclosed-recipients:;>, a@x", "a@x", "" },
		{ "a: b@x", "b@x", "" },
		{ "a: b: c@x;", "c@x", "" },
		{ ")", "", ")" },
		{ "a@x\xc2\xa0, b@x", "b@x", "a@x\xc2\xa0" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text_list list = { .count = 0 }, bad = { .count = 0 };
		char text[512];

		assert_int_equal(address_list_parse_each(cases[i].in,
				     strlen(cases[i].in), &list, &bad),
		    0);
		join(&list, text, sizeof(text));
		assert_string_equal(text, cases[i].out);
		join(&bad, text, sizeof(text));
		assert_string_equal(text, cases[i].bad);
		text_list_finish(&list);
		text_list_finish(&bad);
	}
}

static void
only_len_bytes_are_read(void **state)
{
	static const char text[] = "ann@example.org, bob";
	static const char nul[] = "ann\0@example.org";
	struct text_list list = { .count = 0 };

	(void)state;
	assert_int_equal(address_list_parse(text, 15, &list), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0], "ann@example.org");
	assert_int_equal(address_list_parse(nul, sizeof(nul), &list), -1);
	text_list_finish(&list);
}

/* A name may be longer than any address, an address not. */
static void
length_matters_to_addresses_only(void **state)
{
	struct text_list list = { .count = 0 };
	char text[6000];

	(void)state;
	memset(text, 'x', 5000);
	snprintf(text + 5000, sizeof(text) - 5000, " <ann@example.org>");
	assert_int_equal(address_list_parse(text, strlen(text), &list), 0);
	assert_int_equal(list.count, 1);
	snprintf(text + 5000, sizeof(text) - 5000, "@example.org");
	assert_int_equal(address_list_parse(text, strlen(text), &list), -1);
	assert_int_equal(list.count, 1);
	text_list_finish(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(mistakes_are_passed_over),
		cmocka_unit_test(only_len_bytes_are_read),
		cmocka_unit_test(length_matters_to_addresses_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
