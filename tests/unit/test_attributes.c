/* SPDX-License-Identifier: MIT */
#include "grammar/attributes.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

#define SIXTY "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"

struct example {
	const char *text;
	const char *out; /* NAME=value of all that was said; NULL: refused */
};

static const char *const names[] = { "NAME", "ADDR", "PORT", "PROTO", "HELO",
	"LOGIN", "DESTADDR", "DESTPORT", "IDENT", "SOURCE" };

static void
write_all(const struct smtpd_attributes *a, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < SMTPD_ATTRIBUTES; i++)
		if (a->said[i])
			len +=
			    (size_t)snprintf(buf + len, size - len, "%s%s=%s",
				len > 0 ? " " : "", names[i], a->values[i]);
}

static const struct example examples[] = {
	/* As Postfix's XCLIENT_README has them. */
	{ "NAME=spike.porcupine.org ADDR=168.100.189.2",
	    "NAME=spike.porcupine.org ADDR=168.100.189.2" },
	{ "NAME=[UNAVAILABLE]", "NAME=" },
	{ "NAME=[TEMPUNAVAIL]", "NAME=[TEMPUNAVAIL]" },
	{ "ADDR=IPV6:2001:db8::1", "ADDR=2001:db8::1" },
	{ "addr=ipv6:::1 helo=x", "ADDR=::1 HELO=x" },
	{ "HELO=a+20b+2B+3D", "HELO=a b+=" },
	{ "HELO=[UNAVAILABLE] PORT=[UNAVAILABLE] PROTO=[unavailable]",
	    "PORT= PROTO= HELO=" },
	{ "PORT=0 DESTPORT=65535", "PORT=0 DESTPORT=65535" },
	{ "PROTO=esmtp SOURCE=Local", "PROTO=esmtp SOURCE=Local" },
	{ "LOGIN=ann   IDENT=1", "LOGIN=ann IDENT=1" },
	{ "NAME=+5BUNAVAILABLE+5D", "NAME=" },
	{ "LOGIN=+C3+A9", "LOGIN=\303\251" },
	/* Others. */
	{ "", NULL },
	{ "NAME", NULL },
	{ "NAME=", NULL },
	{ "=x", NULL },
	{ " NAME=x", NULL },
	{ "NAME=x ", NULL },
	{ "NAM=x", NULL },
	{ "NAMES=x", NULL },
	{ "NAME=x NAME=x", NULL },
	{ "NAME=x name=x", NULL },
	{ "NAME=x=y", NULL },
	{ "NAME=x+", NULL },
	{ "NAME=+0A", NULL },
	{ "NAME=\303\251", NULL },
	{ "NAME=+C3", NULL },
	{ "NAME=+C2+85", NULL },
	{ "ADDR=IPV6:192.0.2.1", NULL },
	{ "ADDR=2001:db8::1", NULL },
	{ "ADDR=[TEMPUNAVAIL]", NULL },
	{ "HELO=[TEMPUNAVAIL]", NULL },
	{ "PORT=65536", NULL },
	{ "PORT=000025", NULL },
	{ "PORT=2a", NULL },
	{ "PROTO=HTTP", "PROTO=HTTP" },
	{ "PROTO=HTTP/1.1", "PROTO=HTTP/1.1" },
	{ "PROTO=" SIXTY "abcd", "PROTO=" SIXTY "abcd" },
	{ "PROTO=" SIXTY "abcde", NULL },
	{ "PROTO=a+20b", NULL },
	{ "PROTO=a;b", NULL },
	{ "PROTO=-a", NULL },
	{ "SOURCE=x", NULL },
};

static void
attributes_are_read(void **state)
{
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++) {
		const struct example *e = &examples[i];
		struct smtpd_attributes a;
		int result = smtpd__attributes_parse(e->text, &a);

		if (result != (e->out != NULL ? 0 : -1))
			fail_msg("\"%s\" is %d", e->text, result);
		if (result == -1)
			continue;
		write_all(&a, text, sizeof(text));
		assert_string_equal(text, e->out);
	}
}

/* A value has 255 octets at most. */
static void
values_have_a_size(void **state)
{
	char text[512] = "HELO=";
	struct smtpd_attributes a;

	(void)state;
	memset(text + 5, 'x', 255);
	assert_int_equal(smtpd__attributes_parse(text, &a), 0);
	assert_int_equal(strlen(a.values[SMTPD_ATTRIBUTE_HELO]), 255);
	text[5 + 255] = 'x';
	assert_int_equal(smtpd__attributes_parse(text, &a), -1);
}

static void
more_replaces_what_it_says(void **state)
{
	struct smtpd_attributes a, b;
	char text[512];

	(void)state;
	assert_int_equal(smtpd__attributes_parse("NAME=x HELO=y", &a), 0);
	assert_int_equal(
	    smtpd__attributes_parse("HELO=[UNAVAILABLE] PORT=1", &b), 0);
	smtpd__attributes_merge(&a, &b);
	write_all(&a, text, sizeof(text));
	assert_string_equal(text, "NAME=x PORT=1 HELO=");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_read),
		cmocka_unit_test(values_have_a_size),
		cmocka_unit_test(more_replaces_what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
