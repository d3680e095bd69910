/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "grammar/header_info.h"

#include "test.h"

static void
add_pieces(struct smtpd_header_info *f, struct smtpd_fields *fields,
    const char *data, size_t len)
{
	struct smtpd_piece p;

	while (smtpd__fields_next(fields, &data, &len, &p) != SMTPD_FIELDS_NONE)
		smtpd__header_info_add(f, &p);
}

/* Look at LEN bytes at DATA in blocks of BLOCK bytes. */
static void
look(struct smtpd_header_info *f, const char *data, size_t len, size_t block)
{
	struct smtpd_fields fields;

	smtpd__fields_init(&fields);
	smtpd__header_info_init(f);
	for (size_t at = 0; at < len; at += block)
		add_pieces(
		    f, &fields, data + at, len - at < block ? len - at : block);
	smtpd__fields_close(&fields);
	add_pieces(f, &fields, "", 0);
	smtpd__header_info_end(f);
}

/* RFC 5322, 3.6.4 */
static void
message_ids_are_remembered(void **state)
{
	static const struct {
		const char *data;
		bool there;
		const char *id;
	} cases[] = {
		{ "", false, "" },
		{ "Message-ID: <a@b>\r\n\r\n", true, "<a@b>" },
		{ "Message-ID: <a@b>\r\n", true, "<a@b>" },
		{ "Message-ID: <a@b>", true, "<a@b>" },
		{ "message-id:<a@b>\r\n", true, "<a@b>" },
		{ "MESSAGE-ID :\r\n\t<a@b>\r\n", true, "<a@b>" },
		{ "Message-ID: (x) <a@b> (y)\r\n", true, "<a@b>" },
		{ "Message-ID: <a@b>\r\nMessage-ID: <c@d>\r\n", true, "<a@b>" },
		{ "Message-ID: x\r\nMessage-ID: <c@d>\r\n", true, "<c@d>" },
		{ "Message-ID:\r\n", true, "" },
		{ "Message-ID: a@b\r\n", true, "" },
		{ "Message-ID: <>\r\n", true, "" },
		{ "Message-ID: <a@b\r\n", true, "" },
		{ "Message-ID: <a b>\r\n", true, "" },
		{ "Message-ID: <a\r\n b>\r\n", true, "" },
		{ "Message-ID: <a<b>\r\n", true, "" },
		{ "Message-ID: <a\303\244@b>\r\n", true, "" },
		{ "Message-ID: <a\rb>\r\n", true, "" },
		{ "X-Message-ID: <a@b>\r\n", false, "" },
		{ "Message-IDs: <a@b>\r\n", false, "" },
		{ "A: b\r\n Message-ID: <a@b>\r\n", false, "" },
		{ "\r\nMessage-ID: <a@b>\r\n", false, "" },
		{ "hello\r\nMessage-ID: <a@b>\r\n", false, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].data);

		for (size_t block = 1; block <= len + 1; block++) {
			struct smtpd_header_info f;

			look(&f, cases[i].data, len, block);
			assert_int_equal(f.message_id, cases[i].there);
			assert_string_equal(f.id, cases[i].id);
		}
	}
}

static void
over_long_ids_are_no_ids(void **state)
{
	char data[SMTPD_MESSAGE_ID_MAX + 100] = "Message-ID: <";
	size_t begin = strlen("Message-ID: ");
	struct smtpd_header_info f;

	(void)state;
	memset(data + begin + 1, 'a', SMTPD_MESSAGE_ID_MAX);
	/* The space before it counts as well. */
	data[begin + SMTPD_MESSAGE_ID_MAX - 2] = '>';
	look(&f, data, begin + SMTPD_MESSAGE_ID_MAX - 1, 7);
	assert_int_equal(strlen(f.id), SMTPD_MESSAGE_ID_MAX - 1);
	data[begin + SMTPD_MESSAGE_ID_MAX - 2] = 'a';
	data[begin + SMTPD_MESSAGE_ID_MAX - 1] = '>';
	look(&f, data, begin + SMTPD_MESSAGE_ID_MAX, 7);
	assert_string_equal(f.id, "");
	assert_true(f.message_id);
}

/* S31: what a report calls the message. */
static void
subject_and_date_are_remembered(void **state)
{
	static const char data[] = "subject:  a\r\n b \r\nSubject: c\r\n"
				   "Date: today\r\n\r\nDate: body\r\n";
	static const char bare[] = "Subject:\r\nDate: \r\n";
	char longer[SMTPD_SUBJECT_MAX + 100] = "Subject: ";
	struct smtpd_header_info f;

	(void)state;
	for (size_t block = 1; block < sizeof(data); block++) {
		look(&f, data, sizeof(data) - 1, block);
		assert_string_equal(f.subject, "a\r b");
		assert_string_equal(f.date_text, "today");
	}
	look(&f, bare, sizeof(bare) - 1, 3);
	assert_string_equal(f.subject, "");
	assert_string_equal(f.date_text, "");
	assert_true(f.date);
	memset(longer + 9, 'x', sizeof(longer) - 9);
	look(&f, longer, sizeof(longer), 7);
	assert_int_equal(strlen(f.subject), SMTPD_SUBJECT_MAX);
}

/* RFC 3834, 5 */
static void
programs_and_lists_are_known(void **state)
{
	static const struct {
		const char *data;
		bool automatic;
	} cases[] = {
		{ "Subject: bulk\r\n", false },
		{ "Auto-Submitted: no\r\n", false },
		{ "Auto-Submitted: NO (human)\r\n", false },
		{ "Auto-Submitted: no; x=y\r\n", false },
		{ "Auto-Submitted:\r\n", false },
		{ "Auto-Submitted: auto-generated\r\n", true },
		{ "auto-submitted:auto-replied; owner=x\r\n", true },
		{ "Auto-Submitted:\r\n auto-notified\r\n", true },
		{ "Auto-Submitted: none\r\n", true },
		{ "Precedence: bulk\r\n", true },
		{ "Precedence: LIST\r\n", true },
		{ "Precedence: junk\r\n", true },
		{ "Precedence: first-class\r\n", false },
		{ "Precedence: bulky\r\n", false },
		{ "List-Id: <a.b>\r\n", true },
		{ "List-Unsubscribe: <mailto:a@b>\r\n", true },
		{ "LIST-POST: NO\r\n", true },
		{ "Listing: a\r\n", false },
		{ "List-: a\r\n", false },
		{ "X-List-Id: a\r\n", false },
		{ "Precedence: bulk\r\nPrecedence: first\r\n", true },
		{ "\r\nPrecedence: bulk\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].data);

		for (size_t block = 1; block <= len; block++) {
			struct smtpd_header_info f;

			look(&f, cases[i].data, len, block);
			if (f.automatic != cases[i].automatic)
				fail_msg("%s", cases[i].data);
		}
	}
}

static void
dates_and_eight_bits_are_seen(void **state)
{
	static const struct {
		const char *data;
		bool date, header, any;
	} cases[] = {
		{ "Date: now\r\n\r\n", true, false, false },
		{ "Resent-Date: now\r\n\r\n", false, false, false },
		{ "Date\r\n\r\n", false, false, false },
		{ "A: \303\244\r\n\r\n", false, true, true },
		{ "A: b\r\n \200\r\n\r\n", false, true, true },
		{ "A: b\r\n\r\n\377\r\n", false, false, true },
		{ "A: b\r\n\303\244: c\r\n", false, false, true },
		{ "A: \177\r\n\r\n\177\r\n", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].data);

		for (size_t block = 1; block <= len; block++) {
			struct smtpd_header_info f;

			look(&f, cases[i].data, len, block);
			assert_int_equal(f.date, cases[i].date);
			assert_int_equal(f.eight_bit_header, cases[i].header);
			assert_int_equal(f.eight_bit, cases[i].any);
		}
	}
}

/* RFC 5321, 4.5.3.1.6: 998 octets; there may be no line that is longer where
 * none is seen. */
static void
long_lines_of_the_body_are_seen(void **state)
{
	static const struct {
		size_t header, first, second;
		bool lines;
	} cases[] = {
		{ 10, 500, 500, false },
		{ 2000, 10, 10, false },
		{ 10, 997, 997, false },
		{ 10, 999, 10, true },
		{ 10, 10, 999, true },
		{ 2000, 10, 999, true },
	};
	static char data[5000];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int len = snprintf(data, sizeof(data),
		    "A: %0*d\r\n\r\n%0*d\r\n%0*d\r\n", (int)cases[i].header, 1,
		    (int)cases[i].first, 2, (int)cases[i].second, 3);

		for (size_t block = 1; block <= (size_t)len;
		    block += 1 + block / 2) {
			struct smtpd_header_info f;

			look(&f, data, (size_t)len, block);
			assert_int_equal(f.long_lines, cases[i].lines);
		}
	}
}

/* RFC 8689, 3: how many there are, and whether it says "No", in any case. */
static void
tls_required_is_seen(void **state)
{
	static const struct {
		const char *data;
		unsigned count;
		bool no;
	} cases[] = {
		{ "TLS-Required: No\r\n\r\n", 1, true },
		{ "tls-required:no \r\n\r\n", 1, true },
		{ "TLS-Required:\r\n No\r\n\r\n", 1, true },
		{ "TLS-Required: No (please)\r\n\r\n", 1, true },
		{ "TLS-Required: Nothing\r\n\r\n", 1, false },
		{ "TLS-Required: Yes\r\n\r\n", 1, false },
		{ "TLS-Required:\r\n\r\n", 1, false },
		{ "TLS-Required: No\r\nTLS-Required: No\r\n\r\n", 2, true },
		{ "X: y\r\n\r\nTLS-Required: No\r\n", 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t block = 1; block < 40; block += 3) {
			struct smtpd_header_info f;

			look(&f, cases[i].data, strlen(cases[i].data), block);
			assert_int_equal(f.tls_required, cases[i].count);
			assert_int_equal(f.tls_not_required, cases[i].no);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_ids_are_remembered),
		cmocka_unit_test(over_long_ids_are_no_ids),
		cmocka_unit_test(subject_and_date_are_remembered),
		cmocka_unit_test(programs_and_lists_are_known),
		cmocka_unit_test(dates_and_eight_bits_are_seen),
		cmocka_unit_test(long_lines_of_the_body_are_seen),
		cmocka_unit_test(tls_required_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
