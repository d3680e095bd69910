/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/base64.h"

#include "test.h"

/* RFC 4648, 10, and bytes of all kinds. */
static const struct {
	const char *plain;
	size_t len;
	const char *coded;
} pairs[] = {
	{ "", 0, "" },
	{ "f", 1, "Zg==" },
	{ "fo", 2, "Zm8=" },
	{ "foo", 3, "Zm9v" },
	{ "foob", 4, "Zm9vYg==" },
	{ "fooba", 5, "Zm9vYmE=" },
	{ "foobar", 6, "Zm9vYmFy" },
	{ "\0\0\0", 3, "AAAA" },
	{ "\xff\xff\xff", 3, "////" },
	{ "\xfb\xef\xbe", 3, "++++" },
	{ "\0user\0pass", 10, "AHVzZXIAcGFzcw==" },
};

/* RFC 4648, 4 */
static void
pairs_match_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		char buf[64];
		struct smtpd_text t;

		smtpd__text_init(&t, buf, sizeof(buf));
		smtpd__base64_encode(&t, pairs[i].plain, pairs[i].len);
		assert_string_equal(buf, pairs[i].coded);
		assert_int_equal(t.len, SMTPD_BASE64_LEN(pairs[i].len));
		assert_int_equal(smtpd__base64_decode(pairs[i].coded,
				     strlen(pairs[i].coded), buf, sizeof(buf)),
		    pairs[i].len);
		assert_memory_equal(buf, pairs[i].plain, pairs[i].len);
	}
}

static const char *const bad[] = {
	"Z",
	"Zg",
	"Zg=",
	"Zm9vYg",
	"Zg===",
	"====",
	"=Zm9",
	"Zg=a",
	"Zm9v====",
	"Zg==Zm9v",
	"Zm8=Zm9v",
	"Zh==", /* bits behind the padding */
	"Zm9=",
	"Zm9\n",
	"Zm9v\r\n",
	" Zm9",
	"Zm-_",
	"Zm\xc3\xbc",
};

/* RFC 4648, 4 */
static void
anything_else_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char buf[64];

		if (smtpd__base64_decode(
			bad[i], strlen(bad[i]), buf, sizeof(buf)) != -1)
			fail_msg("\"%s\" was decoded", bad[i]);
	}
	assert_int_equal(
	    smtpd__base64_decode("Zm9\0", 4, (char[8]){ 0 }, 8), -1);
}

static void
room_is_respected(void **state)
{
	char buf[3];

	(void)state;
	assert_int_equal(smtpd__base64_decode("Zm9v", 4, buf, 3), 3);
	assert_int_equal(smtpd__base64_decode("Zm9v", 4, buf, 2), -1);
	assert_int_equal(smtpd__base64_decode("Zm8=", 4, buf, 2), 2);
	assert_int_equal(smtpd__base64_decode("", 0, buf, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_match_both_ways),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(room_is_respected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
