/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "sasl/scram_client.h"
#include "sasl/scram_key.h"
#include "sasl/scram_server.h"

#include "test.h"

/* The exchange of RFC 7677, 3, and the key of its password. */
#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define MORE  "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SALT  "W22ZaJ0SNY7soEsUEjb6gQ=="
#define FIRST "n,,n=user,r=" NONCE
#define PROOF "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define FINAL "c=biws,r=" NONCE MORE ",p=" PROOF
#define KEY                                              \
	"SCRAM-SHA-256$4096:" SALT                       \
	"$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:" \
	"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

/* Begin by FIRST, and make the challenge of the RFC. */
static void
begin(struct smtpd_scram_server *s, const char *first)
{
	struct smtpd_scram_key key = { SMTPD_SCRAM_KEY_INIT };

	assert_int_equal(smtpd_scram_key_parse(KEY, &key), 0);
	assert_int_equal(smtpd__scram_server_begin(s, first), 0);
	assert_int_equal(smtpd__scram_server_challenge(s, &key, MORE), 0);
}

static bool
has_digests(void)
{
	static const unsigned char secret[SMTPD_SCRAM_HASH_SIZE];
	struct smtpd_scram_key key;

	return smtpd__scram_key_make_up(&key, secret, "", 4096) == 0;
}

/* RFC 7677, 3; RFC 5802, 5; RFC 5802, 7 */
static void
the_exchange_of_the_rfc(void **state)
{
	char out[SMTPD_SCRAM_MESSAGE_SIZE];
	struct smtpd_scram_server s;

	(void)state;
	begin(&s, FIRST);
	assert_string_equal(s.user, "user");
	assert_string_equal(s.gs2.identity, "");
	assert_string_equal(s.challenge, "r=" NONCE MORE ",s=" SALT ",i=4096");
	if (!has_digests())
		skip(); /* built without TLS */
	assert_int_equal(
	    smtpd__scram_server_judge(&s, FINAL, out), SMTPD_SCRAM_PROOF_RIGHT);
	assert_string_equal(
	    out, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

/* The client's last message where its first one is FIRST. */
static const struct {
	const char *first;
	const char *final;
	enum smtpd_scram_proof proof;
} finals[] = {
	{ FIRST, "c=biws,r=" NONCE MORE ",x=y,p=" PROOF,
	    SMTPD_SCRAM_PROOF_WRONG },
	{ FIRST,
	    "c=biws,r=" NONCE MORE
	    ",p=eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
	    SMTPD_SCRAM_PROOF_WRONG },
	{ "n,,n=usex,r=" NONCE, FINAL, SMTPD_SCRAM_PROOF_WRONG },
	{ FIRST, "", SMTPD_SCRAM_PROOF_NONE },
	{ FIRST, "c=biws", SMTPD_SCRAM_PROOF_NONE },
	{ FIRST, "c=biws,r=" NONCE MORE, SMTPD_SCRAM_PROOF_NONE },
	{ FIRST, "c=biws,r=" NONCE MORE ",p=", SMTPD_SCRAM_PROOF_NONE },
	{ FIRST, "c=biws,r=" NONCE MORE ",p=AAAA", SMTPD_SCRAM_PROOF_NONE },
	{ FIRST, "c=biws,r=" NONCE MORE ",p=" PROOF ",x=y",
	    SMTPD_SCRAM_PROOF_NONE },
	{ FIRST, "c=biws,r=" NONCE ",p=" PROOF, SMTPD_SCRAM_PROOF_NONE },
	{ FIRST, "c=biws,r=" NONCE MORE "0,p=" PROOF, SMTPD_SCRAM_PROOF_NONE },
	{ FIRST, "c=biws,r=x" NONCE MORE ",p=" PROOF, SMTPD_SCRAM_PROOF_NONE },
	{ FIRST, "c=eSws,r=" NONCE MORE ",p=" PROOF, SMTPD_SCRAM_PROOF_NONE },
	{ FIRST, "c=,r=" NONCE MORE ",p=" PROOF, SMTPD_SCRAM_PROOF_NONE },
	{ FIRST, "c=biwsAAAA,r=" NONCE MORE ",p=" PROOF,
	    SMTPD_SCRAM_PROOF_NONE },
	{ FIRST, "r=" NONCE MORE ",c=biws,p=" PROOF, SMTPD_SCRAM_PROOF_NONE },
	/* The header that was said once is said twice. */
	{ "y,,n=user,r=" NONCE, FINAL, SMTPD_SCRAM_PROOF_NONE },
	{ "n,a=user,n=user,r=" NONCE, FINAL, SMTPD_SCRAM_PROOF_NONE },
};

/* RFC 5802, 5.1; RFC 5802, 6; RFC 5801, 4 */
static void
other_last_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(finals); i++) {
		char out[SMTPD_SCRAM_MESSAGE_SIZE];
		struct smtpd_scram_server s;

		begin(&s, finals[i].first);
		if (smtpd__scram_server_judge(&s, finals[i].final, out) !=
		    finals[i].proof)
			fail_msg(
			    "\"%s\", \"%s\"", finals[i].first, finals[i].final);
	}
}

static const char *const bad_firsts[] = {
	"",
	"n",
	"n,",
	"n,,",
	"n,,n=user",
	"n,,n=user,r=",
	"n,,n=,r=x",
	"n,,r=x,n=user",
	"n,,m=x,n=user,r=x", /* an extension that is mandatory */
	"n=user,r=x",
	"p=tls-unique,,n=user,r=x",
	"p=tls-exporter,,n=user,r=x",
	"x,,n=user,r=x",
	"n,user,n=user,r=x",
	"n,a=,n=user,r=x",
	"n,a=x=2,n=user,r=x",
	"n,,n=us=er,r=x",
	"n,,n=user=,r=x",
	"n,,n=us=2cer,r=x",
	"n,,n=us\177er,r=x",
	"n,,n=user,r=x y",
	"n,,n=user,r=\xc3\xa4",
};

/* RFC 5802, 5.1; RFC 5802, 7; RFC 5801, 4 */
static void
bad_first_messages(void **state)
{
	char text[SMTPD_SCRAM_MESSAGE_SIZE + 32];
	struct smtpd_scram_key key = { SMTPD_SCRAM_KEY_INIT };
	struct smtpd_scram_server s;

	(void)state;
	for (size_t i = 0; i < COUNT(bad_firsts); i++)
		if (smtpd__scram_server_begin(&s, bad_firsts[i]) == 0)
			fail_msg("took \"%s\"", bad_firsts[i]);
	assert_int_equal(
	    smtpd__scram_server_begin(&s, "n,a=b=2Cc,n=d=3De,r=x"), 0);
	assert_string_equal(s.gs2.identity, "b,c");
	assert_string_equal(s.user, "d=e");

	/* Too long at all, or so that no room is left for the challenge. */
	snprintf(text, sizeof(text), "n,,n=user,r=%01020d", 0);
	assert_int_equal(smtpd__scram_server_begin(&s, text), -1);
	snprintf(text, sizeof(text), "n,,n=user,r=%0513d", 0);
	assert_int_equal(smtpd__scram_server_begin(&s, text), -1);
	snprintf(text, sizeof(text), "n,,n=user,r=%0512d", 0);
	assert_int_equal(smtpd__scram_server_begin(&s, text), 0);
	assert_int_equal(smtpd_scram_key_parse(KEY, &key), 0);
	key.salt_len = sizeof(key.salt);
	assert_int_equal(smtpd__scram_server_challenge(&s, &key, MORE), 0);
	snprintf(text, sizeof(text), "n,,n=%0256d,r=x", 0);
	assert_int_equal(smtpd__scram_server_begin(&s, text), -1);
}

/* Names of any bytes, and both ends believe each other. */
static void
both_ends_agree(void **state)
{
	static const char *const names[] = { "user", "a=b,c",
		"\xc3\xa4@example.org" };
	struct smtpd_scram_key key = { SMTPD_SCRAM_KEY_INIT };

	(void)state;
	if (smtpd_scram_key_make(&key, "p\xc3\xa4ss", 0) == -1)
		skip(); /* built without TLS */
	for (size_t i = 0; i < COUNT(names); i++) {
		char text[SMTPD_SCRAM_MESSAGE_SIZE];
		struct smtpd_scram_client c;
		struct smtpd_scram_server s;

		assert_int_equal(
		    smtpd__scram_client_begin(&c, names[i], "abc", text), 0);
		assert_int_equal(smtpd__scram_server_begin(&s, text), 0);
		assert_string_equal(s.user, names[i]);
		assert_int_equal(
		    smtpd__scram_server_challenge(&s, &key, "xyz"), 0);
		assert_int_equal(smtpd__scram_client_answer(
				     &c, s.challenge, "p\xc3\xa4ss", text),
		    0);
		assert_int_equal(smtpd__scram_server_judge(&s, text, text),
		    SMTPD_SCRAM_PROOF_RIGHT);
		assert_true(smtpd__scram_client_trusts(&c, text));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exchange_of_the_rfc),
		cmocka_unit_test(other_last_messages),
		cmocka_unit_test(bad_first_messages),
		cmocka_unit_test(both_ends_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
