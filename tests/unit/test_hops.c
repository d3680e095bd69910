/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "grammar/hops.h"

#include "test.h"

static const struct {
	const char *data;
	uint32_t count;
	bool done;
} cases[] = {
	{ "", 0, false },
	{ "\r\n", 0, true },
	{ "\n", 0, true },
	{ "Received: a\r\n", 1, false },
	{ "Received: a\r\n\r\n", 1, true },
	{ "Received: a\n\n", 1, true },
	{ "received:\r\nRECEIVED:x\r\nReCeIvEd: y\r\n", 3, false },
	{ "Received : a\r\nReceived\t \t: b\r\n", 2, false },
	{ "Received", 0, false },
	{ "Received\r\n: a\r\n", 0, true },
	{ "Received \r\n : a\r\n", 0, true },
	{ "Rec eived: a\r\nReceived: b\r\n", 0, true },
	{ "Receive: a\r\nReceivedx: b\r\nReceived-SPF: c\r\n", 0, false },
	{ "X-Received: a\r\nxReceived: b\r\n", 0, false },
	{ " Received: a\r\n\tReceived: b\r\n", 0, true },
	{ "Received: a\r\n Received: b\r\n\tReceived: c\r\n", 1, false },
	{ "Subject: Received: a\r\nReceived: b\r\n", 1, false },
	{ "RReceived: a\r\n", 0, false },
	{ "A: b\r\n\r\nReceived: c\r\n", 0, true },
	{ "A: b\n\nReceived: c\n", 0, true },
	{ "A: b\r\n \r\nReceived: c\r\n", 1, false },
	{ "A: b\r\n\r\r\nReceived: c\r\n", 0, true },
	{ "A: b\r\n\rReceived: c\r\nReceived: d\r\n", 0, true },
	{ "Received\r: a\r\n", 0, true },
	{ "Received: a\rReceived: b\r\n", 1, false },
};

/* RFC 5321, 6.3 */
static void
fields_are_counted_to_the_end_of_the_header(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].data);

		for (size_t split = 0; split <= len; split++) {
			struct smtpd_hops h;

			smtpd__hops_init(&h);
			smtpd__hops_feed(&h, cases[i].data, split);
			smtpd__hops_feed(
			    &h, cases[i].data + split, len - split);
			if (h.count != cases[i].count)
				fail_msg("%u in %s", h.count, cases[i].data);
			assert_int_equal(h.done, cases[i].done);
		}
	}
}

static void
fields_are_counted_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_hops h;

		smtpd__hops_init(&h);
		for (const char *p = cases[i].data; *p != '\0'; p++)
			smtpd__hops_feed(&h, p, 1);
		assert_int_equal(h.count, cases[i].count);
		assert_int_equal(h.done, cases[i].done);
	}
}

static void
nul_bytes_are_part_of_a_value_but_not_of_a_name(void **state)
{
	static const char data[] = "Received: a\0\r\nReceived: b\r\n\0: c\r\n";
	struct smtpd_hops h;

	(void)state;
	smtpd__hops_init(&h);
	smtpd__hops_feed(&h, data, sizeof(data) - 1);
	assert_int_equal(h.count, 2);
	assert_true(h.done);
}

/* R11, RU4 */
static void
a_message_without_a_header_is_known_by_its_first_line(void **state)
{
	static const struct {
		const char *data;
		bool begun, headless;
	} first[] = {
		{ "", false, false },
		{ "Subject", false, false },
		{ "\r\n", true, false },
		{ "\r\n folded\r\n", true, false },
		{ "A: b\r\ntext\r\n", true, false },
		{ "A :", true, false },
		{ " ", true, true },
		{ "\t", true, true },
		{ ":", true, true },
		{ "From a@b Thu", true, true },
		{ "Hello,\r\n", true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		struct smtpd_hops h;

		smtpd__hops_init(&h);
		for (const char *at = first[i].data; *at != '\0'; at++)
			smtpd__hops_feed(&h, at, 1);
		assert_int_equal(h.begun, first[i].begun);
		assert_int_equal(h.headless, first[i].headless);
	}
}

static void
many_are_counted(void **state)
{
	static const char field[] = "Received: from a by b\r\n\twith c; d\r\n";
	struct smtpd_hops h;

	(void)state;
	smtpd__hops_init(&h);
	for (int i = 0; i < 1000; i++)
		smtpd__hops_feed(&h, field, sizeof(field) - 1);
	assert_int_equal(h.count, 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_counted_to_the_end_of_the_header),
		cmocka_unit_test(fields_are_counted_byte_by_byte),
		cmocka_unit_test(
		    nul_bytes_are_part_of_a_value_but_not_of_a_name),
		cmocka_unit_test(
		    a_message_without_a_header_is_known_by_its_first_line),
		cmocka_unit_test(many_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
