/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file_content.h"
#include "queue/delivery/bounce.h"
#include "spool_fixture.h"

#include "test.h"

#define RCPTS   3
#define FAILED  SMTPD_DSN_FAILED
#define DELAYED SMTPD_DSN_DELAYED
#define RELAYED SMTPD_DSN_RELAYED
#define BODY    "the body of it\r\n"

struct case_state {
	struct fixture f;
	struct smtpd_outgoing_rcpt rcpts[RCPTS];
	struct smtpd_rcpt_progress progress[RCPTS];
	struct smtpd_loaded_message loaded;
	struct smtpd_bounce bounce;
	char *text; /* of the report */
	unsigned flags;
	bool eight_bit;
};

static const char header[] = "From: s@example.net\r\n"
			     "Message-ID: <a1@example.net>\r\n"
			     "Subject: x\r\n\r\n";

static void
set_content(struct case_state *c, const char *content, size_t len)
{
	c->loaded.content = content;
	c->loaded.size = len;
}

static int
setup(void **state)
{
	static char content[] = "Message-ID: <a1@example.net>\r\n"
				"Subject: x\r\n\r\n" BODY;
	static const char *const addresses[RCPTS] = { "one@example.org",
		"two@example.org", "three@example.org" };
	struct case_state *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	fixture_make(&c->f);
	fixture_open(&c->f);
	for (uint32_t i = 0; i < RCPTS; i++) {
		c->rcpts[i].address = addresses[i];
		c->progress[i].rcpt = i;
		c->progress[i].result = (struct smtpd_result){
			.outcome = SMTPD_OUTCOME_PERMANENT,
			.code = 550,
			.status = "5.1.1",
			.text = "5.1.1 no such user",
		};
	}
	c->loaded = (struct smtpd_loaded_message){
		.id = 77,
		.arrived_ms = UINT64_C(1767225600000),
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "s@example.net",
			.rcpts = c->rcpts,
			.nrcpts = RCPTS,
		},
	};
	set_content(c, content, sizeof(content) - 1);
	c->bounce = (struct smtpd_bounce){
		.hostname = "queue.example",
		.postmaster = "postmaster@queue.example",
		.loaded = &c->loaded,
		.action = FAILED,
		.rcpts = c->progress,
		.nrcpts = RCPTS,
		.now_ms = UINT64_C(1767225660000),
		.until_ms = UINT64_C(1767657600000),
	};
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	struct case_state *c = *state;

	free(c->text);
	fixture_close(&c->f);
	fixture_remove(&c->f);
	free(c);
	return 0;
}

/* Write the report, add it to the spool, and read it back. */
static void
make_report(struct case_state *c)
{
	struct smtpd_spool_mail mail;
	struct smtpd_queued_message *message;
	struct smtpd_loaded_message loaded;
	struct smtpd_bounce_hold *hold = NULL;

	assert_int_equal(
	    smtpd__bounce_write(&c->bounce, 1, c->f.spool, &mail, &hold), 0);
	assert_string_equal(mail.envelope.sender, "");
	assert_int_equal(mail.envelope.nrcpts, 1);
	assert_string_equal(
	    mail.envelope.rcpts[0].address, c->loaded.envelope.sender);
	c->flags = mail.flags;
	c->eight_bit = mail.envelope.eight_bit;
	assert_int_equal(smtpd__spool_add(c->f.spool, &mail, &message), 0);
	smtpd__bounce_free(hold);
	assert_int_equal(smtpd__spool_load(c->f.spool, message, &loaded), 0);
	free(c->text);
	c->text = calloc(1, loaded.size + 1);
	assert_non_null(c->text);
	for (uint64_t at = 0; at < loaded.size;) {
		ssize_t n = smtpd__loaded_message_read(
		    &loaded, at, c->text + at, loaded.size - at);

		assert_true(n > 0);
		at += (uint64_t)n;
	}
	smtpd__loaded_message_finish(&loaded);
	assert_int_equal(smtpd__state_change_end(c->f.spool, message, NULL), 0);
	smtpd__spool_unpin(c->f.spool, message);
}

static void
has(const struct case_state *c, const char *text)
{
	if (strstr(c->text, text) == NULL)
		fail_msg("no \"%s\" in:\n%.6000s", text, c->text);
}

static void
has_not(const struct case_state *c, const char *text)
{
	if (strstr(c->text, text) != NULL)
		fail_msg("\"%s\" in:\n%.6000s", text, c->text);
}

/* RFC 3461, 4.1 */
static void
test_who_is_told(void **state)
{
	static const struct {
		const char *notify;
		bool failed, delayed, relayed;
	} cases[] = {
		{ NULL, true, true, false },
		{ "NEVER", false, false, false },
		{ "SUCCESS", false, false, true },
		{ "FAILURE", true, false, false },
		{ "DELAY", false, true, false },
		{ "FAILURE,DELAY", true, true, false },
		{ "success,failure,delay", true, true, true },
		/* As if it was not said. */
		{ "NEVER,SUCCESS", true, true, false },
		{ "nonsense", true, true, false },
		{ "", true, true, false },
	};
	struct case_state *c = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t k = 0; k < RCPTS; k++)
			c->rcpts[k].notify = cases[i].notify;
		c->bounce.action = FAILED;
		assert_int_equal(
		    smtpd__bounce_is_wanted(&c->bounce), cases[i].failed);
		c->bounce.action = DELAYED;
		assert_int_equal(
		    smtpd__bounce_is_wanted(&c->bounce), cases[i].delayed);
		c->bounce.action = RELAYED;
		assert_int_equal(
		    smtpd__bounce_is_wanted(&c->bounce), cases[i].relayed);
	}
}

static void
test_who_is_not_told(void **state)
{
	struct case_state *c = *state;

	c->bounce.flags = SMTPD_MESSAGE_AUTOMATIC;
	assert_true(smtpd__bounce_is_wanted(&c->bounce));
	c->bounce.action = DELAYED;
	assert_false(smtpd__bounce_is_wanted(&c->bounce));
	c->bounce.flags = 0;
	assert_true(smtpd__bounce_is_wanted(&c->bounce));
	c->loaded.envelope.sender = "";
	assert_false(smtpd__bounce_is_wanted(&c->bounce));
	c->bounce.action = FAILED;
	assert_false(smtpd__bounce_is_wanted(&c->bounce));
}

/* Of the recipients only those that want to be told of. */
static void
test_recipients_apart(void **state)
{
	struct case_state *c = *state;

	c->rcpts[0].notify = "NEVER";
	c->rcpts[2].notify = "FAILURE";
	assert_true(smtpd__bounce_is_wanted(&c->bounce));
	make_report(c);
	has_not(c, "one@example.org");
	has(c, "Final-Recipient: rfc822; two@example.org\r\n");
	has(c, "Final-Recipient: rfc822; three@example.org\r\n");
	has(c, "Action: failed\r\n");
	has(c, "Status: 5.1.1\r\n");
	has(c, "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n");
	has_not(c, "Remote-MTA");
}

/* S29; RFC 3464, 2.3.6: the host's words stay as they are, our opinion of them
 * stands in Status. */
static void
test_words_as_they_were_said(void **state)
{
	struct case_state *c = *state;

	snprintf(c->progress[0].result.status,
	    sizeof(c->progress[0].result.status), "5.0.0");
	snprintf(c->progress[0].result.text, sizeof(c->progress[0].result.text),
	    "4.2.1 mailbox disabled");
	make_report(c);
	has(c, "Status: 5.0.0\r\n");
	has(c, "Diagnostic-Code: smtp; 550 4.2.1 mailbox disabled\r\n");
}

/* RFC 3461, 4.2; RFC 3461, 4.4 */
static void
test_parameters(void **state)
{
	struct case_state *c = *state;

	c->loaded.envelope.envid = "a+2Bb";
	c->rcpts[0].orcpt = "rfc822;first+2Bx@example.com";
	snprintf(
	    c->progress[0].host, sizeof(c->progress[0].host), "mx.example.org");
	c->bounce.nrcpts = 1;
	make_report(c);
	has(c, "Original-Envelope-Id: a+b\r\n");
	has(c, "Original-Recipient: rfc822; first+x@example.com\r\n");
	has(c, "Remote-MTA: dns; mx.example.org\r\n");
	has(c, "Reporting-MTA: dns; queue.example\r\n");
	has(c, "To: <s@example.net>\r\n");
	has(c, "References: <a1@example.net>\r\n");
	has(c, "Auto-Submitted: auto-replied\r\n");
	has(c, "Arrival-Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n");
	assert_int_equal(c->flags, SMTPD_MESSAGE_AUTOMATIC);
}

/* Nobody was reached: the words are ours. */
static void
test_own_diagnostic(void **state)
{
	struct case_state *c = *state;

	c->progress[0].result.code = 0;
	snprintf(c->progress[0].result.status, 12, "4.4.7");
	snprintf(c->progress[0].result.text, 512, "it took too long");
	c->bounce.nrcpts = 1;
	make_report(c);
	has(c, "it took too long");
	has(c, "Status: 4.4.7\r\n");
	has_not(c, "Diagnostic-Code: smtp;");
}

/* RFC 3461, 5.2.5 */
static void
test_delayed(void **state)
{
	struct case_state *c = *state;

	c->bounce.action = DELAYED;
	make_report(c);
	has(c, "Action: delayed\r\n");
	has(c, "Will-Retry-Until: Tue, 06 Jan 2026 00:00:00 +0000\r\n");
	has_not(c, BODY);
	has(c, "Subject: x\r\n");
	c->bounce.until_ms = 0;
	make_report(c);
	has_not(c, "Will-Retry-Until");
}

/* RFC 3461, 5.2.2 */
static void
test_relayed(void **state)
{
	struct case_state *c = *state;

	c->bounce.action = RELAYED;
	c->rcpts[1].notify = "SUCCESS";
	make_report(c);
	has(c, "Action: relayed\r\n");
	has(c, "two@example.org");
	has_not(c, "one@example.org");
	has_not(c, BODY);
}

/* RFC 3461, 5.2.3: One of them went to the mailbox, by LMTP. */
static void
test_delivered(void **state)
{
	struct case_state *c = *state;

	c->bounce.action = RELAYED;
	c->rcpts[0].notify = c->rcpts[1].notify = "SUCCESS";
	c->progress[1].delivered = true;
	make_report(c);
	has(c, "Subject: Your message was passed on");
	has(c, "Action: relayed\r\n");
	has(c, "Action: delivered\r\n");
	c->rcpts[0].notify = "FAILURE";
	make_report(c);
	has(c, "Subject: Your message was delivered to two@example.org\r\n");
	has(c, "Action: delivered\r\n");
	has_not(c, "Action: relayed");
	c->progress[1].delivered = false;
}

/* A message of SIZE octets, its last line "END". */
static char *
make_content(size_t size)
{
	char *content = malloc(size + 1);
	size_t len = strlen(header);

	assert_non_null(content);
	memcpy(content, header, len);
	for (size_t i = len; i < size; i++)
		content[i] = (i - len) % 70 == 68 ? '\r'
		    : (i - len) % 70 == 69        ? '\n'
						  : 'x';
	memcpy(content + size - 7, "\r\nEND\r\n", 8);
	return content;
}

/* RFC 3461, 4.3 */
static void
test_whole_or_header(void **state)
{
	static const struct {
		size_t size;
		const char *ret;
		enum smtpd_dsn_action action;
		bool whole;
	} cases[] = {
		{ 1000, NULL, FAILED, true },
		{ 1000, "HDRS", FAILED, false },
		{ 1000, "hdrs", FAILED, false },
		{ 1000, "FULL", FAILED, true },
		{ 1000, "FULL", DELAYED, false },
		{ 1000, "FULL", RELAYED, false },
		{ 50000, NULL, FAILED, true },
		{ 50001, NULL, FAILED, false },
		{ 50001, "nonsense", FAILED, false },
		{ 50001, "FULL", FAILED, true },
		{ 1048576, "FULL", FAILED, true },
		{ 1048577, "FULL", FAILED, false },
	};
	struct case_state *c = *state;

	for (size_t i = 0; i < RCPTS; i++)
		c->rcpts[i].notify = "SUCCESS,FAILURE,DELAY";
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *content = make_content(cases[i].size);

		set_content(c, content, cases[i].size);
		c->loaded.envelope.ret = cases[i].ret;
		c->bounce.action = cases[i].action;
		make_report(c);
		has(c, "Subject: x\r\n");
		if (cases[i].whole) {
			has(c, "\r\nEND\r\n");
			has(c, "message/rfc822\r\n");
		} else {
			has_not(c, "\r\nEND\r\n");
			has_not(c, "xxxxxx");
			has(c, "text/rfc822-headers");
		}
		free(content);
	}
}

static void
test_eight_bit(void **state)
{
	static char body[] = "Subject: x\r\n\r\n\xc3\xa4\r\n";
	static char field[] = "Subject: \xc3\xa4\r\n\r\nx\r\n";
	static const struct {
		char *content;
		const char *ret;
		bool eight_bit;
	} cases[] = {
		{ body, NULL, true },
		{ body, "HDRS", false },
		{ field, NULL, true },
		{ field, "HDRS", true },
	};
	struct case_state *c = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		set_content(c, cases[i].content, strlen(cases[i].content));
		c->loaded.envelope.ret = cases[i].ret;
		make_report(c);
		assert_int_equal(c->eight_bit, cases[i].eight_bit);
	}
}

/* The file of a large message has become shorter: the report tells what there
 * is. */
static void
test_unreadable_original(void **state)
{
	struct case_state *c = *state;
	char path[] = "/tmp/test_bounce.XXXXXX";
	struct file_content large;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(
	    write(fd, header, strlen(header)), (ssize_t)strlen(header));
	c->loaded.content = NULL;
	file_content_init(&large, fd);
	c->loaded.large = &large.reader;
	c->loaded.size = 40000;
	make_report(c);
	has(c, "Subject: x\r\n");
	has(c, "Action: failed\r\n");
	assert_int_equal(ftruncate(fd, 0), 0);
	make_report(c);
	has(c, "Action: failed\r\n");
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_is_told),
		TEST(test_who_is_not_told),
		TEST(test_recipients_apart),
		TEST(test_words_as_they_were_said),
		TEST(test_parameters),
		TEST(test_own_diagnostic),
		TEST(test_delayed),
		TEST(test_relayed),
		TEST(test_delivered),
		TEST(test_whole_or_header),
		TEST(test_eight_bit),
		TEST(test_unreadable_original),
	};

	return cmocka_run_group_tests_name("bounce", tests, NULL, NULL);
}
