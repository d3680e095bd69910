/* SPDX-License-Identifier: MIT */
/*
 * The table of replies.  Run it to see the whole of it; it proves that each has
 * the form that RFC 5321, 4.2 and RFC 2034 ask for.
 */
#include "server/replies.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

static void
every_reply_is_valid_and_has_a_name_of_its_own(void **state)
{
	struct smtpd_replies r;

	(void)state;
	smtpd__replies_init(&r);
	for (size_t i = 0; i < SMTPD_REPLY_NONE; i++) {
		const struct smtpd_reply_text *one = &r.list[i];

		if (one->name == NULL)
			fail_msg("reply %zu is not in the table", i);
		printf("%-21s %d %s%s%s\n", one->name, one->code, one->enhanced,
		    one->enhanced[0] != '\0' ? " " : "", one->text);
		assert_true(smtpd__reply_is_valid(one->code, one->enhanced));
		assert_true(strlen(one->text) < 100);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(one->name, r.list[k].name);
	}
	smtpd__replies_finish(&r);
}

/* A sentence begins with a capital letter, unless it begins with what is put
 * in, and does not end with a full stop. */
static void
texts_are_in_one_style(void **state)
{
	struct smtpd_replies r;

	(void)state;
	smtpd__replies_init(&r);
	for (size_t i = 0; i < SMTPD_REPLY_NONE; i++) {
		const char *text = r.list[i].text;
		char first = text[0], last = text[strlen(text) - 1];

		if (i != SMTPD_REPLY_SEND_DATA)
			assert_true(last != '.' && last != '!');
		if (first != '{' && (first < 'A' || first > 'Z'))
			fail_msg("%s", text);
	}
	smtpd__replies_finish(&r);
}

static void
the_argument_is_put_in(void **state)
{
	struct smtpd_replies r;
	struct smtpd_reply out;

	(void)state;
	smtpd__replies_init(&r);
	smtpd__replies_write(&r, SMTPD_REPLY_NOT_IMPLEMENTED, "VRFY", &out);
	assert_int_equal(out.code, 502);
	assert_string_equal(out.enhanced, "5.5.1");
	assert_string_equal(out.text, "VRFY not implemented");
	smtpd__replies_write(&r, SMTPD_REPLY_NOT_IMPLEMENTED, NULL, &out);
	assert_string_equal(out.text, " not implemented");
	smtpd__replies_write(&r, SMTPD_REPLY_OK, "%s%n", &out);
	assert_string_equal(out.text, "OK");
	smtpd__replies_write(&r, SMTPD_REPLY_GREETING, "%s%n{}", &out);
	assert_string_equal(out.text, "%s%n{} ESMTP");
	assert_string_equal(out.enhanced, "");
	smtpd__replies_finish(&r);
}

static void
a_text_can_be_translated_but_not_its_codes(void **state)
{
	char too_long[402];
	const char *const wrong[] = { "", "a\nb", "\303\204", "a\r", too_long,
		"{} nein" };
	struct smtpd_replies r;
	struct smtpd_reply out;

	(void)state;
	memset(too_long, 'a', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	smtpd__replies_init(&r);
	assert_int_equal(
	    smtpd__replies_set(&r, "not_implemented", "{} gibt es nicht"), 0);
	assert_int_equal(
	    smtpd__replies_set(&r, "not_implemented", "Nein: {}"), 0);
	assert_int_equal(smtpd__replies_set(&r, "goodbye", too_long + 1), 0);
	assert_int_equal(
	    smtpd__replies_set(&r, "goodbye", "Auf Wiedersehen"), 0);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		errno = 0;
		assert_int_equal(
		    smtpd__replies_set(&r, "goodbye", wrong[i]), -1);
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(smtpd__replies_set(&r, "no_such_reply", "x"), -1);
	assert_int_equal(
	    smtpd__replies_set(&r, "not_implemented", "{} and {}"), -1);
	smtpd__replies_write(&r, SMTPD_REPLY_NOT_IMPLEMENTED, "EXPN", &out);
	assert_int_equal(out.code, 502);
	assert_string_equal(out.text, "Nein: EXPN");
	smtpd__replies_write(&r, SMTPD_REPLY_GOODBYE, NULL, &out);
	assert_string_equal(out.text, "Auf Wiedersehen");
	smtpd__replies_finish(&r);
}

/* What the interface gives is the table with the texts that were set. */
static void
a_program_sees_what_it_set(void **state)
{
	struct smtpd_server *srv = smtpd_server_create(NULL);
	const struct smtpd_reply_text *one;
	size_t n = 0;

	(void)state;
	assert_non_null(srv);
	assert_int_equal(smtpd_server_set_reply_text(srv, "ok", "Ja"), 0);
	assert_int_equal(smtpd_server_set_reply_text(srv, "no", "x"), -1);
	assert_int_equal(errno, EINVAL);
	while ((one = smtpd_server_reply_text(srv, n)) != NULL) {
		if (strcmp(one->name, "ok") == 0)
			assert_string_equal(one->text, "Ja");
		n++;
	}
	assert_int_equal(n, SMTPD_REPLY_NONE);
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_reply_is_valid_and_has_a_name_of_its_own),
		cmocka_unit_test(texts_are_in_one_style),
		cmocka_unit_test(the_argument_is_put_in),
		cmocka_unit_test(a_text_can_be_translated_but_not_its_codes),
		cmocka_unit_test(a_program_sees_what_it_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
