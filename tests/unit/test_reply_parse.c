/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "grammar/reply_parse.h"

#include "test.h"

/* A reply, its lines divided by LF, and what becomes of it. */
static const struct {
	const char *lines;
	enum smtpd_peer_step step;
	int code;
	const char *enhanced;
	const char *text;
} cases[] = {
	{ "250 ok", SMTPD_PEER_DONE, 250, "", "ok" },
	{ "250", SMTPD_PEER_DONE, 250, "", "" },
	{ "250 ", SMTPD_PEER_DONE, 250, "", "" },
	{ "250-", SMTPD_PEER_MORE, 250, "", "" },
	{ "250-a\n250-b\n250 c", SMTPD_PEER_DONE, 250, "", "a b c" },
	{ "250-a\n250", SMTPD_PEER_DONE, 250, "", "a" },
	{ "250- a \n250  b", SMTPD_PEER_DONE, 250, "", "a b" },
	{ "299 new", SMTPD_PEER_DONE, 299, "", "new" },
	{ "354 go on", SMTPD_PEER_DONE, 354, "", "go on" },
	{ "334 AAAA", SMTPD_PEER_DONE, 334, "", "AAAA" },
	/* enhanced codes: the words stay as they were said (S29) */
	{ "250 2.1.5 ok", SMTPD_PEER_DONE, 250, "2.1.5", "2.1.5 ok" },
	{ "550 5.7.1", SMTPD_PEER_DONE, 550, "5.7.1", "5.7.1" },
	{ "550-5.7.1 a\n550 5.7.1 b", SMTPD_PEER_DONE, 550, "5.7.1",
	    "5.7.1 a 5.7.1 b" },
	{ "550-a\n550 5.7.1 b", SMTPD_PEER_DONE, 550, "5.7.1", "a 5.7.1 b" },
	{ "550 5.7.123 x", SMTPD_PEER_DONE, 550, "5.7.123", "5.7.123 x" },
	{ "450 4.123.123 x", SMTPD_PEER_DONE, 450, "4.123.123", "4.123.123 x" },
	{ "550 4.7.1 x", SMTPD_PEER_DONE, 550, "", "4.7.1 x" },
	{ "550 5.7 x", SMTPD_PEER_DONE, 550, "", "5.7 x" },
	{ "550 5.7.x x", SMTPD_PEER_DONE, 550, "", "5.7.x x" },
	{ "550 5.7.1x", SMTPD_PEER_DONE, 550, "", "5.7.1x" },
	{ "550 5.7.1234 x", SMTPD_PEER_DONE, 550, "", "5.7.1234 x" },
	{ "550 5.1234.1 x", SMTPD_PEER_DONE, 550, "", "5.1234.1 x" },
	{ "550 5..1 x", SMTPD_PEER_DONE, 550, "", "5..1 x" },
	{ "550 5.", SMTPD_PEER_DONE, 550, "", "5." },
	{ "354 3.0.0 go", SMTPD_PEER_DONE, 354, "", "3.0.0 go" },
	/* what must not get into a log */
	{ "550 a\tb\x1b[31m\x7f\r", SMTPD_PEER_DONE, 550, "", "a?b?[31m??" },
	{ "550 \xc3\xbc", SMTPD_PEER_DONE, 550, "", "??" },
	/* of several codes the last counts (S30) */
	{ "250-a\n550 b", SMTPD_PEER_DONE, 550, "", "b" },
	{ "220-2.0.0 x ESMTP\n521 5.7.1 blocked", SMTPD_PEER_DONE, 521, "5.7.1",
	    "5.7.1 blocked" },
	/* no replies */
	{ "", SMTPD_PEER_BAD, 0, "", "" },
	{ "25", SMTPD_PEER_BAD, 0, "", "" },
	{ "2500", SMTPD_PEER_BAD, 250, "", "" },
	{ "250x", SMTPD_PEER_BAD, 250, "", "" },
	{ "250\tok", SMTPD_PEER_BAD, 250, "", "" },
	{ " 250 ok", SMTPD_PEER_BAD, 0, "", "" },
	{ "199 x", SMTPD_PEER_BAD, 0, "", "" },
	{ "666 x", SMTPD_PEER_BAD, 0, "", "" },
	{ "000 x", SMTPD_PEER_BAD, 0, "", "" },
	{ "2x0 x", SMTPD_PEER_BAD, 0, "", "" },
	{ "25x x", SMTPD_PEER_BAD, 0, "", "" },
	{ "-25 x", SMTPD_PEER_BAD, 0, "", "" },
	{ "hello", SMTPD_PEER_BAD, 0, "", "" },
	{ "250-a\nb", SMTPD_PEER_BAD, 250, "", "a" },
	{ "HTTP/1.1 400 Bad Request", SMTPD_PEER_BAD, 0, "", "" },
};

static enum smtpd_peer_step
parse(struct smtpd_peer_reply *r, const char *lines)
{
	enum smtpd_peer_step step;
	size_t len;

	smtpd__reply_parse_init(r);
	do {
		len = strcspn(lines, "\n");
		step = smtpd__reply_parse_line(r, lines, len);
		lines += len + 1;
	} while (lines[-1] != '\0' && step == SMTPD_PEER_MORE);
	return step;
}

/* RFC 5321, 4.2; RFC 5321, 4.2.1; RFC 5321, 4.3.2 */
static void
replies_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_peer_reply r;
		enum smtpd_peer_step step = parse(&r, cases[i].lines);

		if (step != cases[i].step || r.code != cases[i].code ||
		    strcmp(r.enhanced, cases[i].enhanced) != 0 ||
		    strcmp(r.text, cases[i].text) != 0)
			fail_msg("\"%s\": %d, %d \"%s\" \"%s\"", cases[i].lines,
			    (int)step, r.code, r.enhanced, r.text);
	}
}

static void
nul_is_refused(void **state)
{
	struct smtpd_peer_reply r;

	(void)state;
	smtpd__reply_parse_init(&r);
	assert_int_equal(
	    smtpd__reply_parse_line(&r, "250 a\0b", 7), SMTPD_PEER_BAD);
	smtpd__reply_parse_init(&r);
	assert_int_equal(
	    smtpd__reply_parse_line(&r, "250\0", 4), SMTPD_PEER_BAD);
}

/* A thousand short lines are a reply; without end they are not. */
static void
all_lines_have_a_bound(void **state)
{
	struct smtpd_peer_reply r;
	size_t lines = 0;

	(void)state;
	smtpd__reply_parse_init(&r);
	while (smtpd__reply_parse_line(&r, "250-twelve octets", 17) ==
	    SMTPD_PEER_MORE)
		lines++;
	assert_int_equal(lines, SMTPD_PEER_REPLY_MAX / 19);
	assert_int_equal(strlen(r.text), SMTPD_PEER_TEXT_SIZE - 1);
	assert_true(lines > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_read),
		cmocka_unit_test(nul_is_refused),
		cmocka_unit_test(all_lines_have_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
