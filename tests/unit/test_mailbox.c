/* SPDX-License-Identifier: MIT */
#include "mailbox.h"

#include <string.h>

#include "test.h"

static void
test_patterns(void **state)
{
	static const struct {
		const char *pattern;
		const char *root;
		const char *path;
	} cases[] = {
		{ "/var/mail/%u/Maildir", "/var/mail/",
		    "/var/mail/ann/Maildir" },
		{ "/srv/%d/%u", "/srv/", "/srv/example.org/ann" },
		{ "/srv/mail-%d/%u", "/srv/", "/srv/mail-example.org/ann" },
		{ "/%u", "/", "/ann" },
		{ "%u", ".", "ann" },
		{ "mail/%u", "mail/", "mail/ann" },
		{ "/a/100%%/%u", "/a/", "/a/100%/ann" },
		{ "/a/%u.%d%%/x", "/a/", "/a/ann.example.org%/x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mailbox_pattern p;
		char buf[64];

		assert_null(mailbox_parse(cases[i].pattern, &p));
		assert_int_equal(mailbox_root(&p, buf, sizeof(buf)), 0);
		assert_string_equal(buf, cases[i].root);
		assert_int_equal(
		    mailbox_path(&p, "ann", "example.org", buf, sizeof(buf)),
		    0);
		assert_string_equal(buf, cases[i].path);
		assert_int_equal(
		    p.by_domain, strstr(cases[i].pattern, "%d") != NULL);
	}
}

static void
test_mistakes(void **state)
{
	static const char *const cases[] = { "", "/var/mail", "/var/mail/%d",
		"/var/%%u", "/var/%u/%x", "/var/%u/%" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mailbox_pattern p;

		assert_non_null(mailbox_parse(cases[i], &p));
	}
}

/* Buffers of every size: the path fits, or that is said. */
static void
test_room(void **state)
{
	static const char want[] = "/m/example.org/ann";
	struct mailbox_pattern p;

	(void)state;
	assert_null(mailbox_parse("/m/%d/%u", &p));
	for (size_t size = 1; size <= sizeof(want) + 1; size++) {
		char buf[sizeof(want) + 2];
		int result = mailbox_path(&p, "ann", "example.org", buf, size);

		assert_int_equal(result, size >= sizeof(want) ? 0 : -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
