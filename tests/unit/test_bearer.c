/* SPDX-License-Identifier: MIT */
#include "sasl/bearer.h"

#include <string.h>

#include "test.h"

/* RFC 7628, 4.1: the example, for SMTP. */
static void
oauthbearer_is_written_as_in_the_rfc(void **state)
{
	static const char expected[] =
	    "n,a=user@example.com,\1host=server.example.com\1port=587\1"
	    "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1";
	char out[256];
	struct smtpd_text t;

	(void)state;
	smtpd__text_init(&t, out, sizeof(out));
	smtpd__bearer_write_oauthbearer(&t, "user@example.com",
	    "server.example.com", 587,
	    "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
	assert_string_equal(out, expected);
}

/* The form that Google and Microsoft document. */
static void
xoauth2_is_written_as_documented(void **state)
{
	char out[256];
	struct smtpd_text t;

	(void)state;
	smtpd__text_init(&t, out, sizeof(out));
	smtpd__bearer_write_xoauth2(&t, "someuser@example.com", "ya29.vF9d");
	assert_string_equal(
	    out, "user=someuser@example.com\1auth=Bearer ya29.vF9d\1\1");
}

/* RFC 5801, 4: "," and "=" in a name are written in another way. */
static void
what_is_written_can_be_read(void **state)
{
	char out[256];
	struct smtpd_bearer b;
	struct smtpd_text t;

	(void)state;
	smtpd__text_init(&t, out, sizeof(out));
	smtpd__bearer_write_oauthbearer(&t, "a=b,c", "h", 25, "t0ken");
	assert_non_null(strstr(out, "a=a=3Db=2Cc,"));
	assert_int_equal(smtpd__bearer_read_oauthbearer(out, &b), 0);
	assert_string_equal(b.identity, "a=b,c");
	assert_string_equal(b.token, "t0ken");
	smtpd__text_init(&t, out, sizeof(out));
	smtpd__bearer_write_xoauth2(&t, "a=b,c", "t0ken");
	assert_int_equal(smtpd__bearer_read_xoauth2(out, &b), 0);
	assert_string_equal(b.identity, "a=b,c");
	assert_string_equal(b.token, "t0ken");
}

/* RFC 6750, 2.1 */
static void
a_token_has_neither_blanks_nor_controls(void **state)
{
	(void)state;
	assert_true(smtpd__bearer_is_token("ya29.-_~+/=="));
	assert_false(smtpd__bearer_is_token(""));
	assert_false(smtpd__bearer_is_token("a b"));
	assert_false(smtpd__bearer_is_token("a\1"));
	assert_false(smtpd__bearer_is_token("a\xc3\xa4"));
}

/* RFC 7628, 3.2.2 */
static void
the_status_of_a_refusal_is_found(void **state)
{
	static const struct {
		const char *json, *status;
	} cases[] = {
		{ "{\"status\":\"invalid_token\",\"scope\":\"x\"}",
		    "invalid_token" },
		{ "{ \"schemes\" : \"Bearer\",\n \"status\" : \"401\" }",
		    "401" },
		{ "{\"status\":400}", "400" },
		{ "{\"status\":\"a\\\"b\"}", "a" },
		{ "{\"status\":\"\xff\"}", "?" },
		{ "{\"status\"", "" },
		{ "{\"status\":", "" },
		{ "{\"status\":\"", "" },
		{ "status", "" },
		{ "", "" },
		{ "{\"status\":\"0123456789abcdefghij\"}", "0123456789abcde" },
	};
	char status[16];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		smtpd__bearer_read_status(
		    cases[i].json, status, sizeof(status));
		assert_string_equal(status, cases[i].status);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oauthbearer_is_written_as_in_the_rfc),
		cmocka_unit_test(xoauth2_is_written_as_documented),
		cmocka_unit_test(what_is_written_can_be_read),
		cmocka_unit_test(a_token_has_neither_blanks_nor_controls),
		cmocka_unit_test(the_status_of_a_refusal_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
