/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "queue/control/history.h"

#include "test.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static int
keep(void *user, const void *data, size_t len)
{
	smtpd__text_bytes(user, data, len);
	return 0;
}

/* O25: each line is an object, whose members say what it says. */
static void
lines_are_objects(void **state)
{
	static const struct {
		const char *line;
		const char *json[6]; /* members of it */
	} cases[] = {
		{ "2026-11-29T15:00:00Z: attempt 2",
		    { "\"event\":\"attempt\"",
			"\"time\":\"2026-11-29T15:00:00Z\"",
			"\"attempt\":2" } },
		{ "dns one.example: MX mx1.example 10 [192.0.2.1]",
		    { "\"event\":\"dns\"", "\"host\":\"one.example\"",
			"\"text\":\"MX mx1.example 10 [192.0.2.1]\"" } },
		{ "smarthost x.example: 4.4.3 no answer: 192.0.2.1:53",
		    { "\"event\":\"smarthost\"", "\"host\":\"x.example\"",
			"\"status\":\"4.4.3\"",
			"\"reply\":\"no answer: 192.0.2.1:53\"" } },
		{ "mx1.example [192.0.2.1]:25: TLSv1.3/X/verified",
		    { "\"event\":\"connected\"", "\"host\":\"mx1.example\"",
			"\"address\":\"192.0.2.1\"", "\"port\":25",
			"\"tls\":\"TLSv1.3/X/verified\"" } },
		{ "dns [192.0.2.1]:25: not encrypted",
		    { "\"event\":\"connected\"", "\"host\":\"dns\"",
			"\"address\":\"192.0.2.1\"", "\"port\":25" } },
		{ "[IPv6:2001:db8::1] [2001:db8::1]:25: not encrypted",
		    { "\"event\":\"connected\"",
			"\"host\":\"[IPv6:2001:db8::1]\"",
			"\"address\":\"2001:db8::1\"", "\"port\":25" } },
		{ "mx1.example [192.0.2.1]:25: connection kept open, TLSv1.2",
		    { "\"event\":\"connected\"", "\"host\":\"mx1.example\"",
			"\"address\":\"192.0.2.1\"", "\"port\":25",
			"\"tls\":\"TLSv1.2\"",
			"\"text\":\"connection kept open\"" } },
		{ "mx1.example: 4.4.1 cannot connect: attempt 3",
		    { "\"event\":\"failed\"", "\"host\":\"mx1.example\"",
			"\"status\":\"4.4.1\"",
			"\"reply\":\"cannot connect: attempt 3\"" } },
		{ "mx1.example: 554 go away",
		    { "\"event\":\"failed\"", "\"host\":\"mx1.example\"",
			"\"code\":554", "\"reply\":\"go away\"" } },
		{ "rcpt <\"c\\x20d\"@x>: 450 4.2.0 later (a) (mx1.example)",
		    { "\"event\":\"reply\"", "\"recipient\":\"\\\"c d\\\"@x\"",
			"\"host\":\"mx1.example\"", "\"code\":450",
			"\"status\":\"4.2.0\"", "\"reply\":\"later (a)\"" } },
		{ "rcpt <b@x>: 250 (mx1.example)",
		    { "\"event\":\"reply\"", "\"recipient\":\"b@x\"",
			"\"host\":\"mx1.example\"", "\"code\":250",
			"\"reply\":\"\"" } },
		{ "mx1.example: TLS worked there before: nothing goes",
		    { "\"event\":\"note\"",
			"\"text\":\"mx1.example: TLS worked there before: "
			"nothing goes\"" } },
		{ "", { "\"event\":\"note\"", "\"text\":\"\"" } },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct smtpd_control_output a;
		char line[200], out[800];
		struct smtpd_text text;

		snprintf(line, sizeof(line), "%s\n", cases[i].line);
		smtpd__text_init(&text, out, sizeof(out));
		smtpd__control_output_init(&a, keep, &text);
		smtpd__control_history_json(&a, line, strlen(line));
		assert_int_equal(smtpd__control_output_end(&a), 0);
		for (size_t k = 0;
		    k < LENGTH(cases[i].json) && cases[i].json[k] != NULL; k++)
			if (strstr(out, cases[i].json[k]) == NULL)
				fail_msg("%s lacks %s", out, cases[i].json[k]);
	}
}

/* What follows an attempt belongs to it; nothing is no object. */
static void
lines_belong_to_their_attempt(void **state)
{
	static const char lines[] = "2026-11-29T15:00:00Z: attempt 2\n"
				    "mx1.example: 554 no\n";
	struct smtpd_control_output a;
	struct smtpd_text text;
	char out[1600];

	(void)state;
	smtpd__text_init(&text, out, sizeof(out));
	smtpd__control_output_init(&a, keep, &text);
	smtpd__control_history_json(&a, lines, strlen(lines));
	smtpd__control_history_json(&a, NULL, 0);
	assert_int_equal(smtpd__control_output_end(&a), 0);
	assert_non_null(strstr(out,
	    "{\"event\":\"failed\",\"time\":\"2026-11-29T15:00:00Z\","
	    "\"attempt\":2,\"recipient\":null,\"host\":\"mx1.example\","
	    "\"address\":null,\"port\":null,\"tls\":null,\"code\":554,"
	    "\"status\":null,\"reply\":\"no\",\"text\":null}][]"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_objects),
		cmocka_unit_test(lines_belong_to_their_attempt),
	};

	return cmocka_run_group_tests_name(
	    "control_history", tests, NULL, NULL);
}
