/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "grammar/dsn.h"

#include "test.h"

/* 2006-01-02 15:04:05 UTC */
#define WHEN 1136214245
#define DATE "Mon, 02 Jan 2006 15:04:05 +0000\r\n"

/* RFC 3461, 4.1 */
static void
notify_is_read(void **state)
{
	static const struct {
		const char *value;
		int result;
		unsigned notify;
	} cases[] = {
		{ "NEVER", 0, SMTPD_NOTIFY_NEVER },
		{ "never", 0, SMTPD_NOTIFY_NEVER },
		{ "SUCCESS", 0, SMTPD_NOTIFY_SUCCESS },
		{ "failure,Delay", 0,
		    SMTPD_NOTIFY_FAILURE | SMTPD_NOTIFY_DELAY },
		{ "SUCCESS,FAILURE,DELAY", 0,
		    SMTPD_NOTIFY_SUCCESS | SMTPD_NOTIFY_FAILURE |
			SMTPD_NOTIFY_DELAY },
		{ "DELAY,DELAY", 0, SMTPD_NOTIFY_DELAY },
		{ NULL, -1, 0 },
		{ "", -1, 0 },
		{ "NEVER,FAILURE", -1, 0 },
		{ "SUCCESS,NEVER", -1, 0 },
		{ "FAILURE,", -1, 0 },
		{ ",FAILURE", -1, 0 },
		{ "FAILURE,,DELAY", -1, 0 },
		{ "FAIL", -1, 0 },
		{ "FAILURES", -1, 0 },
		{ "FAILURE;DELAY", -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned notify = 0;

		assert_int_equal(
		    smtpd__dsn_param_notify_parse(cases[i].value, &notify),
		    cases[i].result);
		assert_int_equal(notify, cases[i].notify);
	}
}

/* RFC 3461, 4.3 */
static void
ret_is_read(void **state)
{
	enum smtpd_ret ret = SMTPD_RET_UNSAID;

	(void)state;
	assert_int_equal(smtpd__dsn_param_ret_parse(NULL, &ret), -1);
	assert_int_equal(smtpd__dsn_param_ret_parse("", &ret), -1);
	assert_int_equal(smtpd__dsn_param_ret_parse("FUL", &ret), -1);
	assert_int_equal(smtpd__dsn_param_ret_parse("FULL,HDRS", &ret), -1);
	assert_int_equal(ret, SMTPD_RET_UNSAID);
	assert_int_equal(smtpd__dsn_param_ret_parse("full", &ret), 0);
	assert_int_equal(ret, SMTPD_RET_FULL);
	assert_int_equal(smtpd__dsn_param_ret_parse("HDRS", &ret), 0);
	assert_int_equal(ret, SMTPD_RET_HDRS);
}

/* RFC 3461, 4.4 */
static void
envids_are_checked(void **state)
{
	static const struct {
		const char *value;
		bool valid;
	} cases[] = {
		{ "a", true },
		{ "QQ314159", true },
		{ "a+20b+2B+3D", true },
		{ NULL, false },
		{ "", false },
		{ "a b", false },
		{ "a=b", false },
		{ "+", false },
		{ "a+", false },
		{ "+2", false },
		{ "+2b", false },
		{ "+00", false },
		{ "a+0D", false },
		{ "a+0A", false },
		{ "+0D+0AX: y", false },
		{ "+09", false },
		{ "+7F", false },
		{ "+80", false },
		{ "+E4", false },
		{ "\303\244", false },
	};
	char letters[SMTPD_ENVID_MAX * 3 + 4] = "";

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (smtpd__dsn_param_envid_is_valid(cases[i].value) !=
		    cases[i].valid)
			fail_msg("%s", cases[i].value);
	}
	for (size_t i = 0; i < SMTPD_ENVID_MAX; i++)
		memcpy(letters + 3 * i, "+20", 4);
	assert_true(smtpd__dsn_param_envid_is_valid(letters));
	memcpy(letters + (size_t)3 * SMTPD_ENVID_MAX, "a", 2);
	assert_false(smtpd__dsn_param_envid_is_valid(letters));
}

/* RFC 3461, 4.2 */
static void
orcpts_are_checked(void **state)
{
	static const struct {
		const char *value;
		bool valid;
	} cases[] = {
		{ "rfc822;a@example.org", true },
		{ "RFC822;a+2Bb@example.org", true },
		{ "x400;/S+3Da/", true },
		{ "utf-8;a\\x{E4}@example.org", true },
		{ "utf-8;\303\244@example.org", true },
		{ "UTF-8;a\\x{2B}b@example.org", true },
		/* As others have it: to be copied as it is (RFC 6533, 3). */
		{ "utf-8;a+2Bb@example.org", true },
		{ "utf-8;a\\x{41}@example.org", true },
		{ "utf-8;\344@example.org", false },
		{ "utf-8;a\\x{0A}\303\244", false },
		{ "utf-8;", false },
		{ "rfc822;\303\244@example.org", false },
		{ "rfc822;a;b", true },
		{ NULL, false },
		{ "", false },
		{ "rfc822", false },
		{ "rfc822;", false },
		{ ";a@b", false },
		{ "rfc 822;a@b", false },
		{ "rfc<822;a@b", false },
		{ "rfc.822;a@b", false },
		{ "rfc822;a+b", false },
		{ "rfc822;a+2bb", false },
		{ "rfc822;a=b", false },
		{ "rfc822;a+00b", false },
		{ "rfc822;a+0Db", false },
		{ "rfc822;a+0Ab", false },
		{ "rfc822;a+C3+A4", false },
		{ "rfc\r\n822;a", false },
		{ "rfc822;a\r\nb", false },
	};
	char letters[SMTPD_ORCPT_MAX + 2] = "";

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (smtpd__dsn_param_orcpt_is_valid(cases[i].value) !=
		    cases[i].valid)
			fail_msg("%s", cases[i].value);
	}
	memset(letters, 'a', SMTPD_ORCPT_MAX);
	letters[6] = ';';
	assert_true(smtpd__dsn_param_orcpt_is_valid(letters));
	letters[SMTPD_ORCPT_MAX] = 'a';
	assert_false(smtpd__dsn_param_orcpt_is_valid(letters));
}

static void
parameters_are_checked_by_name(void **state)
{
	(void)state;
	assert_true(smtpd__dsn_param_is_valid("NOTIFY", "NEVER"));
	assert_false(smtpd__dsn_param_is_valid("NOTIFY", "FULL"));
	assert_true(smtpd__dsn_param_is_valid("RET", "FULL"));
	assert_false(smtpd__dsn_param_is_valid("RET", "NEVER"));
	assert_true(smtpd__dsn_param_is_valid("ENVID", "a"));
	assert_false(smtpd__dsn_param_is_valid("ENVID", NULL));
	assert_true(smtpd__dsn_param_is_valid("ORCPT", "rfc822;a"));
	assert_false(smtpd__dsn_param_is_valid("ORCPT", "a"));
	assert_false(smtpd__dsn_param_is_valid("SIZE", "1"));
}

/* RFC 3461, 4.1 */
static void
who_is_told_is_as_he_asked(void **state)
{
	static const struct {
		unsigned notify;
		bool failed, delayed, relayed;
	} cases[] = {
		{ 0, true, true, false },
		{ SMTPD_NOTIFY_NEVER, false, false, false },
		{ SMTPD_NOTIFY_SUCCESS, false, false, true },
		{ SMTPD_NOTIFY_FAILURE, true, false, false },
		{ SMTPD_NOTIFY_DELAY, false, true, false },
		{ SMTPD_NOTIFY_SUCCESS | SMTPD_NOTIFY_FAILURE, true, false,
		    true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned n = cases[i].notify;

		assert_int_equal(
		    smtpd__dsn_param_is_wanted(n, SMTPD_DSN_FAILED),
		    cases[i].failed);
		assert_int_equal(
		    smtpd__dsn_param_is_wanted(n, SMTPD_DSN_DELAYED),
		    cases[i].delayed);
		assert_int_equal(
		    smtpd__dsn_param_is_wanted(n, SMTPD_DSN_RELAYED),
		    cases[i].relayed);
	}
}

struct out {
	struct smtpd_text text;
	size_t calls;
	size_t fail_at; /* 0: never */
	char buf[16384];
};

static int
take(void *user, const void *data, size_t len)
{
	struct out *o = user;

	if (++o->calls == o->fail_at)
		return -1;
	smtpd__text_bytes(&o->text, data, len);
	return 0;
}

/* Write R with ORIGINAL to O. */
static int
write_report(
    struct out *o, const struct smtpd_dsn_report *r, const char *original)
{
	smtpd__text_init(&o->text, o->buf, sizeof(o->buf));
	o->calls = 0;
	if (smtpd__dsn_begin(r, take, o) != 0)
		return -1;
	smtpd__text_add(&o->text, original);
	return smtpd__dsn_end(r, take, o);
}

static const struct smtpd_dsn_rcpt failed = {
	.address = "bob@example.com",
	.original = "rfc822;robert+2Bx@example.com",
	.action = SMTPD_DSN_FAILED,
	.status = "5.1.1",
	.remote = "mx.example.com",
	.diagnostic = "550 5.1.1 no such user",
	.remote_said = true,
	.last_attempt = WHEN,
};
static const struct smtpd_dsn_rcpt delayed = {
	.address = "\"c d\"@example.net",
	.action = SMTPD_DSN_DELAYED,
	.status = "4.4.1",
	.diagnostic = "no host of example.net could be reached",
};
static const struct smtpd_dsn_rcpt relayed = {
	.address = "eve@example.edu",
	.action = SMTPD_DSN_RELAYED,
	.status = "2.0.0",
	.remote = "mx.example.edu",
};

static struct smtpd_dsn_report
report_of(const struct smtpd_dsn_rcpt *rcpts, size_t n)
{
	return (struct smtpd_dsn_report){
		.hostname = "mail.example.org",
		.to = "alice@example.org",
		.postmaster = "help@example.org",
		.about = { .id = "0123456789ABC",
		    .subject = "hello",
		    .date = "Sun, 1 Jan 2006 10:00:00 +0200" },
		.unique = "0123456789ABD.0",
		.envid = "QQ+20314159",
		.references = "<m1@example.org>",
		.secret = { 0x00, 0x01, 0xab, 0xff },
		.arrival = WHEN,
		.now = WHEN,
		.retry_until = WHEN,
		.rcpts = rcpts,
		.nrcpts = n,
	};
}

#define BOUNDARY "=_0001ABFF000000000000000000000000"

/* RFC 3464, 2.1; RFC 3464, 2.2; RFC 3464, 2.3; RFC 6522, 3; RFC 3834, 5 */
static void
a_failure_is_reported(void **state)
{
	struct smtpd_dsn_report r = report_of(&failed, 1);
	struct out o = { .fail_at = 0 };

	(void)state;
	assert_int_equal(write_report(&o, &r, "Subject: hello\r\n"), 0);
	assert_string_equal(o.buf,
	    "Date: " DATE
	    "From: Mail Delivery System <MAILER-DAEMON@mail.example.org>\r\n"
	    "To: <alice@example.org>\r\n"
	    "Subject: Your message could not be delivered to "
	    "bob@example.com\r\n"
	    "Message-ID: <0123456789ABD.0@mail.example.org>\r\n"
	    "References: <m1@example.org>\r\n"
	    "Auto-Submitted: auto-replied\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    " boundary=\"" BOUNDARY "\"\r\n"
	    "\r\n"
	    "A report in parts, as RFC 3464 describes them.\r\n"
	    "\r\n"
	    "--" BOUNDARY "\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "Content-Description: Notification\r\n"
	    "\r\n"
	    "This report was generated by the mail server at "
	    "mail.example.org.\r\n"
	    "It is about this message:\r\n"
	    "\r\n"
	    "    Subject: hello\r\n"
	    "    Date: Sun, 1 Jan 2006 10:00:00 +0200\r\n"
	    "\r\n"
	    "Your message could not be delivered to:\r\n"
	    "\r\n"
	    "  <bob@example.com>\r\n"
	    "    mx.example.com said: 550 5.1.1 no such user\r\n"
	    "\r\n"
	    "We will not try again. Please fix the problem described above "
	    "and send the\r\n"
	    "message again.\r\n"
	    "\r\n"
	    "The same information for mail programs, and the header of your "
	    "message,\r\n"
	    "follow. For help, write to <help@example.org> and quote this "
	    "queue id:\r\n"
	    "0123456789ABC\r\n"
	    "\r\n"
	    "--" BOUNDARY "\r\n"
	    "Content-Type: message/delivery-status\r\n"
	    "Content-Description: Delivery report\r\n"
	    "\r\n"
	    "Original-Envelope-Id: QQ 314159\r\n"
	    "Reporting-MTA: dns; mail.example.org\r\n"
	    "X-Queue-ID: 0123456789ABC\r\n"
	    "Arrival-Date: " DATE "\r\n"
	    "Original-Recipient: rfc822; robert+x@example.com\r\n"
	    "Final-Recipient: rfc822; bob@example.com\r\n"
	    "Action: failed\r\n"
	    "Status: 5.1.1\r\n"
	    "Remote-MTA: dns; mx.example.com\r\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
	    "Last-Attempt-Date: " DATE "\r\n"
	    "--" BOUNDARY "\r\n"
	    "Content-Type: text/rfc822-headers\r\n"
	    "Content-Description: Undelivered message\r\n"
	    "\r\n"
	    "Subject: hello\r\n"
	    "\r\n"
	    "--" BOUNDARY "--\r\n");
}

/* Whether TEXT stands in O. */
static bool
has(const struct out *o, const char *text)
{
	return strstr(o->buf, text) != NULL;
}

/* RFC 3464, 2.3 */
static void
a_delay_says_how_long_it_is_tried(void **state)
{
	struct smtpd_dsn_report r = report_of(&delayed, 1);
	struct out o = { .fail_at = 0 };

	(void)state;
	r.envid = NULL;
	r.references = "";
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_true(has(&o, "\r\nSubject: Your message is delayed; "));
	assert_true(has(&o,
	    "\r\n  <\"c d\"@example.net>\r\n"
	    "    no host of example.net could be reached\r\n"));
	assert_true(has(&o, "\r\nYou do not need to do anything. "));
	assert_true(has(&o, "\r\nWe will keep trying until " DATE));
	assert_true(has(&o,
	    "\r\nAction: delayed\r\nStatus: 4.4.1\r\n"
	    "Diagnostic-Code: X-Local; no host of example.net could be "
	    "reached\r\nWill-Retry-Until: " DATE));
	assert_false(has(&o, "Original-Envelope-Id"));
	assert_false(has(&o, "Original-Recipient"));
	assert_false(has(&o, "Remote-MTA"));
	assert_false(has(&o, "Last-Attempt-Date"));
	assert_false(has(&o, "References"));
	r.retry_until = 0;
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_false(has(&o, "tried until") || has(&o, "Will-Retry-Until"));
}

/* RFC 3464, 2.3.3 */
static void
the_gravest_thing_names_the_report(void **state)
{
	const struct smtpd_dsn_rcpt rcpts[] = { relayed, delayed, failed };
	struct smtpd_dsn_report r = report_of(rcpts, 3);
	struct out o = { .fail_at = 0 };
	const char *at;

	(void)state;
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_true(has(&o, "Subject: Your message could not be delivered"));
	/* To people in the order of weight, to programs in the given one. */
	at = strstr(o.buf, "  <bob@example.com>\r\n");
	assert_non_null(at);
	at = strstr(at, "  <\"c d\"@example.net>\r\n");
	assert_non_null(at);
	at = strstr(at, "  <eve@example.edu>\r\n");
	assert_non_null(at);
	at = strstr(at, "Action: relayed\r\n");
	assert_non_null(at);
	assert_non_null(strstr(at, "Action: failed\r\n"));
	r.nrcpts = 2;
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_true(has(&o, "Subject: Your message is delayed"));
	r.nrcpts = 1;
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_true(has(&o, "Subject: Your message was passed on"));
	assert_false(has(&o, "Will-Retry-Until"));
	assert_false(has(&o, "Diagnostic-Code"));
}

static void
eight_bits_are_declared(void **state)
{
	static const char declared[] = "Content-Transfer-Encoding: 8bit\r\n";
	struct smtpd_dsn_report r = report_of(&failed, 1);
	struct out o = { .fail_at = 0 };
	const char *first;

	(void)state;
	r.whole = true;
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_false(has(&o, declared));
	assert_true(has(&o, "Content-Type: message/rfc822\r\n"));
	assert_true(has(&o, "and your message, "));
	r.eight_bit = true;
	assert_int_equal(write_report(&o, &r, ""), 0);
	first = strstr(o.buf, declared);
	assert_non_null(first);
	assert_true(first < strstr(o.buf, "\r\n\r\n"));
	first = strstr(first + 1, declared);
	assert_true(first > strstr(o.buf, "message/rfc822"));
	assert_null(strstr(first + 1, declared));
}

static void
a_status_that_is_none_is_replaced(void **state)
{
	static const struct {
		const char *status;
		const char *line;
	} cases[] = {
		{ NULL, "\r\nStatus: 5.0.0\r\n" },
		{ "", "\r\nStatus: 5.0.0\r\n" },
		{ "5", "\r\nStatus: 5.0.0\r\n" },
		{ "5.1.1 x", "\r\nStatus: 5.0.0\r\n" },
		{ "9.1.1", "\r\nStatus: 5.0.0\r\n" },
		{ "3.1.1", "\r\nStatus: 5.0.0\r\n" },
		{ "x.1.1", "\r\nStatus: 5.0.0\r\n" },
		{ "5.1.1\r\nX: y", "\r\nStatus: 5.0.0\r\n" },
		{ "4.4.7", "\r\nStatus: 4.4.7\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_dsn_rcpt rcpt = failed;
		struct smtpd_dsn_report r = report_of(&rcpt, 1);
		struct out o = { .fail_at = 0 };

		rcpt.status = cases[i].status;
		assert_int_equal(write_report(&o, &r, ""), 0);
		assert_true(has(&o, cases[i].line));
	}
}

static void
values_that_are_not_valid_are_left_out(void **state)
{
	struct smtpd_dsn_rcpt rcpt = failed;
	struct smtpd_dsn_report r = report_of(&rcpt, 1);
	struct out o = { .fail_at = 0 };

	(void)state;
	r.envid = "a+0D+0AX: y";
	rcpt.original = "rfc822;a+0Db";
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_false(has(&o, "Original-Envelope-Id"));
	assert_false(has(&o, "Original-Recipient"));
}

/* S31: how often and when it was tried, and what may have arrived. */
static void
attempts_in_vain_are_told(void **state)
{
	struct smtpd_dsn_rcpt rcpt = failed;
	struct smtpd_dsn_report r = report_of(&rcpt, 1);
	struct out o = { .fail_at = 0 };

	(void)state;
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_false(has(&o, "We tried"));
	rcpt.attempts = 63;
	r.now = WHEN + 5 * 86400 + 60;
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_true(has(&o,
	    "    We tried 63 times in 5 days, the last time on Mon, 02 Jan "
	    "2006 15:04:05\r\n    +0000.\r\n"));
	assert_true(has(&o, "send the\r\nmessage again."));
	rcpt.attempts = 1;
	rcpt.in_doubt = true;
	r.now = WHEN;
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_true(has(&o, "    We tried 1 time, the last time on "));
	assert_true(has(&o,
	    "    A copy may have arrived: the connection was lost before the "
	    "other server\r\n    confirmed the message.\r\n"));
	assert_true(has(&o, "please ask the recipient"));
	assert_false(has(&o, "Please fix"));
}

/* S31: a subject or a date that a reader cannot use is left out. */
static void
the_original_is_described(void **state)
{
	struct smtpd_dsn_rcpt rcpt = failed;
	struct smtpd_dsn_report r = report_of(&rcpt, 1);
	struct out o = { .fail_at = 0 };

	(void)state;
	r.about.subject = "=?utf-8?q?=C3=A4?=";
	r.about.date = "";
	rcpt.address = "bob x@example.com";
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_false(has(&o, "=?utf-8"));
	assert_false(has(&o, "    Date:"));
	assert_true(
	    has(&o, "Subject: Your message could not be delivered\r\n"));
}

/* S9: a report about some messages says which is which. */
static void
messages_are_told_apart(void **state)
{
	const struct smtpd_dsn_original a = { "A", "one", "today" };
	const struct smtpd_dsn_original b = { "B", NULL, NULL };
	struct smtpd_dsn_rcpt rcpts[] = { failed, failed };
	struct smtpd_dsn_report r = report_of(rcpts, 2);
	struct out o = { .fail_at = 0 };

	(void)state;
	rcpts[0].about = &a;
	rcpts[1].about = &b;
	r.others = 1;
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_true(has(&o, "to bob@example.com and 1 more\r\n"));
	assert_true(has(&o, "\r\nIt is about 2 messages of yours.\r\n"));
	assert_true(has(&o,
	    "no such user\r\n    Subject: one\r\n    Date: today\r\n"
	    "    Queue id: A\r\n\r\n"));
	assert_true(has(&o, "no such user\r\n    Queue id: B\r\n\r\n"));
	assert_true(has(&o, "\r\nX-Queue-ID: A\r\n\r\n"));
	assert_true(has(&o, "\r\nX-Queue-ID: B\r\n\r\n"));
	assert_false(has(&o, "Arrival-Date"));
}

/* RFC 6533, 3; RFC 6533, 4.1: Where all hosts on the way have SMTPUTF8, the
 * report is UTF-8; elsewhere its fields are ASCII, and the header of the
 * message is encoded (RFC 6533, 4.5). */
static void
addresses_in_utf8_have_a_type_of_their_own(void **state)
{
	struct smtpd_dsn_rcpt rcpt = failed;
	struct smtpd_dsn_report r = report_of(&rcpt, 1);
	struct out o = { .fail_at = 0 };

	(void)state;
	rcpt.address = "j\303\274rgen+x@example.com";
	rcpt.original = "utf-8;\\x{FC}b@example.com";
	r.global = r.eight_bit = true;
	r.about.subject = "Gr\303\274\303\237e";
	assert_true(smtpd__dsn_is_quoted(&r));
	assert_true(smtpd__dsn_is_eight_bit(&r));
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_true(has(&o, "report-type=delivery-status;"));
	assert_true(has(&o, "text/plain; charset=utf-8\r\n"));
	assert_true(has(&o, "    Subject: Gr\303\274\303\237e\r\n"));
	assert_true(has(&o, "  <j\303\274rgen+x@example.com>\r\n"));
	assert_true(has(&o, "Content-Type: message/delivery-status\r\n"));
	assert_true(
	    has(&o, "\r\nOriginal-Recipient: utf-8; \\x{FC}b@example.com\r\n"));
	assert_true(has(&o,
	    "\r\nFinal-Recipient: utf-8; "
	    "j\\x{FC}rgen\\x{2B}x@example.com\r\n"));
	assert_true(has(&o,
	    "Content-Type: message/global-headers\r\nContent-Description: "
	    "Undelivered message\r\nContent-Transfer-Encoding: "
	    "quoted-printable\r\n"));
	r.utf8 = true;
	r.whole = true;
	r.to = "\303\244@example.org";
	assert_false(smtpd__dsn_is_quoted(&r));
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_true(has(&o, "\r\nTo: <\303\244@example.org>\r\n"));
	assert_true(has(&o, "report-type=global-delivery-status;"));
	assert_true(has(&o,
	    "Content-Type: message/global-delivery-status\r\n"
	    "Content-Description: Delivery report\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n"));
	assert_true(has(&o,
	    "\r\nOriginal-Recipient: utf-8; \303\274b@example.com\r\n"
	    "Final-Recipient: utf-8; j\303\274rgen+x@example.com\r\n"));
	assert_true(has(&o,
	    "Content-Type: message/global\r\nContent-Description: Undelivered "
	    "message\r\nContent-Transfer-Encoding: 8bit\r\n"));
}

/* RFC 6533, 3: An address that fits no line is left out, not cut. */
static void
long_originals_are_left_out(void **state)
{
	char original[SMTPD_ORCPT_MAX + 1] = "utf-8;";
	struct smtpd_dsn_rcpt rcpt = failed;
	struct smtpd_dsn_report r = report_of(&rcpt, 1);
	struct out o = { .fail_at = 0 };

	(void)state;
	rcpt.original = original;
	for (size_t i = 0; i < 166; i++) {
		memcpy(original + 6 + 2 * i, "\303\274", 3);
		if (i != 129)
			continue;
		assert_int_equal(write_report(&o, &r, ""), 0);
		assert_true(has(&o, "\\x{FC}\\x{FC}\r\nFinal-Recipient: "));
	}
	o = (struct out){ .fail_at = 0 };
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_false(has(&o, "Original-Recipient"));
	assert_true(has(&o, "\r\nFinal-Recipient: "));
}

/* RFC 6531, 3.2; RFC 6533, 3: What can be said in ASCII is, and what has the
 * coding of other types gets that of its own. */
static void
what_needs_no_utf8_has_none(void **state)
{
	struct smtpd_dsn_rcpt rcpt = failed;
	struct smtpd_dsn_report r = report_of(&rcpt, 1);
	struct out o = { .fail_at = 0 };

	(void)state;
	rcpt.address = "bob@b\303\274cher.example";
	rcpt.original = "utf-8;a+2Bb@example.org";
	r.to = "ann@b\303\274cher.example";
	assert_false(smtpd__dsn_is_quoted(&r));
	assert_int_equal(write_report(&o, &r, ""), 0);
	assert_true(has(
	    &o, "\r\nOriginal-Recipient: utf-8; a\\x{2B}b@example.org\r\n"));
	assert_true(has(&o, "  <bob@b\303\274cher.example>\r\n"));
	if (!TEST_IDN)
		return;
	assert_true(has(&o, "\r\nTo: <ann@xn--bcher-kva.example>\r\n"));
	assert_true(has(&o, "delivered to bob@xn--bcher-kva.example"));
	assert_true(has(
	    &o, "\r\nFinal-Recipient: rfc822; bob@xn--bcher-kva.example\r\n"));
}

static void
every_failure_of_the_sink_is_told(void **state)
{
	struct smtpd_dsn_report r = report_of(&failed, 1);
	struct out o = { .fail_at = 0 };
	size_t calls;

	(void)state;
	assert_int_equal(write_report(&o, &r, ""), 0);
	/* Those of the end begin anew. */
	calls = o.calls;
	for (o.fail_at = 1; o.fail_at <= calls; o.fail_at++) {
		assert_int_equal(write_report(&o, &r, ""), -1);
		assert_int_equal(o.calls, o.fail_at);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notify_is_read),
		cmocka_unit_test(ret_is_read),
		cmocka_unit_test(envids_are_checked),
		cmocka_unit_test(orcpts_are_checked),
		cmocka_unit_test(parameters_are_checked_by_name),
		cmocka_unit_test(who_is_told_is_as_he_asked),
		cmocka_unit_test(long_originals_are_left_out),
		cmocka_unit_test(a_failure_is_reported),
		cmocka_unit_test(a_delay_says_how_long_it_is_tried),
		cmocka_unit_test(the_gravest_thing_names_the_report),
		cmocka_unit_test(eight_bits_are_declared),
		cmocka_unit_test(a_status_that_is_none_is_replaced),
		cmocka_unit_test(values_that_are_not_valid_are_left_out),
		cmocka_unit_test(attempts_in_vain_are_told),
		cmocka_unit_test(the_original_is_described),
		cmocka_unit_test(messages_are_told_apart),
		cmocka_unit_test(addresses_in_utf8_have_a_type_of_their_own),
		cmocka_unit_test(what_needs_no_utf8_has_none),
		cmocka_unit_test(every_failure_of_the_sink_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
