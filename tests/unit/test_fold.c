/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "grammar/fold.h"

#include "test.h"

/* 60 letters, and 18 more make a full line. */
#define SIXTY    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
#define EIGHTEEN "gggggggggghhhhhhhh"

struct out {
	struct smtpd_text text;
	size_t calls;
	size_t fail_at; /* 0: never */
	char buf[8192];
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

static void
begin(struct smtpd_fold *f, struct out *o)
{
	smtpd__text_init(&o->text, o->buf, sizeof(o->buf));
	o->calls = 0;
	o->fail_at = 0;
	smtpd__fold_init(f, "  ", take, o);
}

/* RFC 5322, 2.1.1 */
static void
words_are_wrapped(void **state)
{
	static const struct {
		const char *add;
		const char *words;
		const char *out;
	} cases[] = {
		{ "", "", "\r\n" },
		{ "", "a", "a\r\n" },
		{ "A:", "b c", "A: b c\r\n" },
		{ "A:", " b \t c\r\n", "A: b c\r\n" },
		{ "A:", " \r\n ", "A:\r\n" },
		{ "  ", "b", "  b\r\n" },
		{ "", SIXTY " " EIGHTEEN, SIXTY "\r\n  " EIGHTEEN "\r\n" },
		{ "A:", SIXTY " hhhhhhhhhhhhhh i",
		    "A: " SIXTY " hhhhhhhhhhhhhh\r\n  i\r\n" },
		{ "", SIXTY EIGHTEEN "i", SIXTY EIGHTEEN "i\r\n" },
		{ "A:", SIXTY EIGHTEEN " i",
		    "A:\r\n  " SIXTY EIGHTEEN "\r\n  i\r\n" },
		{ "A:", "\001b\177 \303\244", "A: ?b? ??\r\n" },
		{ "A:", "b\vc\fd", "A: b?c?d\r\n" },
		{ "A\r\nB: c\t\200", "", "A??B: c??\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_fold f;
		struct out o;

		begin(&f, &o);
		smtpd__fold_add(&f, cases[i].add);
		smtpd__fold_words(&f, cases[i].words);
		smtpd__fold_end(&f);
		assert_string_equal(o.buf, cases[i].out);
		assert_false(f.failed);
	}
}

/* The longest line, and whether all of them end. */
static size_t
longest_line(const char *s)
{
	size_t longest = 0;

	while (*s != '\0') {
		const char *end = strstr(s, "\r\n");

		assert_non_null(end);
		if ((size_t)(end - s) > longest)
			longest = (size_t)(end - s);
		s = end + 2;
	}
	return longest;
}

/* RFC 5322, 2.1.1 */
static void
no_line_is_too_long(void **state)
{
	char letters[3001];
	struct smtpd_fold f;
	struct out o;

	(void)state;
	memset(letters, 'a', 3000);
	for (size_t len = 900; len <= 3000; len += 50) {
		letters[len] = '\0';
		begin(&f, &o);
		smtpd__fold_add(&f, "A:");
		smtpd__fold_words(&f, letters);
		smtpd__fold_words(&f, "b");
		smtpd__fold_end(&f);
		assert_true(longest_line(o.buf) <= SMTPD_FOLD_MAX);
		begin(&f, &o);
		smtpd__fold_add(&f, letters);
		smtpd__fold_add(&f, "b");
		smtpd__fold_words(&f, "c");
		smtpd__fold_end(&f);
		assert_true(longest_line(o.buf) <= SMTPD_FOLD_MAX);
		letters[len] = 'a';
	}
}

static void
over_long_words_lose_nothing(void **state)
{
	/* The second one looks as if it were within one character. */
	static const char each[] = "a\x80", shown[] = "a?";
	char letters[3001];
	struct smtpd_fold f;
	struct out o;

	(void)state;
	for (int i = 0; i < 2; i++) {
		size_t n = 0;

		memset(letters, each[i], 3000);
		letters[3000] = '\0';
		begin(&f, &o);
		smtpd__fold_words(&f, letters);
		smtpd__fold_end(&f);
		for (const char *at = o.buf; *at != '\0'; at++)
			n += *at == shown[i];
		assert_int_equal(n, 3000);
		assert_int_equal(longest_line(o.buf), SMTPD_FOLD_MAX);
	}
}

static void
after_a_failure_nothing_is_written(void **state)
{
	struct smtpd_fold f;
	struct out o;

	(void)state;
	begin(&f, &o);
	o.fail_at = 2;
	smtpd__fold_words(&f, SIXTY " " SIXTY " " SIXTY " " SIXTY);
	smtpd__fold_end(&f);
	assert_true(f.failed);
	assert_int_equal(o.calls, 2);
	assert_string_equal(o.buf, SIXTY "\r\n");
}

/* RFC 6531, 3.7.3: In UTF-8 characters stay, and none is cut in two. */
static void
characters_stay_whole(void **state)
{
	char word[2 * 1000 + 1];
	struct smtpd_fold f;
	struct out o;

	(void)state;
	begin(&f, &o);
	f.utf8 = true;
	smtpd__fold_words(&f, "\303\244 \303 \302\205");
	smtpd__fold_end(&f);
	assert_string_equal(o.buf, "\303\244 ? ?\r\n");
	begin(&f, &o);
	f.utf8 = true;
	smtpd__fold_add(&f, "a");
	for (size_t i = 0; i < 500; i++)
		smtpd__fold_add(&f, "\303\244");
	smtpd__fold_end(&f);
	assert_int_equal(o.text.len, 1 + 2 * 498 + 2);
	for (size_t i = 0; i < 1000; i++)
		memcpy(word + 2 * i, "\303\244", 3);
	begin(&f, &o);
	f.utf8 = true;
	smtpd__fold_word(&f, word);
	smtpd__fold_end(&f);
	assert_null(strchr(o.buf, '?'));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_wrapped),
		cmocka_unit_test(no_line_is_too_long),
		cmocka_unit_test(characters_stay_whole),
		cmocka_unit_test(over_long_words_lose_nothing),
		cmocka_unit_test(after_a_failure_nothing_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
