/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "grammar/param.h"

#include "test.h"

/* Parse S with memory for 2,048 bytes. */
static enum smtpd_param_fault
parse(const char *s, size_t len, const struct smtpd_params **params)
{
	static char block[2048];
	struct smtpd_arena arena;

	smtpd__arena_init(&arena, block, sizeof(block), 0);
	return smtpd__param_parse_all(s, len, &arena, params);
}

/* PARAMS as "NAME=value;NAME;". */
static void
join(char *buf, size_t size, const struct smtpd_params *params)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < smtpd_params_count(params); i++) {
		const struct smtpd_param *p = smtpd_params_get(params, i);
		const char *value = p->value;

		n += (size_t)snprintf(buf + n, size - n, "%s%s%s;", p->name,
		    value != NULL ? "=" : "", value != NULL ? value : "");
	}
}

/* RFC 5321, 4.1.2 */
static void
parameters_are_read(void **state)
{
	static const struct {
		const char *in;
		const char *params;
	} cases[] = {
		{ "", "" },
		{ " ", "" },
		{ " \t  ", "" },
		{ " SIZE=1000", "SIZE=1000;" },
		{ "  size=1000  ", "SIZE=1000;" },
		{ "\tBody=8BitMime", "BODY=8BitMime;" },
		{ " SMTPUTF8", "SMTPUTF8;" },
		/* RFC 6531, 3.3 */
		{ " A=\303\251b", "A=\303\251b;" },
		{ " A B=c D", "A;B=c;D;" },
		{ " A\tB", "A;B;" },
		{ " 8X-y-=<>:!~", "8X-Y-=<>:!~;" },
		{ " AUTH=<>", "AUTH=<>;" },
		{ " ENVID=a+2Bb", "ENVID=a+2Bb;" },
		{ " ORCPT=rfc822;a@b", "ORCPT=rfc822;a@b;" },
		{ " A-B A", "A-B;A;" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct smtpd_params *params = NULL;
		char joined[64];

		if (parse(cases[i].in, strlen(cases[i].in), &params) !=
		    SMTPD_PARAM_OK)
			fail_msg("refused: %s", cases[i].in);
		join(joined, sizeof(joined), params);
		assert_string_equal(joined, cases[i].params);
	}
}

static void
faults_of_parameters(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		enum smtpd_param_fault fault;
	} cases[] = {
#define IN(s) s, sizeof(s) - 1
		{ IN("SIZE=1"), SMTPD_PARAM_SYNTAX },
		{ IN(" SIZE="), SMTPD_PARAM_SYNTAX },
		{ IN(" ="), SMTPD_PARAM_SYNTAX },
		{ IN(" =1"), SMTPD_PARAM_SYNTAX },
		{ IN(" SIZE=1=2"), SMTPD_PARAM_SYNTAX },
		{ IN(" SIZE==1"), SMTPD_PARAM_SYNTAX },
		{ IN(" SIZE = 1"), SMTPD_PARAM_SYNTAX },
		{ IN(" -A"), SMTPD_PARAM_SYNTAX },
		{ IN(" A_B"), SMTPD_PARAM_SYNTAX },
		{ IN(" A.B=c"), SMTPD_PARAM_SYNTAX },
		{ IN(" <a@b>"), SMTPD_PARAM_SYNTAX },
		{ IN(" A=b\rc"), SMTPD_PARAM_SYNTAX },
		{ IN(" A=b\nc"), SMTPD_PARAM_SYNTAX },
		{ IN(" A=b\0c"), SMTPD_PARAM_SYNTAX },
		{ IN(" A\0"), SMTPD_PARAM_SYNTAX },
		{ IN(" A=\177"), SMTPD_PARAM_SYNTAX },
		{ IN(" A=\351"), SMTPD_PARAM_SYNTAX },
		{ IN(" A=\303\251=b"), SMTPD_PARAM_SYNTAX },
		{ IN(" A=\302\205"), SMTPD_PARAM_SYNTAX },
		{ IN(" A=\355\240\200"), SMTPD_PARAM_SYNTAX },
		{ IN(" \303\251=A"), SMTPD_PARAM_SYNTAX },
		{ IN(" A A"), SMTPD_PARAM_DUPLICATE },
		{ IN(" A a"), SMTPD_PARAM_DUPLICATE },
		{ IN(" SIZE=1 BODY=7BIT size=1"), SMTPD_PARAM_DUPLICATE },
#undef IN
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct smtpd_params *params;
		enum smtpd_param_fault fault =
		    parse(cases[i].in, cases[i].len, &params);

		if (fault != cases[i].fault)
			fail_msg("%d for %s", fault, cases[i].in);
	}
}

/* Write N parameters of different names. */
static size_t
write_params(char *s, size_t size, int n)
{
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(s + len, size - len, " X%d=%d", i, i);
	return len;
}

static void
their_number_is_bounded(void **state)
{
	const struct smtpd_params *params;
	char in[512];
	size_t len;

	(void)state;
	len = write_params(in, sizeof(in), SMTPD_PARAMS_MAX);
	assert_int_equal(parse(in, len, &params), SMTPD_PARAM_OK);
	assert_int_equal(smtpd_params_count(params), SMTPD_PARAMS_MAX);
	assert_string_equal(smtpd_params_get(params, 31)->name, "X31");
	assert_string_equal(smtpd_params_get(params, 31)->value, "31");
	assert_null(smtpd_params_get(params, 32));
	len = write_params(in, sizeof(in), SMTPD_PARAMS_MAX + 1);
	assert_int_equal(parse(in, len, &params), SMTPD_PARAM_TOO_MANY);
}

static void
want_of_memory_is_told(void **state)
{
	static const char in[] = " SIZE=1 BODY=7BIT";
	int refused = 0;

	(void)state;
	for (size_t size = 0; size < 128; size++) {
		const struct smtpd_params *params;
		char *block = test_malloc(size + 1);
		struct smtpd_arena arena;
		enum smtpd_param_fault fault;

		smtpd__arena_init(&arena, block, size, 0);
		fault =
		    smtpd__param_parse_all(in, sizeof(in) - 1, &arena, &params);
		if (fault != SMTPD_PARAM_OK)
			assert_int_equal(fault, SMTPD_PARAM_NO_MEMORY);
		refused += fault != SMTPD_PARAM_OK;
		test_free(block);
	}
	assert_true(refused > 0 && refused < 128);
}

static void
names_of_parameters(void **state)
{
	static const char *const valid[] = { "A", "z", "0", "SIZE", "X-Y",
		"8BIT", "A-" };
	static const char *const invalid[] = { "", "-", "-A", "A B", "A=", "A_",
		"A.", " A", "\303\251", "A\r" };

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++)
		assert_true(smtpd__param_name_is_valid(valid[i]));
	for (size_t i = 0; i < COUNT(invalid); i++)
		assert_false(smtpd__param_name_is_valid(invalid[i]));
}

static void
numbers(void **state)
{
	static const struct {
		const char *in;
		uint64_t n;
	} valid[] = {
		{ "0", 0 },
		{ "7", 7 },
		{ "000", 0 },
		{ "52428800", 52428800 },
		{ "18446744073709551615", UINT64_MAX },
		{ "00000000000000000001", 1 },
	};
	static const char *const invalid[] = { "", " ", "-1", "+1", "1 ", " 1",
		"0x1", "1.0", "1e3", "a", "18446744073709551616",
		"18446744073709551620", "99999999999999999999",
		"000000000000000000001", "\303\251", "1\n" };
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++) {
		assert_int_equal(smtpd__param_number(valid[i].in, &n), 0);
		assert_true(n == valid[i].n);
	}
	for (size_t i = 0; i < COUNT(invalid); i++) {
		if (smtpd__param_number(invalid[i], &n) != -1)
			fail_msg("taken: %s", invalid[i]);
	}
}

/* RFC 3461, 4 */
static void
values_are_found(void **state)
{
	static const char in[] = " SIZE=12 SMTPUTF8";
	const struct smtpd_params *params;

	(void)state;
	assert_int_equal(parse(in, strlen(in), &params), SMTPD_PARAM_OK);
	assert_string_equal(smtpd_params_value(params, "SIZE"), "12");
	assert_string_equal(smtpd_params_value(params, "SMTPUTF8"), "");
	assert_null(smtpd_params_value(params, "BODY"));
	assert_null(smtpd_params_value(params, "size"));
	assert_null(smtpd_params_value(NULL, "SIZE"));
	assert_int_equal(smtpd_params_count(NULL), 0);
	assert_null(smtpd_params_get(NULL, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_read),
		cmocka_unit_test(faults_of_parameters),
		cmocka_unit_test(their_number_is_bounded),
		cmocka_unit_test(want_of_memory_is_told),
		cmocka_unit_test(names_of_parameters),
		cmocka_unit_test(values_are_found),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
