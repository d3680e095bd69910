/* SPDX-License-Identifier: MIT */
#include "sasl/scram_key.h"

#include <errno.h>
#include <string.h>

#include "test.h"

/* Of "pencil", with the salt of RFC 7677, 3. */
#define SALT   "W22ZaJ0SNY7soEsUEjb6gQ=="
#define STORED "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
#define SERVER "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define TEXT   "SCRAM-SHA-256$4096:" SALT "$" STORED ":" SERVER

/* RFC 5803, 3; RFC 5802, 3 */
static void
a_key_as_text(void **state)
{
	struct smtpd_scram_key key = { SMTPD_SCRAM_KEY_INIT };
	char text[SMTPD_SCRAM_KEY_TEXT_SIZE];

	(void)state;
	assert_int_equal(smtpd_scram_key_parse(TEXT, &key), 0);
	assert_int_equal(key.iterations, 4096);
	assert_int_equal(key.salt_len, 16);
	assert_int_equal(
	    smtpd_scram_key_write(&key, text, sizeof(text)), strlen(TEXT));
	assert_string_equal(text, TEXT);
	assert_int_equal(smtpd_scram_key_write(&key, text, strlen(TEXT)), -1);
	assert_int_equal(errno, ERANGE);
	key.iterations = 1000000;
	key.salt_len = SMTPD_SCRAM_SALT_MAX;
	assert_int_not_equal(
	    smtpd_scram_key_write(&key, text, sizeof(text)), -1);
	key.iterations = 4095;
	assert_int_equal(smtpd_scram_key_write(&key, text, sizeof(text)), -1);
	assert_int_equal(errno, EINVAL);
}

static const char *const bad_texts[] = {
	"",
	"x",
	"SCRAM-SHA-1$4096:" SALT "$" STORED ":" SERVER,
	"SCRAM-SHA-256",
	"SCRAM-SHA-256$",
	"SCRAM-SHA-256$4096",
	"SCRAM-SHA-256$4095:" SALT "$" STORED ":" SERVER,
	"SCRAM-SHA-256$4096:$" STORED ":" SERVER,
	"SCRAM-SHA-256$4096:*$" STORED ":" SERVER,
	"SCRAM-SHA-256$4096:" SALT,
	"SCRAM-SHA-256$4096:" SALT "$" STORED,
	"SCRAM-SHA-256$4096:" SALT "$" STORED ":",
	"SCRAM-SHA-256$4096:" SALT "$:" SERVER,
	"SCRAM-SHA-256$4096:" SALT "$" SALT ":" SERVER,
	TEXT " ",
	TEXT ":",
};

static void
a_bad_text_is_no_key(void **state)
{
	struct smtpd_scram_key key = { SMTPD_SCRAM_KEY_INIT };
	struct smtpd_scram_key sizeless = { .size = 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(bad_texts); i++) {
		errno = 0;
		if (smtpd_scram_key_parse(bad_texts[i], &key) == 0)
			fail_msg("read \"%s\"", bad_texts[i]);
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(smtpd_scram_key_parse(TEXT, &sizeless), -1);
	assert_int_equal(smtpd_scram_key_parse(NULL, &key), -1);
}

static void
a_key_knows_its_password(void **state)
{
	struct smtpd_scram_key key = { SMTPD_SCRAM_KEY_INIT };
	struct smtpd_scram_key other = { SMTPD_SCRAM_KEY_INIT };

	(void)state;
	if (smtpd_scram_key_make(&key, "pencil", 0) == -1) {
		assert_int_equal(errno, ENOTSUP);
		skip(); /* built without TLS */
	}
	assert_int_equal(key.iterations, SMTPD_SCRAM_ITERATIONS);
	assert_true(smtpd__scram_key_matches(&key, "pencil"));
	assert_false(smtpd__scram_key_matches(&key, "pencils"));
	assert_false(smtpd__scram_key_matches(&key, ""));
	assert_int_equal(smtpd_scram_key_make(&other, "pencil", 5000), 0);
	assert_int_equal(other.iterations, 5000);
	assert_memory_not_equal(key.salt, other.salt, 16);
	assert_int_equal(smtpd_scram_key_make(&key, "pencil", 4095), -1);
	assert_int_equal(smtpd_scram_key_make(&key, "pencil", 1000001), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(smtpd_scram_key_parse(TEXT, &key), 0);
	assert_true(smtpd__scram_key_matches(&key, "pencil"));
	key.stored_key[31] ^= 1;
	assert_false(smtpd__scram_key_matches(&key, "pencil"));
}

/* RFC 5802, 9: What nobody has looks like what somebody has, each time. */
static void
a_key_that_is_made_up(void **state)
{
	static const unsigned char one[SMTPD_SCRAM_HASH_SIZE] = { 1 };
	static const unsigned char two[SMTPD_SCRAM_HASH_SIZE] = { 2 };
	struct smtpd_scram_key a, b;

	(void)state;
	if (smtpd__scram_key_make_up(&a, one, "joe", 4096) == -1)
		skip(); /* built without TLS */
	assert_true(smtpd__scram_key_is_valid(&a));
	assert_int_equal(a.salt_len, SMTPD_SCRAM_SALT_SIZE);
	assert_int_equal(smtpd__scram_key_make_up(&b, one, "joe", 4096), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(smtpd__scram_key_make_up(&b, one, "jo", 4096), 0);
	assert_memory_not_equal(a.salt, b.salt, SMTPD_SCRAM_SALT_SIZE);
	assert_int_equal(smtpd__scram_key_make_up(&b, two, "joe", 4096), 0);
	assert_memory_not_equal(a.salt, b.salt, SMTPD_SCRAM_SALT_SIZE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_as_text),
		cmocka_unit_test(a_bad_text_is_no_key),
		cmocka_unit_test(a_key_knows_its_password),
		cmocka_unit_test(a_key_that_is_made_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
