/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <string.h>

#include <smtpd/tls.h>

#include "client/tls_policy.h"

#define OPP SMTPD_SECURITY_OPPORTUNISTIC

static const char *const names[] = { "a.example", "b.example" };
static const char *const swapped[] = { "b.example", "a.example" };
static const char *const joined[] = { "a.exampleb.example" };

/* A set with one record, whose data are LEN octets. */
#define ONE_RECORD(usage, selector, len)                                  \
	{                                                                 \
		.count = 1, .list = { { usage, selector, 0, data, len } } \
	}

static const unsigned char data[] = { 7, 8, 9 };
static const struct smtpd_tlsa_set ee = ONE_RECORD(3, 1, 2);
static const struct smtpd_tlsa_set longer = ONE_RECORD(3, 1, 3);
static const struct smtpd_tlsa_set ta = ONE_RECORD(2, 1, 2);
static const struct smtpd_tlsa_set cert = ONE_RECORD(3, 0, 2);

static void
a_kind_of_today_is_called_by_its_word(void **state)
{
	static const struct {
		struct smtpd_tls_policy policy;
		const char *id;
	} kinds[] = {
		{ { .level = OPP }, "opportunistic" },
		{ { .level = OPP, .first = true }, "opportunistic+first" },
		{ { .level = SMTPD_SECURITY_REQUIRED }, "required" },
		{ { .level = SMTPD_SECURITY_NONE }, "none" },
		{ { .level = OPP, .reason = "any" }, "opportunistic" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct smtpd_tls_policy p = kinds[i].policy;

		smtpd__tls_policy_identify(&p);
		assert_string_equal(p.id, kinds[i].id);
	}
}

/* The second of each pair must not pass for the first. */
static void
another_policy_has_another_id(void **state)
{
	static const struct smtpd_tls_policy all[] = {
		{ .level = SMTPD_SECURITY_REQUIRED },
		{ .level = OPP },
		{ .level = OPP, .first = true },
		{ .level = OPP, .names = names, .nnames = 1 },
		{ .level = OPP, .names = names, .nnames = 2 },
		{ .level = OPP, .names = swapped, .nnames = 2 },
		{ .level = OPP, .names = joined, .nnames = 1 },
		{ .level = OPP, .tlsa = &ee },
		{ .level = OPP, .tlsa = &longer },
		{ .level = OPP, .tlsa = &ta },
		{ .level = OPP, .tlsa = &cert },
		{ .level = OPP, .tlsa = &ee, .server_name = "a.example" },
		{ .level = OPP, .tlsa = &ee, .server_name = "b.example" },
		{ .level = OPP, .refused = "it is bogus" },
		{ .level = SMTPD_SECURITY_ENCRYPTED },
		{ .level = SMTPD_SECURITY_ENCRYPTED,
		    .source = SMTPD_TLS_SOURCE_DANE },
		{ .level = SMTPD_SECURITY_REQUIRED,
		    .source = SMTPD_TLS_SOURCE_STS },
		{ .level = SMTPD_SECURITY_REQUIRED,
		    .source = SMTPD_TLS_SOURCE_STS,
		    .testing = true },
		{ .level = SMTPD_SECURITY_REQUIRED,
		    .names = names,
		    .nnames = 2 },
	};
	struct smtpd_tls_policy p[COUNT(all)];

	(void)state;
	if (!smtpd_tls_supported())
		skip();
	for (size_t i = 0; i < COUNT(all); i++) {
		p[i] = all[i];
		smtpd__tls_policy_identify(&p[i]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(p[i].id, p[k].id);
	}
}

static void
the_same_policy_has_the_same_id(void **state)
{
	char copy[] = "b.example";
	const char *const same[] = { "a.example", copy };
	struct smtpd_tls_policy a = {
		.level = OPP, .names = names, .nnames = 2
	};
	struct smtpd_tls_policy b = {
		.level = OPP, .names = same, .nnames = 2
	};

	(void)state;
	smtpd__tls_policy_identify(&a);
	smtpd__tls_policy_identify(&b);
	assert_string_equal(a.id, b.id);
}

static void
only_opportunistic_starttls_falls_back(void **state)
{
	static const struct {
		struct smtpd_tls_policy policy;
		bool may, needs, strict, looks;
	} cases[] = {
		{ { .level = OPP }, true, false, false, false },
		{ { .level = OPP, .first = true }, false, false, false, false },
		{ { .level = SMTPD_SECURITY_ENCRYPTED }, false, true, false,
		    false },
		{ { .level = SMTPD_SECURITY_REQUIRED }, false, true, true,
		    true },
		{ { .level = SMTPD_SECURITY_REQUIRED, .testing = true }, true,
		    false, false, true },
		{ { .level = SMTPD_SECURITY_NONE }, false, false, false,
		    false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_tls_policy plain = { .id = "?" };

		assert_int_equal(
		    smtpd__tls_policy_fall_back(&cases[i].policy, &plain),
		    cases[i].may);
		assert_string_equal(plain.id, cases[i].may ? "none" : "?");
		assert_int_equal(smtpd__tls_policy_is_strict(&cases[i].policy),
		    cases[i].strict);
		assert_int_equal(smtpd__tls_policy_needs_tls(&cases[i].policy),
		    cases[i].needs);
		assert_int_equal(
		    smtpd__tls_policy_looks(&cases[i].policy), cases[i].looks);
	}
}

static void
the_log_has_a_word_for_each_level(void **state)
{
	static const struct {
		struct smtpd_tls_policy policy;
		const char *wanted;
	} cases[] = {
		{ { .level = OPP }, "opportunistic" },
		{ { .level = SMTPD_SECURITY_NONE }, "none" },
		{ { .level = SMTPD_SECURITY_ENCRYPTED }, "encrypted" },
		{ { .level = SMTPD_SECURITY_ENCRYPTED,
		      .source = SMTPD_TLS_SOURCE_DANE },
		    "encrypted" },
		{ { .level = SMTPD_SECURITY_REQUIRED }, "verified" },
		{ { .level = SMTPD_SECURITY_REQUIRED,
		      .source = SMTPD_TLS_SOURCE_DANE,
		      .tlsa = &ee },
		    "dane" },
		{ { .level = SMTPD_SECURITY_REQUIRED,
		      .source = SMTPD_TLS_SOURCE_STS },
		    "sts" },
		{ { .level = SMTPD_SECURITY_REQUIRED,
		      .source = SMTPD_TLS_SOURCE_STS,
		      .testing = true },
		    "sts-testing" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(smtpd__tls_policy_wanted(&cases[i].policy),
		    cases[i].wanted);
	assert_string_equal(
	    smtpd__tls_policy_reached(SMTPD_TLS_REACHED_DANE), "dane");
	assert_string_equal(
	    smtpd__tls_policy_reached(SMTPD_TLS_REACHED_NONE), "none");
}

/* RFC 8460, 4.3. */
static void
a_failure_is_called_as_in_reports(void **state)
{
	(void)state;
	assert_string_equal(
	    smtpd__tls_policy_failure(SMTPD_TLS_FAILURE_NONE), "");
	assert_string_equal(
	    smtpd__tls_policy_failure(SMTPD_TLS_FAILURE_VALIDATION),
	    "validation-failure");
	assert_string_equal(
	    smtpd__tls_policy_failure(SMTPD_TLS_FAILURE_STS_WEBPKI_INVALID),
	    "sts-webpki-invalid");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kind_of_today_is_called_by_its_word),
		cmocka_unit_test(another_policy_has_another_id),
		cmocka_unit_test(the_same_policy_has_the_same_id),
		cmocka_unit_test(only_opportunistic_starttls_falls_back),
		cmocka_unit_test(the_log_has_a_word_for_each_level),
		cmocka_unit_test(a_failure_is_called_as_in_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
