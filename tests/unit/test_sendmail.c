/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "arguments.h"
#include "identity.h"
#include "message.h"

#include "test.h"

/* Read IN as a message; its text and recipients go to OUT and RCPTS, those that
 * are no addresses behind "!". */
static int
read_text(const char *in, size_t len, const struct message_wants *wants,
    char *out, size_t size, char *rcpts)
{
	FILE *file = tmpfile();
	struct message m;
	int status;
	size_t n;

	assert_non_null(file);
	fwrite(in, 1, len, file);
	rewind(file);
	status = message_read(&m, file, wants);
	rewind(m.file);
	n = fread(out, 1, size - 1, m.file);
	assert_int_equal(n, m.size);
	out[n] = '\0';
	rcpts[0] = '\0';
	for (size_t i = 0; i < m.rcpts.count; i++)
		snprintf(rcpts + strlen(rcpts), 256 - strlen(rcpts), "%s ",
		    m.rcpts.items[i]);
	for (size_t i = 0; i < m.bad.count; i++)
		snprintf(rcpts + strlen(rcpts), 256 - strlen(rcpts), "!%s ",
		    m.bad.items[i]);
	message_finish(&m);
	fclose(file);
	return status;
}

/* RFC 5322, 2.2; RFC 6409, 8.2; RFC 6409, 8.3 */
static void
messages_are_made_fit(void **state)
{
	static const struct {
		const char *in, *out;
		bool dot_is_text;
	} cases[] = {
		{ "Subject: x\n\nbody\n",
		    "Subject: x\r\nFrom: me\r\n\r\nbody\r\n", false },
		{ "Subject: x\r\n\r\nbody\r\n",
		    "Subject: x\r\nFrom: me\r\n\r\nbody\r\n", false },
		/* RU5: An extra CR does not end the header. */
		{ "Subject: x\r\r\nTo: b@c.example\r\r\n\r\r\nbody\r\r\r\n",
		    "Subject: x\r\nTo: b@c.example\r\nFrom: me\r\n\r\nbody\r\n",
		    false },
		{ "A: b\r\r\r\rbody\r\r",
		    "A: b\r\nFrom: me\r\n\r\n\r\n\r\nbody\r\n\r\n", false },
		{ "Subject: x\r\rbody\r",
		    "Subject: x\r\nFrom: me\r\n\r\nbody\r\n", false },
		{ "Subject: x\n\nno end", /* of line */
		    "Subject: x\r\nFrom: me\r\n\r\nno end\r\n", false },
		{ "From: ann\n\nbody\n", "From: ann\r\n\r\nbody\r\n", false },
		{ "FROM : ann\n\nbody\n", "FROM : ann\r\n\r\nbody\r\n", false },
		{ "From ann Mon Jan  2\nSubject: x\n\nFrom here\n",
		    "Subject: x\r\nFrom: me\r\n\r\nFrom here\r\n", false },
		/* S26 */
		{ ">From ann Mon Jan  2\nSubject: x\n\nFrom here\n",
		    "Subject: x\r\nFrom: me\r\n\r\nFrom here\r\n", false },
		{ "no header\n", "From: me\r\n\r\nno header\r\n", false },
		{ "\nno header\n", "From: me\r\n\r\nno header\r\n", false },
		{ "", "From: me\r\n\r\n", false },
		{ "Subject: x\n folded\nbody\n",
		    "Subject: x\r\n folded\r\nFrom: me\r\n\r\nbody\r\n",
		    false },
		{ " folded\n", "From: me\r\n\r\n folded\r\n", false },
		{ "A: b\n\none\n.\ntwo\n", "A: b\r\nFrom: me\r\n\r\none\r\n",
		    false },
		{ "A: b\n\none\n..\n. \n.\n",
		    "A: b\r\nFrom: me\r\n\r\none\r\n..\r\n. \r\n", false },
		{ "A: b\n\none\n.\ntwo\n",
		    "A: b\r\nFrom: me\r\n\r\none\r\n.\r\ntwo\r\n", true },
		{ "A: b\n.\ntwo\n", "A: b\r\nFrom: me\r\n\r\n", false },
		{ "Bcc: b@c.example\n\nx\n",
		    "Bcc: b@c.example\r\nFrom: me\r\n\r\nx\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct message_wants wants = {
			.dot_is_text = cases[i].dot_is_text,
			.from = "me",
		};
		char out[512], rcpts[256];

		assert_int_equal(read_text(cases[i].in, strlen(cases[i].in),
				     &wants, out, sizeof(out), rcpts),
		    0);
		assert_string_equal(out, cases[i].out);
		assert_string_equal(rcpts, "");
	}
}

/* RFC 5322, 3.6.6 */
static void
recipients_come_from_the_header(void **state)
{
	static const struct {
		const char *in, *rcpts, *out;
		int status;
	} cases[] = {
		{ "To: a@b.example,\n\tc\ncc: \"x, y\" <d@e.example>\n\n"
		  "To: no@e.example\n",
		    "a@b.example c d@e.example ",
		    "To: a@b.example,\r\n\tc\r\ncc: \"x, y\" "
		    "<d@e.example>\r\n\r\nTo: no@e.example\r\n",
		    0 },
		{ "Bcc: s@b.example,\n t@b.example\nTo: a@b.example\n\nx\n",
		    "s@b.example t@b.example a@b.example ",
		    "To: a@b.example\r\n\r\nx\r\n", 0 },
		{ "BCC:s\n\nx\n", "s ", "\r\nx\r\n", 0 },
		{ "To: a\nResent-To: b\nResent-Bcc: c\nBcc: d\n\nx\n", "b c ",
		    "To: a\r\nResent-To: b\r\n\r\nx\r\n", 0 },
		{ "To: Ann Lee, b\n\nx\n", "b !Ann Lee ",
		    "To: Ann Lee, b\r\n\r\nx\r\n", 0 },
		{ "Subject: x\n\nTo: a\n", "", "Subject: x\r\n\r\nTo: a\r\n",
		    0 },
		{ "Too: x\nT: y\n\n", "", "Too: x\r\nT: y\r\n\r\n", 0 },
	};
	const struct message_wants wants = { .recipients = true };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[512], rcpts[256];

		assert_int_equal(read_text(cases[i].in, strlen(cases[i].in),
				     &wants, out, sizeof(out), rcpts),
		    cases[i].status);
		assert_string_equal(rcpts, cases[i].rcpts);
		assert_string_equal(out, cases[i].out);
	}
}

/* RFC 5322, 3.2.4; RFC 2047, 2; RFC 2047, 4.2; RFC 2047, 5 */
static void
names_are_written_as_they_may_stand(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "" },
		{ "Ann Lee", "Ann Lee " },
		{ "Lee, Ann", "\"Lee, Ann\" " },
		{ "J. \"R\" \\ Lee", "\"J. \\\"R\\\" \\\\ Lee\" " },
		{ "J\xc3\xbcrgen L.", "=?UTF-8?Q?J=C3=BCrgen_L=2E?= " },
		{ "evil\r\nBcc: x@y.example",
		    "=?UTF-8?Q?evil=0D=0ABcc=3A_x=40y=2Eexample?= " },
		{ "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
		  "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc",
		    "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[512];

		identity_phrase(cases[i].in, out, sizeof(out));
		assert_string_equal(out, cases[i].out);
	}
}

#define WORDS_MAX 12

static int
parse(struct arguments *a, const char *const *words)
{
	char copies[WORDS_MAX][128];
	char *argv[WORDS_MAX + 1] = { NULL };
	int argc = 0, status;

	for (; words[argc] != NULL; argc++) {
		snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc]);
		argv[argc] = copies[argc];
	}
	status = arguments_read(a, argc, argv);
	/* What points into the words is not looked at afterwards. */
	return status;
}

/* What cron, mutt, PHP and others say. */
static void
old_command_lines_are_understood(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		int status;
		enum mode mode;
		bool dots, header;
		size_t rcpts;
	} cases[] = {
		{ { "sendmail", "-FCronDaemon", "-i", "-odi", "-oem", "-oi",
		      "-t", "-f", "root" },
		    -1, MODE_SUBMIT, true, true, 0 },
		{ { "sendmail", "-oem", "-oi", "-f", "a@b.example", "--",
		      "c@d.example", "e" },
		    -1, MODE_SUBMIT, true, false, 2 },
		{ { "sendmail", "-t", "-i" }, -1, MODE_SUBMIT, true, true, 0 },
		{ { "sendmail", "-ti", "-bm" }, -1, MODE_SUBMIT, true, true,
		    0 },
		{ { "sendmail", "a", "-f", "x" }, -1, MODE_SUBMIT, false, false,
		    1 },
		{ { "sendmail", "-N", "failure,delay", "-R", "hdrs", "-V",
		      "id 1", "-B8BITMIME", "-O", "IgnoreDots", "a,b" },
		    -1, MODE_SUBMIT, true, false, 2 },
		{ { "sendmail", "-bp" }, -1, MODE_LIST, false, false, 0 },
		{ { "/usr/bin/mailq" }, -1, MODE_LIST, false, false, 0 },
		{ { "newaliases" }, -1, MODE_NOTHING, false, false, 0 },
		{ { "sendmail", "-q" }, -1, MODE_FLUSH, false, false, 0 },
		{ { "sendmail", "-q30m" }, -1, MODE_NOTHING, false, false, 0 },
		{ { "sendmail", "-qp1h" }, -1, MODE_NOTHING, false, false, 0 },
		{ { "sendmail", "-qf" }, -1, MODE_FLUSH, false, false, 0 },
		{ { "sendmail", "-qI1M8" }, -1, MODE_FLUSH, false, false, 0 },
		{ { "sendmail", "-qRx.org" }, -1, MODE_FLUSH, false, false, 0 },
		{ { "sendmail", "-qR" }, EX_USAGE, 0, false, false, 0 },
		{ { "sendmail", "-qSann" }, EX_USAGE, 0, false, false, 0 },
		{ { "sendmail", "-qtext" }, EX_USAGE, 0, false, false, 0 },
		{ { "sendmail", "-bs" }, -1, MODE_SESSION, false, false, 0 },
		{ { "sendmail", "-bd" }, EX_USAGE, 0, false, false, 0 },
		{ { "sendmail", "-N", "sometimes" }, EX_USAGE, 0, false, false,
		    0 },
		{ { "sendmail", "-N", "never,delay" }, EX_USAGE, 0, false,
		    false, 0 },
		{ { "sendmail", "-R", "half" }, EX_USAGE, 0, false, false, 0 },
		{ { "sendmail", "-V", "a\nb" }, EX_USAGE, 0, false, false, 0 },
		{ { "sendmail", "Ann Lee", "b" }, -1, MODE_SUBMIT, false, false,
		    1 },
		{ { "sendmail", "-f" }, EX_USAGE, 0, false, false, 0 },
		/* O15: what makes no difference is ignored, with its value. */
		{ { "sendmail", "-Z", "a" }, -1, MODE_SUBMIT, false, false, 1 },
		{ { "sendmail", "-am", "a@x" }, -1, MODE_SUBMIT, false, false,
		    1 },
		{ { "sendmail", "-v0", "-4", "-W", "-c", "-i", "a" }, -1,
		    MODE_SUBMIT, true, false, 1 },
		{ { "sendmail", "-oMr", "smtp", "a" }, -1, MODE_SUBMIT, false,
		    false, 1 },
		{ { "sendmail", "--frobnicate" }, EX_USAGE, 0, false, false,
		    0 },
		{ { "sendmail", "--port", "0" }, EX_USAGE, 0, false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arguments a;

		assert_int_equal(parse(&a, cases[i].words), cases[i].status);
		if (cases[i].status == -1) {
			assert_int_equal(a.mode, cases[i].mode);
			assert_int_equal(a.dot_is_text, cases[i].dots);
			assert_int_equal(a.from_header, cases[i].header);
			assert_int_equal(a.rcpts.count, cases[i].rcpts);
		}
		arguments_finish(&a);
	}
}

/* RFC 3461, 4.4 */
static void
dsn_is_asked_for_as_on_the_wire(void **state)
{
	static const char *const words[] = { "sendmail", "-Nfailure", "-Rfull",
		"-V", "a+b=c d", NULL };
	struct arguments a;

	(void)state;
	assert_int_equal(parse(&a, words), -1);
	assert_string_equal(a.notify, "failure");
	assert_string_equal(a.ret, "FULL");
	assert_string_equal(a.envid, "a+2Bb+3Dc+20d");
	arguments_finish(&a);
}

/* O5: smtpout completes them: it knows its mail name. */
static void
addresses_in_the_header_stay(void **state)
{
	static const char *const cases[] = {
		"From: root (Cron Daemon)\r\nTo: root\r\n\r\nx\r\n",
		"From: a@b.example\r\nCc: \"J, K\" <joe>,\r\n\tann\r\n\r\n",
		"From: Ann Lee\r\nTo: (\r\n\r\nx\r\n",
	};
	char out[1024], rcpts[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct message_wants wants = { .from = "me" };

		assert_int_equal(read_text(cases[i], strlen(cases[i]), &wants,
				     out, sizeof(out), rcpts),
		    0);
		assert_string_equal(out, cases[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_made_fit),
		cmocka_unit_test(recipients_come_from_the_header),
		cmocka_unit_test(names_are_written_as_they_may_stand),
		cmocka_unit_test(addresses_in_the_header_stay),
		cmocka_unit_test(old_command_lines_are_understood),
		cmocka_unit_test(dsn_is_asked_for_as_on_the_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
