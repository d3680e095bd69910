/* SPDX-License-Identifier: MIT */
#include "token_text.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

static const struct {
	const char *text, *token;
	unsigned lifetime;
} good[] = {
	{ "t0ken", "t0ken", 0 },
	{ "t0ken\n", "t0ken", 0 },
	{ "\n  t0ken \r\n3600\n", "t0ken", 3600 },
	{ "t0ken\n3600", "t0ken", 3600 },
	{ "t0ken\nmore about it\n", "t0ken", 0 },
	/* RFC 6749, 5.1 */
	{ "{\n  \"access_token\":\"2YotnFZFEjr1zCsicMWpAA\",\n"
	  "  \"token_type\":\"example\",\n  \"expires_in\":3600,\n"
	  "  \"refresh_token\":\"tGzv3JOkF0XG5Qx2TlKWIA\",\n"
	  "  \"example_parameter\":\"example_value\"\n}\n",
	    "2YotnFZFEjr1zCsicMWpAA", 3600 },
	{ "{\"access_token\":\"t\\/0\\u006ben\"}", "t/0ken", 0 },
	{ "{\"expires_in\":\"60\",\"access_token\":\"t\"}", "t", 60 },
	{ "{\"x\":{\"access_token\":\"no\",\"a\":[1,{}]},\"y\":[\"}\"],"
	  "\"access_token\":\"t\",\"z\":null}",
	    "t", 0 },
};

static void
tokens_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		char text[512], why[128];
		struct token t;

		snprintf(text, sizeof(text), "%s", good[i].text);
		if (token_text_read(text, &t, why, sizeof(why)) == -1)
			fail_msg("%s: %s", good[i].text, why);
		assert_string_equal(t.text, good[i].token);
		assert_int_equal(t.lifetime, good[i].lifetime);
	}
}

static const struct {
	const char *text, *why;
} bad[] = {
	{ "", "it is empty" },
	{ " \n\n", "it is empty" },
	{ "two words\n", "there is a blank in the first line" },
	{ "t\xc3\xb6ken\n", "the first line is no token, or too long" },
	{ "{}", "it is no object in JSON" },
	{ "{", "it is no object in JSON" },
	{ "{\"access_token\":\"t\"", "it is no object in JSON" },
	{ "{\"access_token\":\"t", "it is no object in JSON" },
	{ "{\"access_token\":\"t\\", "it is no object in JSON" },
	{ "{\"a\":[", "it is no object in JSON" },
	{ "{\"a\":]}", "it is no object in JSON" },
	{ "{\"a\"}", "it is no object in JSON" },
	{ "{\"a\":\"b\"}", "there is no access_token" },
	{ "{\"access_token\":\"two words\"}", "there is no access_token" },
	{ "{\"access_token\":[\"t\"]}", "there is no access_token" },
	/* RFC 6749, 5.2 */
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"it was "
	  "revoked\"}",
	    "invalid_grant: it was revoked" },
	{ "{\"error\":\"slow_down\"}", "slow_down" },
};

static void
what_is_no_token_is_explained(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char text[512], why[128];
		struct token t;

		snprintf(text, sizeof(text), "%s", bad[i].text);
		assert_int_equal(
		    token_text_read(text, &t, why, sizeof(why)), -1);
		assert_string_equal(why, bad[i].why);
	}
}

static void
a_token_has_8191_octets_at_most(void **state)
{
	static char text[TOKEN_TEXT_SIZE];
	char why[128];
	struct token t;

	(void)state;
	for (int json = 0; json <= 1; json++)
		for (int more = 0; more <= 1; more++) {
			int len = SMTPD_SECRET_SIZE - 1 + more;

			snprintf(text, sizeof(text), "%s%0*d%s",
			    json ? "{\"access_token\":\"" : "", len, 0,
			    json ? "\"}" : "");
			assert_int_equal(
			    token_text_read(text, &t, why, sizeof(why)),
			    more ? -1 : 0);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_read),
		cmocka_unit_test(what_is_no_token_is_explained),
		cmocka_unit_test(a_token_has_8191_octets_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
