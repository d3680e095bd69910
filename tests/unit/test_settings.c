/* SPDX-License-Identifier: MIT */
/* The defaults that the header states; what they do, others test. */
#include "server/settings.h"

#include <string.h>

#include "test.h"

#define SETTING(name) #name, offsetof(struct smtpd_settings, name)

struct expected {
	const char *name;
	size_t offset;
	uint32_t value;
};

static uint32_t
value_of(const struct smtpd_settings *s, const struct expected *e)
{
	uint32_t value;

	memcpy(&value, (const char *)s + e->offset, sizeof(value));
	return value;
}

static const struct expected defaults[] = {
	{ SETTING(max_connections), 1000 },
	{ SETTING(max_per_address), 20 },
	{ SETTING(max_per_network), 50 },
	{ SETTING(max_per_user), 100 },
	{ SETTING(max_recipients), 1000 },
	{ SETTING(max_command_line), 2048 },
	{ SETTING(max_text_line), 65536 },
	{ SETTING(max_transactions), 1000 },
	{ SETTING(errors_soft), 5 },
	{ SETTING(errors_hard), 20 },
	{ SETTING(tarpit_ms), 1000 },
	{ SETTING(max_hops), 100 },
	{ SETTING(idle_timeout_ms), 300000 },
	{ SETTING(command_timeout_ms), 300000 },
	{ SETTING(write_timeout_ms), 60000 },
	{ SETTING(session_timeout_ms), 3600000 },
	{ SETTING(handshake_timeout_ms), 30000 },
	{ SETTING(min_rate), 500 },
	{ SETTING(rate_window_ms), 60000 },
	{ SETTING(greet_delay_ms), 0 },
	{ SETTING(proxy_timeout_ms), 5000 },
	{ SETTING(connect_rate_per_address), SMTPD_NO_LIMIT },
	{ SETTING(connect_rate_per_network), SMTPD_NO_LIMIT },
	{ SETTING(connect_rate_ms), 60000 },
	{ SETTING(rcpt_rate_per_address), SMTPD_NO_LIMIT },
	{ SETTING(rcpt_rate_per_network), SMTPD_NO_LIMIT },
	{ SETTING(rcpt_rate_ms), 60000 },
	{ SETTING(auth_failure_rate_per_address), 20 },
	{ SETTING(auth_failure_rate_per_network), 50 },
	{ SETTING(auth_failure_rate_ms), 600000 },
	{ SETTING(crowded_idle_timeout_ms), 30000 },
	{ SETTING(min_deliver_by), 0 },
	{ SETTING(max_future_release), 0 },
	{ SETTING(delivery_warning_ms), 60000 },
	{ SETTING(delivery_timeout_ms), SMTPD_NO_TIMEOUT },
};

static void
check_defaults(const struct smtpd_settings *s)
{
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (value_of(s, &defaults[i]) != defaults[i].value)
			fail_msg("%s is %u", defaults[i].name,
			    value_of(s, &defaults[i]));
	assert_int_equal(s->max_message_size, 52428800);
	assert_int_equal(s->max_memory, 268435456);
	assert_int_equal(s->max_temp_size, 1073741824);
	assert_int_equal(s->flags, 0);
	assert_int_equal(s->bare_lf, SMTPD_TREAT_REPAIR);
	assert_int_equal(s->nul, SMTPD_TREAT_REFUSE);
	assert_int_equal(s->bare_cr, SMTPD_TREAT_REFUSE);
	assert_int_equal(s->log_level, SMTPD_LOG_INFO);
	/* E2 */
	assert_true(s->stack_size >= 262144);
	assert_null(s->log);
	assert_null(s->default_domain);
	assert_string_equal(s->temp_directory, "/var/tmp");
	assert_null(s->priority_policy);
}

static void
zeros_are_defaults(void **state)
{
	const struct smtpd_settings zeros = { SMTPD_SETTINGS_INIT };
	struct smtpd_server_config c;

	(void)state;
	assert_int_equal(smtpd__settings_init(&c, NULL), 0);
	check_defaults(&c.settings);
	assert_null(smtpd__settings_fault(&c));
	smtpd__settings_finish(&c);
	assert_int_equal(smtpd__settings_init(&c, &zeros), 0);
	check_defaults(&c.settings);
	smtpd__settings_finish(&c);
}

/* A setting that was made stays as it is, and touches no other. */
static void
each_setting_stands(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		struct smtpd_settings s = { SMTPD_SETTINGS_INIT };
		struct smtpd_server_config c;
		const uint32_t mine = 777;

		memcpy((char *)&s + defaults[i].offset, &mine, sizeof(mine));
		assert_int_equal(smtpd__settings_init(&c, &s), 0);
		assert_int_equal(value_of(&c.settings, &defaults[i]), mine);
		memcpy((char *)&c.settings + defaults[i].offset,
		    &defaults[i].value, sizeof(mine));
		check_defaults(&c.settings);
		smtpd__settings_finish(&c);
	}
}

/* E20: What a setting cannot be is named. */
static void
values_out_of_range_are_named(void **state)
{
	static const struct {
		struct smtpd_settings settings;
		const char *name;
	} cases[] = {
		{ { SMTPD_SETTINGS_INIT, .hostname = "a b" }, "hostname" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a", .flags = 1 << 30 },
		    "flags" },
		/* RFC 3030, 3: BINARYMIME needs CHUNKING. */
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .flags = SMTPD_FLAG_BINARYMIME },
		    "flags" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .bare_lf = (enum smtpd_treatment)3 },
		    "bare_lf" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .nul = (enum smtpd_treatment) - 1 },
		    "nul" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .bare_cr = (enum smtpd_treatment)3 },
		    "bare_cr" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .default_domain = "a b" },
		    "default_domain" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .temp_directory = "tmp" },
		    "temp_directory" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .log_level = (enum smtpd_log_level)6 },
		    "log_level" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .max_recipients = 99 },
		    "max_recipients" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .max_command_line = 511 },
		    "max_command_line" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .max_command_line = 16385 },
		    "max_command_line" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .max_text_line = 999 },
		    "max_text_line" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a", .max_recipients = 100,
		      .max_command_line = 16384, .max_text_line = 1000,
		      .tarpit_ms = 3600000 },
		    NULL },
		/* E2: The library itself needs more. */
		{ { SMTPD_SETTINGS_INIT, .hostname = "a", .stack_size = 20000 },
		    "stack_size" },
		/* R20: A multiple of it must not overflow. */
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .tarpit_ms = 3600001 },
		    "tarpit_ms" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .min_deliver_by = 1000000000 },
		    "min_deliver_by" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .max_future_release = 1000000000 },
		    "max_future_release" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .priority_policy = "" },
		    "priority_policy" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .priority_policy = "a b" },
		    "priority_policy" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .priority_policy = "a23456789012345678901" },
		    "priority_policy" },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a",
		      .priority_policy = "a2345678901234567890" },
		    NULL },
		{ { SMTPD_SETTINGS_INIT, .hostname = "a" }, NULL },
	};
	struct smtpd_server_config c;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *fault;

		assert_int_equal(
		    smtpd__settings_init(&c, &cases[i].settings), 0);
		fault = smtpd__settings_fault(&c);
		if (cases[i].name != NULL)
			assert_string_equal(fault, cases[i].name);
		else
			assert_null(fault);
		smtpd__settings_finish(&c);
	}
}

static void
a_struct_of_another_size_is_refused_or_filled_up(void **state)
{
	struct {
		struct smtpd_settings known;
		char more;
	} newer = { .known = { .size = sizeof(newer) } };
	const struct smtpd_settings sizeless = { .size = 0 };
	struct smtpd_settings older = {
		.size = offsetof(struct smtpd_settings, max_message_size),
		.max_recipients = 700,
		.max_message_size = 7,
	};
	struct smtpd_server_config c;

	(void)state;
	assert_int_equal(smtpd__settings_init(&c, &sizeless), -1);
	assert_int_equal(smtpd__settings_init(&c, &newer.known), 0);
	smtpd__settings_finish(&c);
	newer.more = 1;
	assert_int_equal(smtpd__settings_init(&c, &newer.known), -1);
	assert_int_equal(smtpd__settings_init(&c, &older), 0);
	assert_int_equal(c.settings.max_recipients, 700);
	assert_int_equal(c.settings.max_message_size, 52428800);
	smtpd__settings_finish(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeros_are_defaults),
		cmocka_unit_test(each_setting_stands),
		cmocka_unit_test(values_out_of_range_are_named),
		cmocka_unit_test(
		    a_struct_of_another_size_is_refused_or_filled_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
