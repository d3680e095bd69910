/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "grammar/address_key.h"

#include "test.h"

struct key_case {
	const char *text;
	const char *key; /* NULL: it has none */
};

/* Each of COUNT CASES has its key; one outside ASCII only with libidn2. */
static void
check_keys(int (*key)(const char *, char *, size_t),
    const struct key_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char buf[256];
		int len = key(cases[i].text, buf, sizeof(buf));

		if (cases[i].key == NULL) {
			assert_int_equal(len, -1);
			assert_int_equal(errno, EINVAL);
		} else if (len == -1) {
			fail_msg("%s", cases[i].text);
		} else {
			assert_string_equal(buf, cases[i].key);
			assert_int_equal(len, strlen(buf));
		}
	}
}

/* RFC 6530, 10.1: One mailbox has one key, however it is composed. */
static void
local_parts_have_keys(void **state)
{
	static const struct key_case ascii[] = {
		{ "", "" },
		{ "Smith+Tag", "smith+tag" },
		{ "\xfc", NULL },
	};
	static const struct key_case utf8[] = {
		{ "j\xc3\xbcrgen", "j\xc3\xbcrgen" },
		{ "J\xc3\x9cRGEN", "j\xc3\xbcrgen" },
		{ "ju\xcc\x88rgen", "j\xc3\xbcrgen" },
		/* As some keyboards write it: the base in upper case. */
		{ "JU\xcc\x88RGEN", "j\xc3\xbcrgen" },
		{ "\xe7\x94\xa8\xe6\x88\xb7", "\xe7\x94\xa8\xe6\x88\xb7" },
		/* Another mailbox: no compatibility mapping, no folding. */
		{ "stra\xc3\x9f"
		  "e",
		    "stra\xc3\x9f"
		    "e" },
		{ "\xef\xbc\xa1", "\xef\xbd\x81" },
		{ "\xed\xa0\x80", NULL },
	};

	(void)state;
	check_keys(smtpd_address_local_key, ascii, COUNT(ascii));
	if (TEST_IDN)
		check_keys(smtpd_address_local_key, utf8, COUNT(utf8));
}

/* RFC 5890, 2.3.2.1: U-labels and A-labels are the same name. */
static void
domains_have_keys(void **state)
{
	static const struct key_case ascii[] = {
		{ "Example.ORG", "example.org" },
		{ "XN--Bcher-kva.Example", "xn--bcher-kva.example" },
		{ "[IPv6:::1]", "[ipv6:::1]" },
		{ "\xfc.example", NULL },
	};
	static const struct key_case utf8[] = {
		{ "b\xc3\xbc"
		  "cher.example",
		    "xn--bcher-kva.example" },
		{ "B\xc3\x9c"
		  "CHER.Example",
		    "xn--bcher-kva.example" },
		{ "bu\xcc\x88"
		  "cher.example",
		    "xn--bcher-kva.example" },
		{ "\xcc\x88.example", NULL },
	};

	(void)state;
	check_keys(smtpd_address_domain_key, ascii, COUNT(ascii));
	if (TEST_IDN)
		check_keys(smtpd_address_domain_key, utf8, COUNT(utf8));
}

static void
keys_need_room(void **state)
{
	char buf[4];

	(void)state;
	assert_int_equal(smtpd_address_local_key("abcd", buf, 4), -1);
	assert_int_equal(errno, ERANGE);
	assert_int_equal(smtpd_address_local_key("abc", buf, 4), 3);
	assert_int_equal(smtpd_address_local_key(NULL, buf, 4), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(smtpd_address_domain_key(NULL, buf, 4), -1);
	assert_int_equal(errno, EINVAL);
	if (!TEST_IDN)
		return;
	assert_int_equal(
	    smtpd_address_local_key("\xc3\xbc\xc3\xbc", buf, 4), -1);
	assert_int_equal(errno, ERANGE);
	assert_int_equal(
	    smtpd_address_domain_key("\xc3\xbc.example", buf, 4), -1);
	assert_int_equal(errno, ERANGE);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_parts_have_keys),
		cmocka_unit_test(domains_have_keys),
		cmocka_unit_test(keys_need_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
