/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "grammar/fields.h"

#include "test.h"

/* What the parts are written as: a loaded before the bytes of each. */
static const char letters[] = {
	[SMTPD_FIELDS_NONE] = '-',
	[SMTPD_FIELDS_NAME] = 'N',
	[SMTPD_FIELDS_VALUE] = 'V',
	[SMTPD_FIELDS_END] = 'E',
	[SMTPD_FIELDS_BODY] = 'B',
};

static const struct {
	const char *data;
	const char *parts; /* pieces of one part that follow each other are
	                    * written as one, but for names */
} cases[] = {
	{ "", "" },
	{ "\r\n", "[E\r\n]" },
	{ "\n", "[E\n]" },
	{ "\r\nA: b\r\n", "[E\r\n][BA: b\r\n]" },
	{ "A: b\r\n\r\nc\r\n", "[NA:][V b\r\n][E\r\n][Bc\r\n]" },
	{ "A: b\n\nc\n", "[NA:][V b\n][E\n][Bc\n]" },
	{ "A:\r\nB:\r\n", "[NA:][V\r\n][NB:][V\r\n]" },
	{ "A: b\r\n c\r\n\td\r\nE: f\r\n",
	    "[NA:][V b\r\n c\r\n\td\r\n][NE:][V f\r\n]" },
	{ "A: b\r\n \r\nc\r\n", "[NA:][V b\r\n \r\n][E][Bc\r\n]" },
	{ "A \t: b\r\n", "[NA \t:][V b\r\n]" },
	{ "A b: c\r\n", "[E][BA b: c\r\n]" },
	{ ": b\r\n", "[E][B: b\r\n]" },
	{ " A: b\r\n", "[E][B A: b\r\n]" },
	{ "A\r\n: b\r\n", "[E][BA\r\n: b\r\n]" },
	{ "A: b\r\nhello\r\nC: d\r\n",
	    "[NA:][V b\r\n][E][Bhello\r\nC: d\r\n]" },
	{ "A: b\r\n\r\r\n", "[NA:][V b\r\n][E][B\r\r\n]" },
	{ "A: b\r\n\rC: d\r\n", "[NA:][V b\r\n][E][B\rC: d\r\n]" },
	{ "A: b\rC: d\r\n", "[NA:][V b\rC: d\r\n]" },
	{ "From a Mon Jan  1\r\nA: b\r\n",
	    "[E][BFrom a Mon Jan  1\r\nA: b\r\n]" },
	{ "N\303\244me: b\r\n", "[E][BN\303\244me: b\r\n]" },
	{ "A: b", "[NA:][V b]" },
	{ "A:", "[NA:]" },
	{ "A", "[E][BA]" },
	{ "A ", "[E][BA ]" },
	{ "A: b\r\n\r", "[NA:][V b\r\n][E][B\r]" },
	{ "A::b\r\n", "[NA:][V:b\r\n]" },
};

struct written {
	struct smtpd_text text;
	char part; /* that was written last */
	char buf[2048];
};

static void
write_pieces(
    struct written *w, struct smtpd_fields *f, const char *data, size_t len)
{
	struct smtpd_piece p;

	while (smtpd__fields_next(f, &data, &len, &p) != SMTPD_FIELDS_NONE) {
		char loaded = letters[p.part];

		assert_true(p.len > 0 || p.part == SMTPD_FIELDS_END);
		if (loaded != w->part || loaded == 'N') {
			if (w->part != '\0')
				smtpd__text_byte(&w->text, ']');
			smtpd__text_byte(&w->text, '[');
			smtpd__text_byte(&w->text, loaded);
		}
		w->part = loaded;
		smtpd__text_bytes(&w->text, p.data, p.len);
	}
	assert_int_equal(len, 0);
}

/* Divide DATA, given in blocks of BLOCK bytes. */
static void
divide(struct written *w, const char *data, size_t block)
{
	struct smtpd_fields f;
	size_t len = strlen(data);

	smtpd__text_init(&w->text, w->buf, sizeof(w->buf));
	w->part = '\0';
	smtpd__fields_init(&f);
	while (len > 0) {
		size_t n = len < block ? len : block;
		char *copy = test_malloc(n);

		memcpy(copy, data, n);
		write_pieces(w, &f, copy, n);
		test_free(copy);
		data += n;
		len -= n;
	}
	smtpd__fields_close(&f);
	write_pieces(w, &f, NULL, 0);
	if (w->part != '\0')
		smtpd__text_byte(&w->text, ']');
}

/* RFC 5322, 2.1; RFC 5322, 2.2; RFC 5322, 3.6.8; RFC 5322, 4.5 */
static void
messages_are_divided_whatever_their_blocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t block = 1; block <= strlen(cases[i].data) + 1;
		    block++) {
			struct written w;

			divide(&w, cases[i].data, block);
			assert_string_equal(w.buf, cases[i].parts);
		}
	}
}

/* A name of LEN letters. */
static void
name_of(char *buf, size_t len)
{
	memset(buf, 'a', len);
	memcpy(buf + len, ": b\r\n", 6);
}

static void
names_are_bounded(void **state)
{
	char data[SMTPD_FIELD_NAME_MAX + 100];
	struct written w;

	(void)state;
	for (size_t block = 1; block < sizeof(data); block += 50) {
		name_of(data, SMTPD_FIELD_NAME_MAX - 1);
		divide(&w, data, block);
		assert_memory_equal(w.buf, "[Na", 3);
		assert_non_null(strstr(w.buf, "a:][V b\r\n]"));
		name_of(data, SMTPD_FIELD_NAME_MAX);
		divide(&w, data, block);
		assert_memory_equal(w.buf, "[E][Ba", 6);
		assert_non_null(strstr(w.buf, "a: b\r\n]"));
	}
}

static void
names_are_told_without_white_space(void **state)
{
	const struct smtpd_piece p = { SMTPD_FIELDS_NAME, "Date \t :", 8 };
	const struct smtpd_piece q = { SMTPD_FIELDS_NAME, "A:", 2 };

	(void)state;
	assert_int_equal(smtpd__fields_name_len(&p), 4);
	assert_int_equal(smtpd__fields_name_len(&q), 1);
}

static void
nul_is_no_part_of_a_name(void **state)
{
	static const char data[] = "A\0: b\r\n";
	struct smtpd_fields f;
	struct smtpd_piece p;
	const char *at = data;
	size_t len = sizeof(data) - 1;

	(void)state;
	smtpd__fields_init(&f);
	assert_int_equal(
	    smtpd__fields_next(&f, &at, &len, &p), SMTPD_FIELDS_END);
	assert_int_equal(
	    smtpd__fields_next(&f, &at, &len, &p), SMTPD_FIELDS_BODY);
	assert_int_equal(p.len, 1);
	assert_int_equal(
	    smtpd__fields_next(&f, &at, &len, &p), SMTPD_FIELDS_BODY);
	assert_int_equal(p.len, 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_divided_whatever_their_blocks),
		cmocka_unit_test(names_are_bounded),
		cmocka_unit_test(names_are_told_without_white_space),
		cmocka_unit_test(nul_is_no_part_of_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
