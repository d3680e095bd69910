/* SPDX-License-Identifier: MIT */
#include "policy/tlsrpt.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

/* 2026-11-30T00:00:00Z */
#define DAY_BEGIN (UINT64_C(1796000000) / 86400 * 86400)
#define DAY       86400

static char directory[] = "/tmp/test_tlsrpt.XXXXXX";

/* What the DNS says, and what was reported. */
static struct {
	enum smtpd_txt_status status;
	const char *record;
	int answer;
	unsigned reports;
	char json[8192];
	char domain[64];
	char id[128];
	char rua[512];
} net;

static void
find_record(void *user, const char *domain, const struct smtpd_cancel *cancel,
    struct smtpd_txt *out)
{
	(void)user;
	(void)domain;
	(void)cancel;
	out->status = net.status;
	out->len = strlen(net.record);
	memcpy(out->text, net.record, out->len);
}

static int
send_report(const struct smtpd_tls_report *report, void *user)
{
	(void)user;
	net.reports++;
	snprintf(net.json, sizeof(net.json), "%.*s", (int)report->json_len,
	    report->json);
	snprintf(net.domain, sizeof(net.domain), "%s", report->domain);
	snprintf(net.id, sizeof(net.id), "%s", report->id);
	net.rua[0] = '\0';
	for (size_t i = 0; i < report->nrua; i++) {
		strncat(net.rua, report->rua[i], 200);
		strncat(net.rua, " ", 2);
	}
	return net.answer;
}

static struct smtpd_tlsrpt *
create(uint64_t now)
{
	const struct smtpd_tlsrpt_settings set = {
		.directory = directory,
		.txt = find_record,
		.report = send_report,
		.who = { "Our \"Company\"", "tls@out.example", "out.example" },
	};
	struct smtpd_tlsrpt *t = smtpd__tlsrpt_create(&set, now);

	assert_non_null(t);
	return t;
}

static int
set_up(void **state)
{
	char command[128];

	(void)state;
	memset(&net, 0, sizeof(net));
	net.status = SMTPD_TXT_FOUND;
	net.record =
	    "v=TLSRPTv1;rua=mailto:r@a.example,https://a.example/report";
	snprintf(command, sizeof(command), "rm -rf %s/*", directory);
	return system(command);
}

static const char policy[] =
    "version: STSv1\r\nmode:\tenforce\r\nmx: *.a.example\r\nmax_age: 1\r\n";

/* Count N sessions with a.example, of which each but the first failed. */
static void
count_sessions(struct smtpd_tlsrpt *t, unsigned n, uint64_t now)
{
	for (unsigned i = 0; i < n; i++) {
		const struct smtpd_tlsrpt_session s = {
			.domain = "a.example",
			.kind = SMTPD_TLSRPT_STS,
			.policy = policy,
			.policy_len = strlen(policy),
			.failure = i == 0
			    ? SMTPD_TLS_FAILURE_NONE
			    : SMTPD_TLS_FAILURE_CERTIFICATE_EXPIRED,
			.host = "mx.a.example",
			.address = "192.0.2.1",
			.source = "",
		};

		smtpd__tlsrpt_count(t, &s, now);
	}
}

static const char wanted[] =
    "{\"organization-name\":\"Our \\\"Company\\\"\",\"date-range\":{"
    "\"start-datetime\":\"2026-11-30T00:00:00Z\","
    "\"end-datetime\":\"2026-11-30T23:59:59Z\"},"
    "\"contact-info\":\"tls@out.example\","
    "\"report-id\":\"2026-11-30.a.example@out.example\",\"policies\":[{"
    "\"policy\":{\"policy-type\":\"sts\",\"policy-string\":["
    "\"version: STSv1\",\"mode: enforce\",\"mx: *.a.example\","
    "\"max_age: 1\"],\"policy-domain\":\"a.example\","
    "\"mx-host\":[\"*.a.example\"]},\"summary\":{"
    "\"total-successful-session-count\":1,"
    "\"total-failure-session-count\":2},\"failure-details\":[{"
    "\"result-type\":\"certificate-expired\","
    "\"receiving-mx-hostname\":\"mx.a.example\","
    "\"receiving-ip\":\"192.0.2.1\",\"failed-session-count\":2}]}]}\n";

/* RFC 8460, 4.4; and RFC 8460, 4.1: a report is about a day in UTC, and goes
 * out within the hours behind it, once. */
static void
a_day_is_reported(void **state)
{
	struct smtpd_tlsrpt *t = create(DAY_BEGIN);

	(void)state;
	count_sessions(t, 3, DAY_BEGIN);
	smtpd__tlsrpt_step(t, DAY_BEGIN + DAY - 1, NULL);
	assert_int_equal(net.reports, 0);
	smtpd__tlsrpt_step(t, DAY_BEGIN + DAY + SMTPD_TLSRPT_SPREAD_S, NULL);
	assert_int_equal(net.reports, 1);
	assert_string_equal(net.json, wanted);
	assert_string_equal(net.domain, "a.example");
	assert_string_equal(net.id, "2026-11-30.a.example@out.example");
	assert_string_equal(
	    net.rua, "mailto:r@a.example https://a.example/report ");
	smtpd__tlsrpt_step(
	    t, DAY_BEGIN + DAY + 2 * SMTPD_TLSRPT_SPREAD_S, NULL);
	assert_int_equal(net.reports, 1);
	smtpd__tlsrpt_destroy(t);
}

/* Counts go on after a restart, and what was not reported then is. */
static void
counts_outlive_the_process(void **state)
{
	struct smtpd_tlsrpt *t = create(DAY_BEGIN);

	(void)state;
	count_sessions(t, 1, DAY_BEGIN);
	smtpd__tlsrpt_destroy(t);
	t = create(DAY_BEGIN + 100);
	count_sessions(t, 2, DAY_BEGIN + 100);
	smtpd__tlsrpt_destroy(t);
	t = create(DAY_BEGIN + DAY + SMTPD_TLSRPT_SPREAD_S);
	smtpd__tlsrpt_step(t, DAY_BEGIN + DAY + SMTPD_TLSRPT_SPREAD_S, NULL);
	assert_int_equal(net.reports, 1);
	assert_non_null(strstr(net.json,
	    "\"total-successful-session-count\":2,"
	    "\"total-failure-session-count\":1}"));
	smtpd__tlsrpt_destroy(t);
}

/* RFC 8460, 4.1: a session after midnight is one of the next day, whether or
 * not the day before was written. */
static void
a_day_ends_while_counting(void **state)
{
	struct smtpd_tlsrpt *t = create(DAY_BEGIN);

	(void)state;
	count_sessions(t, 1, DAY_BEGIN + DAY - 1);
	count_sessions(t, 3, DAY_BEGIN + DAY);
	smtpd__tlsrpt_step(t, DAY_BEGIN + DAY + SMTPD_TLSRPT_SPREAD_S, NULL);
	assert_int_equal(net.reports, 1);
	assert_non_null(strstr(net.json, "2026-11-30T00:00:00Z"));
	assert_non_null(strstr(net.json,
	    "\"total-successful-session-count\":1,"
	    "\"total-failure-session-count\":0}"));
	smtpd__tlsrpt_destroy(t);
}

/* RFC 8460, 3: without a record, or with a bad one, nothing is sent. */
static void
only_who_asks_is_told(void **state)
{
	struct smtpd_tlsrpt *t = create(DAY_BEGIN);
	const uint64_t due = DAY_BEGIN + DAY + SMTPD_TLSRPT_SPREAD_S;

	(void)state;
	count_sessions(t, 1, DAY_BEGIN);
	net.status = SMTPD_TXT_NONE;
	smtpd__tlsrpt_step(t, due, NULL);
	net.status = SMTPD_TXT_FOUND;
	smtpd__tlsrpt_step(t, due + SMTPD_TLSRPT_AGAIN_S, NULL);
	assert_int_equal(net.reports, 0);
	smtpd__tlsrpt_destroy(t);
}

/* RFC 8460, 5.5: what fails is tried again, for a time. */
static void
what_fails_is_tried_again(void **state)
{
	struct smtpd_tlsrpt *t = create(DAY_BEGIN);
	uint64_t due = DAY_BEGIN + DAY + SMTPD_TLSRPT_SPREAD_S;

	(void)state;
	count_sessions(t, 1, DAY_BEGIN);
	net.status = SMTPD_TXT_FAILED;
	smtpd__tlsrpt_step(t, due, NULL);
	assert_int_equal(net.reports, 0);
	net.status = SMTPD_TXT_FOUND;
	net.answer = -1;
	smtpd__tlsrpt_step(t, due + SMTPD_TLSRPT_AGAIN_S - 1, NULL);
	assert_int_equal(net.reports, 0);
	smtpd__tlsrpt_step(t, due + SMTPD_TLSRPT_AGAIN_S, NULL);
	smtpd__tlsrpt_step(t, due + 2 * SMTPD_TLSRPT_AGAIN_S, NULL);
	assert_int_equal(net.reports, 2);
	smtpd__tlsrpt_step(t, DAY_BEGIN + DAY + SMTPD_TLSRPT_END_S, NULL);
	assert_int_equal(net.reports, 2);
	smtpd__tlsrpt_destroy(t);
}

/* Kinds of failure are bounded, their number is not. */
static void
failures_are_bounded(void **state)
{
	struct smtpd_tlsrpt *t = create(DAY_BEGIN);
	char host[32];

	(void)state;
	for (int i = 0; i < 100; i++) {
		const struct smtpd_tlsrpt_session s = {
			.domain = "a.example",
			.failure = SMTPD_TLS_FAILURE_VALIDATION,
			.host = host,
			.address = "",
			.source = "192.0.2.7",
		};

		snprintf(host, sizeof(host), "mx%d.example", i);
		smtpd__tlsrpt_count(t, &s, DAY_BEGIN);
	}
	smtpd__tlsrpt_step(t, DAY_BEGIN + DAY + SMTPD_TLSRPT_SPREAD_S, NULL);
	assert_non_null(strstr(net.json,
	    "\"policy-type\":\"no-policy-found\","
	    "\"policy-domain\":\"a.example\"}"));
	assert_non_null(
	    strstr(net.json, "\"total-failure-session-count\":100}"));
	assert_non_null(strstr(net.json, "mx31.example"));
	assert_null(strstr(net.json, "mx32.example"));
	smtpd__tlsrpt_destroy(t);
}

static int
make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int
remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_day_is_reported, set_up),
		cmocka_unit_test_setup(counts_outlive_the_process, set_up),
		cmocka_unit_test_setup(a_day_ends_while_counting, set_up),
		cmocka_unit_test_setup(only_who_asks_is_told, set_up),
		cmocka_unit_test_setup(what_fails_is_tried_again, set_up),
		cmocka_unit_test_setup(failures_are_bounded, set_up),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
