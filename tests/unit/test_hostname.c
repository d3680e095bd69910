/* SPDX-License-Identifier: MIT */

#include "resolve/hostname.h"

#include "test.h"

#define L63 "123456789012345678901234567890123456789012345678901234567890abc"
#define L60 "123456789012345678901234567890123456789012345678901234567890"

struct name_case {
	const char *name;
	const char *want; /* NULL: none */
};

static const struct name_case names[] = {
	{ "example.org", "example.org" },
	{ "Example.ORG.", "example.org" },
	{ "localhost", "localhost" },
	{ "a", "a" },
	{ "1.2.3.4.example", "1.2.3.4.example" },
	{ "mail_1.example.org", "mail_1.example.org" },
	{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
	{ "x--y.example", "x--y.example" },
	{ L63 ".example", L63 ".example" },
	{ L63 "." L63 "." L63 ".a" L60, L63 "." L63 "." L63 ".a" L60 },
	{ L63 "." L63 "." L63 ".ab" L60, NULL },
	{ L63 "." L63 "." L63 ".1" L60, NULL },
	{ L63 "." L63 "." L63 "." L63, NULL },
	{ L63 "d.example", NULL },
	{ "", NULL },
	{ ".", NULL },
	{ "..", NULL },
	{ "example..org", NULL },
	{ ".example.org", NULL },
	{ "example.org..", NULL },
	{ "-a.example", NULL },
	{ "a-.example", NULL },
	{ "192.0.2.1", NULL },
	{ "192.0.2.1.", NULL },
	{ "example.1", NULL },
	{ "1", NULL },
	{ "2001:db8::1", NULL },
	{ "a b.example", NULL },
	{ "a\\.b.example", NULL },
	{ "a\nb.example", NULL },
	{ "*.example", NULL },
	{ "a/b.example", NULL },
	{ "[192.0.2.1]", NULL },
	{ "user@example.org", NULL },
	{ "b\xfc"
	  "cher.example",
	    NULL },
	{ "\xff\xfe.example", NULL },
};

/* RFC 3696, 2 */
static void
names_of_hosts_are_told_from_others(void **state)
{
	char out[SMTPD_DNS_HOST_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct name_case *c = &names[i];
		int status = smtpd__hostname_normalise(c->name, out);

		if (status != (c->want == NULL ? -1 : 0))
			fail_msg("\"%s\"", c->name);
		if (c->want != NULL)
			assert_string_equal(out, c->want);
	}
}

/* RFC 5890, 2.3.2.1: What comes out must be good to go in again. */
static void
names_outside_ascii_are_converted(void **state)
{
	static const struct name_case utf8[] = {
		{ "b\xc3\xbc"
		  "cher.example",
		    "xn--bcher-kva.example" },
		{ "B\xc3\x9c"
		  "CHER.Example.",
		    "xn--bcher-kva.example" },
		{ "bu\xcc\x88"
		  "cher.example",
		    "xn--bcher-kva.example" },
		{ "fa\xc3\x9f.example", "xn--fa-hia.example" },
		{ "\xe4\xbe\x8b\xe5\xad\x90.example", "xn--fsqu00a.example" },
		{ "b\xc3\xbc..example", NULL },
		{ "b\xc3\xbc c.example", NULL },
		{ "\xe2\x80\xae.example", NULL },
	};
	char out[SMTPD_DNS_HOST_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(utf8) / sizeof(utf8[0]); i++) {
		const char *want = TEST_IDN ? utf8[i].want : NULL;
		int status = smtpd__hostname_normalise(utf8[i].name, out);

		if (status != (want == NULL ? -1 : 0))
			fail_msg("\"%s\"", utf8[i].name);
		if (want != NULL)
			assert_string_equal(out, want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_hosts_are_told_from_others),
		cmocka_unit_test(names_outside_ascii_are_converted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
