/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "grammar/header_edit.h"

#include "test.h"

#define DATE "Date: Mon, 02 Jan 2006 15:04:05 +0000\r\n"
#define ID   "Message-ID: <new@host>\r\n"
#define BOTH DATE ID

static const struct smtpd_header_wants usual = {
	.date = "Mon, 02 Jan 2006 15:04:05 +0000",
	.message_id = "<new@host>",
};
static const struct smtpd_header_wants bcc = {
	.drop_bcc = true,
	.date = "Mon, 02 Jan 2006 15:04:05 +0000",
	.message_id = "<new@host>",
};
static const struct smtpd_header_wants nothing = { .drop_bcc = false };
static const struct smtpd_header_wants whole = {
	.domains = { .domain = "b.example", .host = "h.b.example" },
};
static const struct smtpd_header_wants hidden = {
	.domains = { .domain = "b.example",
	    .hidden = "example",
	    .host = "h.b.example" },
};

static const struct {
	const struct smtpd_header_wants *wants;
	const char *in;
	const char *out;
} cases[] = {
	/* What is missing is added below the rest. */
	{ &usual, "", BOTH },
	{ &usual, "\r\n", BOTH "\r\n" },
	{ &usual, "A: b\r\n\r\nc\r\n", "A: b\r\n" BOTH "\r\nc\r\n" },
	{ &usual, DATE "\r\nc\r\n", DATE ID "\r\nc\r\n" },
	{ &usual, "message-id: <x>\r\nA: b\r\n\r\n",
	    "message-id: <x>\r\nA: b\r\n" DATE "\r\n" },
	{ &usual, "DATE :x\r\nMESSAGE-ID\t:\r\n\r\nc",
	    "DATE :x\r\nMESSAGE-ID\t:\r\n\r\nc" },
	{ &usual, "A: b\r\n\r\n" DATE, "A: b\r\n" BOTH "\r\n" DATE },
	{ &usual, "A: b\r\n " DATE "\r\n", "A: b\r\n " DATE BOTH "\r\n" },
	{ &usual, "X-Date: b\r\nDates: c\r\n\r\n",
	    "X-Date: b\r\nDates: c\r\n" BOTH "\r\n" },
	{ &nothing, "A: b\r\n\r\nc\r\n", "A: b\r\n\r\nc\r\n" },
	{ &nothing, "", "" },

	/* A header that nothing follows, perhaps cut off. */
	{ &usual, "A: b\r\n", "A: b\r\n" BOTH },
	{ &usual, "A: b", "A: b\r\n" BOTH },
	{ &usual, "A:", "A:\r\n" BOTH },
	{ &nothing, "A: b", "A: b\r\n" },

	/* Where no empty line is, one is made. */
	{ &usual, "hello\r\n", BOTH "\r\nhello\r\n" },
	{ &usual, "hello", BOTH "\r\nhello" },
	{ &usual, "A: b\r\nhello\r\nC: d\r\n",
	    "A: b\r\n" BOTH "\r\nhello\r\nC: d\r\n" },
	{ &usual, " A: b\r\n", BOTH "\r\n A: b\r\n" },
	{ &nothing, "A: b\r\n: c\r\n", "A: b\r\n\r\n: c\r\n" },
	{ &nothing, "A: b\r\n\r", "A: b\r\n\r\n\r" },
	{ &nothing, "A: b\n\nc\n", "A: b\n\r\nc\n" },

	/* Return-Path goes, with all its lines. */
	{ &nothing, "Return-Path: <a>\r\nA: b\r\n\r\nc", "A: b\r\n\r\nc" },
	{ &nothing, "A: b\r\nRETURN-PATH :\r\n\t<a>\r\n b\r\nC: d\r\n\r\n",
	    "A: b\r\nC: d\r\n\r\n" },
	{ &nothing, "Return-Path: <a>\r\n b", "" },
	{ &nothing, "Return-Path: <a>\r\nhello\r\n", "\r\nhello\r\n" },
	{ &nothing, "Return-Paths: <a>\r\nReturn-Pat: b\r\n\r\n",
	    "Return-Paths: <a>\r\nReturn-Pat: b\r\n\r\n" },
	{ &nothing, "A: b\r\n\r\nReturn-Path: <a>\r\n",
	    "A: b\r\n\r\nReturn-Path: <a>\r\n" },

	/* S26: The line of a mailbox, and a byte order mark, are no header. */
	{ &usual, "From a Mon Jan  2\r\nA: b\r\n\r\nFrom c\r\n",
	    "A: b\r\n" BOTH "\r\nFrom c\r\n" },
	{ &nothing, ">From a\r\nA: b\r\n\r\nc", "A: b\r\n\r\nc" },
	{ &nothing,
	    "\xEF\xBB\xBF"
	    "A: b\r\n\r\nc",
	    "A: b\r\n\r\nc" },
	{ &nothing,
	    "\xEF\xBB\xBF"
	    "From a\r\nA: b\r\n",
	    "A: b\r\n" },
	{ &nothing, "\xEF\xBB", "\r\n\xEF\xBB" },
	{ &nothing, "From a", "" },
	{ &nothing, "From: a\r\n", "From: a\r\n" },
	{ &nothing, ">From: a\r\n", ">From: a\r\n" },
	{ &nothing, "From", "\r\nFrom" },
	{ &nothing, "From \nA: b\r\n", "A: b\r\n" },
	{ &nothing, "From : a\r\n", "From : a\r\n" },
	{ &nothing, "From  \t: a\r\n", "From  \t: a\r\n" },
	{ &nothing, "Return-Path: a\r\nFrom : b\r\n", "From : b\r\n" },
	{ &nothing, "A: b\r\nFrom c\r\n", "A: b\r\n\r\nFrom c\r\n" },

	/* Bcc only where that is asked for. */
	{ &nothing, "Bcc: a\r\n b\r\n\r\n", "Bcc: a\r\n b\r\n\r\n" },
	{ &bcc, "To: x\r\nBcc: a,\r\n b\r\nresent-bcc:c\r\nBCC : d\r\n\r\n",
	    "To: x\r\n" BOTH "\r\n" },
	{ &bcc, "Bcc-X: a\r\nCc: b\r\n\r\n",
	    "Bcc-X: a\r\nCc: b\r\n" BOTH "\r\n" },

	/* O5; RFC 6409, 8.5: Addresses without a domain, and in
	 * localhost, get one. */
	{ &whole, "From: root (Cron Daemon)\r\nTo: root\r\n\r\nTo: c\r\n",
	    "From: root@b.example (Cron Daemon)\r\nTo: root@b.example\r\n"
	    "\r\nTo: c\r\n" },
	{ &nothing, "From: root\r\n\r\n", "From: root\r\n\r\n" },
	{ &whole, "Subject: root\r\nX-To: a\r\n\r\n",
	    "Subject: root\r\nX-To: a\r\n\r\n" },
	{ &whole, "Sender:a@LocalHost\r\nReply-To: <c>\r\n",
	    "Sender:a@b.example\r\nReply-To: <c@b.example>\r\n" },
	{ &whole,
	    "Resent-From: a\r\nResent-Sender: a\r\nResent-Reply-To: a\r\n"
	    "Resent-To: a\r\nResent-Cc: a\r\nResent-Bcc: a\r\nBcc: a\r\n",
	    "Resent-From: a@b.example\r\nResent-Sender: a@b.example\r\n"
	    "Resent-Reply-To: a@b.example\r\nResent-To: a@b.example\r\n"
	    "Resent-Cc: a@b.example\r\nResent-Bcc: a@b.example\r\n"
	    "Bcc: a@b.example\r\n" },
	{ &whole,
	    "To: a@c.example, b,\r\n \"x, y\" <d>,\"e f\"\r\nCc: g: h, i@j;k",
	    "To: a@c.example, b@b.example,\r\n \"x, y\" <d@b.example>,"
	    "\"e f\"@b.example\r\nCc: g: h@b.example, i@j;k@b.example\r\n" },
	{ &whole, "To: a (b, (c) \\) d) , <@x,@y:e>, \"f@g\" , h.i . j\r\n",
	    "To: a@b.example (b, (c) \\) d) , <@x,@y:e@b.example>, "
	    "\"f@g\"@b.example , h.i . j@b.example\r\n" },
	{ &whole, "To: a@[192.0.2.1], <>, ,a @ localhost\r\n",
	    "To: a@[192.0.2.1], <>, ,a @ b.example\r\n" },
	/* What is no address, and what has no end, stays. */
	{ &whole, "To: Ann Lee, J. R., a@, @b, a@@b, <a, (b\r\n",
	    "To: Ann Lee, J. R., a@, @b, a@@b, <a, (b\r\n" },
	{ &whole, "To: undisclosed-recipients:;\r\nCc: \"a, b\r\n",
	    "To: undisclosed-recipients:;\r\nCc: \"a, b\r\n" },

	/* Senders are hidden behind another domain, others are not. */
	{ &hidden,
	    "From: A <a@H.b.example>, b, c@B.example, d@c.b.example\r\n"
	    "To: a@h.b.example, b\r\n",
	    "From: A <a@example>, b@example, c@example, d@c.b.example\r\n"
	    "To: a@h.b.example, b@b.example\r\n" },
	{ &whole, "From: a@h.b.example\r\n", "From: a@h.b.example\r\n" },
};

struct out {
	struct smtpd_text text;
	size_t calls;
	size_t fail_at; /* 0: never */
	char buf[4096];
};

static int
take(void *user, const void *data, size_t len)
{
	struct out *o = user;

	assert_true(len > 0);
	if (++o->calls == o->fail_at)
		return -1;
	assert_true(o->fail_at == 0 || o->calls < o->fail_at);
	smtpd__text_bytes(&o->text, data, len);
	return 0;
}

static int
edit(struct smtpd_header_edit *e, const struct smtpd_header_wants *wants,
    struct out *o, const char *data, size_t block)
{
	size_t len = strlen(data);

	smtpd__text_init(&o->text, o->buf, sizeof(o->buf));
	o->calls = 0;
	smtpd__header_edit_init(e, wants, take, o);
	for (size_t at = 0; at < len; at += block) {
		size_t n = len - at < block ? len - at : block;

		if (smtpd__header_edit_feed(e, data + at, n) != 0)
			return -1;
	}
	return smtpd__header_edit_end(e);
}

/* RFC 6409, 8.2; RFC 6409, 8.3; RFC 5321, 4.4 */
static void
headers_are_edited_whatever_their_blocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t block = 1; block <= strlen(cases[i].in) + 1;
		    block++) {
			struct smtpd_header_edit e;
			struct out o = { .fail_at = 0 };

			assert_int_equal(
			    edit(&e, cases[i].wants, &o, cases[i].in, block),
			    0);
			assert_string_equal(o.buf, cases[i].out);
		}
	}
}

static void
the_length_of_the_header_is_told(void **state)
{
	static const struct {
		const char *in;
		uint64_t len;
	} lengths[] = {
		{ "", 0 },
		{ "\r\n", 2 },
		{ "A: b\r\n", 6 },
		{ "A: b", 6 },
		{ "A: b\r\n\r\n", 8 },
		{ "A: b\r\n\r\nhello\r\n", 8 },
		{ "A: b\r\nhello\r\n", 8 },
		{ "Return-Path: x\r\nA: b\r\nhello\r\n", 8 },
		{ "hello\r\n", 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct smtpd_header_edit e;
		struct out o = { .fail_at = 0 };

		edit(&e, &nothing, &o, lengths[i].in, 3);
		assert_int_equal(e.header_len, lengths[i].len);
	}
}

/* An address with more octets around it than are remembered stays. */
static void
a_long_element_passes_as_it_is(void **state)
{
	static char in[4 * SMTPD_ADDRESS_FIELD_MAX];
	struct smtpd_header_edit e;
	struct out o = { .fail_at = 0 };

	(void)state;
	snprintf(
	    in, sizeof(in), "To: a (%*s), b\r\n", SMTPD_ADDRESS_FIELD_MAX, "");
	edit(&e, &whole, &o, in, 7);
	assert_memory_equal(o.buf, in, strlen(in) - 2);
	assert_string_equal(o.buf + strlen(in) - 2, "@b.example\r\n");
}

static void
facts_are_those_of_the_input(void **state)
{
	struct smtpd_header_edit e;
	struct out o = { .fail_at = 0 };

	(void)state;
	edit(&e, &usual, &o, "A: \303\244\r\nPrecedence: bulk\r\n\r\nb\r\n", 1);
	assert_true(e.info.automatic && e.info.eight_bit_header);
	assert_false(e.info.date || e.info.message_id);
	edit(&e, &usual, &o, "Date: x\r\nMessage-ID: <a@b>\r\n\r\n\377\r\n", 9);
	assert_false(e.info.automatic || e.info.eight_bit_header);
	assert_true(e.info.date && e.info.eight_bit);
	assert_string_equal(e.info.id, "<a@b>");
	/* The last field has no end. */
	edit(&e, &usual, &o, "Message-ID: <a@b>", 4);
	assert_string_equal(e.info.id, "<a@b>");
	assert_string_equal(o.buf, "Message-ID: <a@b>\r\n" DATE);
}

static void
after_a_failure_nothing_is_written(void **state)
{
	static const char in[] = "Return-Path: x\r\nA: b\r\n\r\nc\r\nd\r\n";
	struct smtpd_header_edit e;
	struct out o = { .fail_at = 0 };
	size_t calls;

	(void)state;
	assert_int_equal(edit(&e, &usual, &o, in, 5), 0);
	calls = o.calls;
	for (size_t i = 1; i <= calls; i++) {
		o.fail_at = i;
		assert_int_equal(edit(&e, &usual, &o, in, 5), -1);
		assert_int_equal(smtpd__header_edit_feed(&e, "x", 1), -1);
		assert_int_equal(smtpd__header_edit_end(&e), -1);
		assert_int_equal(o.calls, i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_edited_whatever_their_blocks),
		cmocka_unit_test(the_length_of_the_header_is_told),
		cmocka_unit_test(a_long_element_passes_as_it_is),
		cmocka_unit_test(facts_are_those_of_the_input),
		cmocka_unit_test(after_a_failure_nothing_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
