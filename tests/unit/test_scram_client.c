/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "crypto/digest.h"
#include "sasl/scram_client.h"

#include "test.h"

/* The exchange of RFC 7677, 3. */
#define NONCE        "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SALT         "W22ZaJ0SNY7soEsUEjb6gQ=="

/* RFC 5802, 2.2; RFC 5802, 7; RFC 8018, 5.2; RFC 7677, 3 */
static void
the_exchange_of_the_rfc(void **state)
{
	char out[SMTPD_SCRAM_MESSAGE_SIZE];
	struct smtpd_scram_client s;

	(void)state;
	if (smtpd__digest_sha256("", 0, (unsigned char *)out) != 0)
		skip(); /* built without TLS */
	assert_int_equal(smtpd__scram_client_begin(&s, "user", NONCE, out), 0);
	assert_string_equal(out, "n,,n=user,r=" NONCE);
	assert_int_equal(
	    smtpd__scram_client_answer(
		&s, "r=" SERVER_NONCE ",s=" SALT ",i=4096", "pencil", out),
	    0);
	assert_string_equal(out,
	    "c=biws,r=" SERVER_NONCE
	    ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
	assert_true(smtpd__scram_client_trusts(
	    &s, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
	assert_false(smtpd__scram_client_trusts(
	    &s, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G8="));
	assert_false(smtpd__scram_client_trusts(
	    &s, "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
	assert_false(smtpd__scram_client_trusts(&s, "v="));
	assert_false(smtpd__scram_client_trusts(&s, "v=AAAA"));
	assert_false(smtpd__scram_client_trusts(&s, "e=other-error"));
	assert_false(smtpd__scram_client_trusts(&s, ""));
}

static const char *const bad_challenges[] = {
	"",
	"r",
	"r=",
	"r=" NONCE ",s=" SALT ",i=4096", /* adds nothing to our nonce */
	"r=x" SERVER_NONCE ",s=" SALT ",i=4096",
	"r=" SERVER_NONCE,
	"r=" SERVER_NONCE ",s=" SALT,
	"r=" SERVER_NONCE ",i=4096,s=" SALT,
	"s=" SALT ",r=" SERVER_NONCE ",i=4096",
	"m=ext,r=" SERVER_NONCE ",s=" SALT ",i=4096",
	"r=" SERVER_NONCE ",s=,i=4096",
	"r=" SERVER_NONCE ",s=****,i=4096",
	"r=" SERVER_NONCE ",s=" SALT ",i=",
	"r=" SERVER_NONCE ",s=" SALT ",i=-1",
	"r=" SERVER_NONCE ",s=" SALT ",i=1",
	"r=" SERVER_NONCE ",s=" SALT ",i=4095",
	"r=" SERVER_NONCE ",s=" SALT ",i=1000001",
	"r=" SERVER_NONCE ",s=" SALT ",i=4294971392", /* 2^32 + 4096 */
	"r=" SERVER_NONCE ",s=" SALT ",i=4096x",
};

/* RFC 7677, 4; RFC 5802, 7 */
static void
bad_challenges_get_no_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_challenges); i++) {
		char out[SMTPD_SCRAM_MESSAGE_SIZE];
		struct smtpd_scram_client s;

		assert_int_equal(
		    smtpd__scram_client_begin(&s, "user", NONCE, out), 0);
		if (smtpd__scram_client_answer(
			&s, bad_challenges[i], "pencil", out) == 0)
			fail_msg("answered \"%s\"", bad_challenges[i]);
		assert_false(smtpd__scram_client_trusts(
		    &s, "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
	}
}

static void
names_are_escaped(void **state)
{
	char out[SMTPD_SCRAM_MESSAGE_SIZE];
	char name[SMTPD_SCRAM_MESSAGE_SIZE];
	struct smtpd_scram_client s;

	(void)state;
	assert_int_equal(smtpd__scram_client_begin(&s, "a=b,c", "x", out), 0);
	assert_string_equal(out, "n,,n=a=3Db=2Cc,r=x");
	memset(name, ',', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(smtpd__scram_client_begin(&s, name, "x", out), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exchange_of_the_rfc),
		cmocka_unit_test(bad_challenges_get_no_answer),
		cmocka_unit_test(names_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
