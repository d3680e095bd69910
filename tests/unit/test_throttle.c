/* SPDX-License-Identifier: MIT */
#include "queue/delivery/throttle.h"

#include <stdio.h>

#include "test.h"

static void
replies_tell_of_a_rate(void **state)
{
	static const struct {
		int code;
		const char *status, *text;
		enum smtpd_throttle expected;
	} cases[] = {
		{ 450, "4.7.1", "Error: too much mail from 192.0.2.1",
		    SMTPD_THROTTLE_SURE },
		{ 421, "4.7.28", "Gmail has detected an unusual activity",
		    SMTPD_THROTTLE_SURE },
		{ 421, "4.7.0",
		    "Our system has detected an unusual rate of "
		    "unsolicited mail",
		    SMTPD_THROTTLE_SURE },
		{ 421, "4.7.0",
		    "[TSS04] Messages from 192.0.2.1 temporarily "
		    "deferred due to unexpected volume",
		    SMTPD_THROTTLE_SURE },
		{ 451, "4.7.650",
		    "The mail server has been temporarily rate "
		    "limited",
		    SMTPD_THROTTLE_SURE },
		{ 452, "4.3.1", "Throttled, slow down", SMTPD_THROTTLE_SURE },
		{ 450, "4.2.1", "RATE-LIMIT: come back later",
		    SMTPD_THROTTLE_SURE },
		{ 450, "4.7.1", "Service unavailable; try again later",
		    SMTPD_THROTTLE_LIKELY },
		{ 451, "4.7.1", "Greylisting in action", SMTPD_THROTTLE_NONE },
		{ 450, "4.7.1", "recipient is greylisted, rate 5",
		    SMTPD_THROTTLE_NONE },
		{ 421, "4.7.0", "too many connections, rate exceeded",
		    SMTPD_THROTTLE_NONE },
		{ 450, "4.2.0", "mailbox is busy", SMTPD_THROTTLE_NONE },
		{ 450, "4.1.1", "separate addresses, moderated list",
		    SMTPD_THROTTLE_NONE },
		{ 452, "4.5.3", "too many recipients", SMTPD_THROTTLE_NONE },
		{ 550, "5.7.1", "rate limit exceeded", SMTPD_THROTTLE_NONE },
		{ 0, "4.7.5", "a certificate is too old", SMTPD_THROTTLE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_result r = { .code = cases[i].code };

		snprintf(r.status, sizeof(r.status), "%s", cases[i].status);
		snprintf(r.text, sizeof(r.text), "%s", cases[i].text);
		if (smtpd__throttle_read(&r) != cases[i].expected)
			fail_msg("%s", cases[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_tell_of_a_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
