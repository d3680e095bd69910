/* SPDX-License-Identifier: MIT */
#include "sasl/plain.h"

#include <string.h>

#include "test.h"

/* RFC 4616, 4: the examples; its other messages are in the conversations. */
static void
the_messages_of_the_rfc(void **state)
{
	static const char alone[] = "\0tim\0tanstaaftanstaaf";
	static const char other[] = "Ursel\0Kurt\0xipj3plmq";
	char out[64];
	struct smtpd_plain p;
	struct smtpd_text t;

	(void)state;
	assert_int_equal(smtpd__plain_read(alone, sizeof(alone) - 1, &p), 0);
	assert_string_equal(p.identity, "");
	assert_string_equal(p.user, "tim");
	assert_string_equal(p.password, "tanstaaftanstaaf");
	assert_int_equal(smtpd__plain_read(other, sizeof(other) - 1, &p), 0);
	assert_string_equal(p.identity, "Ursel");
	assert_string_equal(p.user, "Kurt");
	assert_string_equal(p.password, "xipj3plmq");
	smtpd__text_init(&t, out, sizeof(out));
	smtpd__plain_write(&t, "tim", "tanstaaftanstaaf");
	assert_int_equal(t.len, sizeof(alone) - 1);
	assert_memory_equal(out, alone, sizeof(alone));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_messages_of_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
