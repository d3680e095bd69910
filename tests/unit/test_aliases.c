/* SPDX-License-Identifier: MIT */
#include "aliases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "test.h"

static const char *const names[] = { "h.example", "localhost", NULL };
static char path[] = "/tmp/test_aliases.XX"
		     "XX"
		     "XX";
static char list[sizeof(path) + 8];

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int
setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd == -1)
		return -1;
	snprintf(list, sizeof(list), "%s.list", path);
	return close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	unlink(list);
	return unlink(path);
}

static void
aliases_lead_to_their_ends(void **state)
{
	static const struct {
		const char *text, *key, *ends;
	} cases[] = {
		{ "root: ann@x.example\n", "root", "ann@x.example " },
		{ "Root : ann@x.example", "root", "ann@x.example " },
		{ "root: a@x.example\n", "ann", NULL },
		{ "", "root", NULL },
		{ "# root: no\n\n  \nroot:a@x.example,b,\n # no\n"
		  "\tc@y.example\n",
		    "root", "a@x.example b c@y.example " },
		{ "root: ann\nann: a@x.example, bob\nbob: b@x.example\n",
		    "root", "a@x.example b@x.example " },
		/* Who is named by the own alias, or behind a backslash, is no
		 * alias. */
		{ "ann: ann, a@x.example\n", "ann", "ann a@x.example " },
		{ "root: \\ann\nann: a@x.example\n", "root", "ann " },
		{ "root: ann@H.example, bob@LOCALHOST\nbob: b@x.example\n",
		    "root", "ann b@x.example " },
		{ "root@h.example: a@x.example\n", "root", "a@x.example " },
		{ "\"a:b\": c@x.example, \"d, e\"@x.example\n", "a:b",
		    "c@x.example \"d, e\"@x.example " },
		{ "*: a@x.example\n", "*", "a@x.example " },
		{ "staff: :include:LIST, c\n", "staff",
		    "a@x.example b d@x.example c " },
	};

	(void)state;
	write_file(list, "# people\na@x.example\nb, d@x.example\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *at = strstr(cases[i].text, "LIST");
		char text[512], ends[512] = "", why[256] = "";
		const struct text_list *found;
		struct aliases *a;
		int status = 0;

		if (at != NULL)
			snprintf(text, sizeof(text), "%.*s%s%s",
			    (int)(at - cases[i].text), cases[i].text, list,
			    at + 4);
		write_file(path, at != NULL ? text : cases[i].text);
		a = aliases_read(
		    path, names, NULL, NULL, &status, why, sizeof(why));
		if (a == NULL)
			fail_msg("%zu: %s", i, why);
		found = aliases_find(a, cases[i].key);
		for (size_t k = 0; found != NULL && k < found->count; k++)
			snprintf(ends + strlen(ends),
			    sizeof(ends) - strlen(ends), "%s ",
			    found->items[k]);
		assert_int_equal(found != NULL, cases[i].ends != NULL);
		if (cases[i].ends != NULL)
			assert_string_equal(ends, cases[i].ends);
		aliases_destroy(a);
	}
}

static void
mistakes_are_named_with_their_line(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "a: b@x.example\n\nroot\n", ":3: no \":\" behind the name" },
		{ "root:\n",
		    ":1: nobody gets the mail of the alias: \"root\"" },
		{ "root: |/bin/x\n", ":1: no mail goes to a program" },
		{ "root: a@x.example,\n \"|/bin/x y, z\"\n",
		    ":1: no mail goes to a program: name an address: "
		    "\"|/bin/x y, z\"" },
		{ "a: b\nroot: /var/mail/x\n", ":2: no mail goes to a file" },
		{ "root: a b\n", ":1: not an address: \"a b\"" },
		{ "root: a@@b\n", ":1: not an address: \"a@@b\"" },
		{ "root: :fail:no\n", ":1: not an address: \":fail:no\"" },
		{ "a@x.example: b\n", ":1: not a local name: \"a@x.example\"" },
		{ "a: b\nc: d\nA: e\n",
		    ":3: there is such an alias already: \"a\"" },
		{ "a: b\nb: c\nc: a\n", "the alias leads back to itself" },
		{ "a: :include:x\n",
		    ":1: the path of a list begins with \"/\": \"x\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char why[256] = "";
		int status = 0;

		write_file(path, cases[i].text);
		assert_null(aliases_read(
		    path, names, NULL, NULL, &status, why, sizeof(why)));
		assert_int_equal(status, EX_CONFIG);
		if (strstr(why, cases[i].why) == NULL)
			fail_msg("%zu: %s", i, why);
	}
}

/* Count what is left out. */
static void
count_skipped(void *user, const char *why)
{
	assert_true(strlen(why) > 0);
	++*(int *)user;
}

/* What is wrong costs only that. */
static void
mistakes_can_be_left_out(void **state)
{
	static const struct {
		const char *key, *ends;
	} cases[] = {
		{ "root", "ann@x.example " },
		{ "nobody", NULL },
		{ "empty", NULL },
		{ "twice", "first@x.example " },
		{ "b", "bob@x.example " },
		{ "c", NULL },
		{ "list", "ann@x.example " },
	};
	struct aliases *a;
	char why[256] = "";
	int status = 0, skipped = 0;

	(void)state;
	write_file(path,
	    "root: |/bin/x, ann@x.example, /dev/null\n"
	    "nobody: /dev/null\nempty:\nno colon\na@else.example: b\n"
	    "twice: first@x.example\ntwice: second@x.example\n"
	    "b: c, bob@x.example\nc: b\n"
	    "list: :include:/nonexistent/x, ann@x.example\n");
	a = aliases_read(
	    path, names, count_skipped, &skipped, &status, why, sizeof(why));
	if (a == NULL)
		fail_msg("%s", why);
	assert_int_equal(status, 0);
	assert_int_equal(skipped, 10);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct text_list *found = aliases_find(a, cases[i].key);
		char ends[128] = "";

		assert_int_equal(found != NULL, cases[i].ends != NULL);
		for (size_t k = 0; found != NULL && k < found->count; k++)
			snprintf(ends + strlen(ends),
			    sizeof(ends) - strlen(ends), "%s ",
			    found->items[k]);
		if (found != NULL)
			assert_string_equal(ends, cases[i].ends);
	}
	aliases_destroy(a);
	/* There are none where the file cannot be read. */
	assert_null(aliases_read("/nonexistent/aliases", names, count_skipped,
	    &skipped, &status, why, sizeof(why)));
	assert_int_equal(status, EX_NOINPUT);
}

static void
what_cannot_be_read_is_told(void **state)
{
	char why[256] = "", text[128];
	int status = 0;

	(void)state;
	assert_null(aliases_read("/nonexistent/aliases", names, NULL, NULL,
	    &status, why, sizeof(why)));
	assert_int_equal(status, EX_NOINPUT);
	assert_non_null(strstr(why, "/nonexistent/aliases: No such file"));
	write_file(path, "a: :include:/nonexistent/list\n");
	assert_null(
	    aliases_read(path, names, NULL, NULL, &status, why, sizeof(why)));
	assert_int_equal(status, EX_NOINPUT);
	assert_non_null(strstr(why, "/nonexistent/list: No such file"));
	write_file(list, "a@x.example\n:include:/etc/passwd\n");
	snprintf(text, sizeof(text), "a: :include:%s\n", list);
	write_file(path, text);
	assert_null(
	    aliases_read(path, names, NULL, NULL, &status, why, sizeof(why)));
	assert_int_equal(status, EX_CONFIG);
	assert_non_null(strstr(why, ".list:2: a list that is included"));
}

/* As many as are documented, and no more. */
static void
numbers_are_bounded(void **state)
{
	static const struct {
		int count;
		bool chain, good;
	} cases[] = {
		{ 10000, false, true },
		{ 10001, false, false },
		{ 100, true, true },
		{ 101, true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		FILE *file = fopen(path, "w");
		char why[256] = "";
		struct aliases *a;
		int status = 0;

		assert_non_null(file);
		if (!cases[i].chain)
			fputs("all: ", file);
		for (int k = 0; k < cases[i].count; k++)
			fprintf(file,
			    cases[i].chain ? "a%03d: a%03d\n"
					   : "u%d@x%d.example,\n ",
			    k, k + 1);
		assert_int_equal(fclose(file), 0);
		a = aliases_read(
		    path, names, NULL, NULL, &status, why, sizeof(why));
		if ((a != NULL) != cases[i].good)
			fail_msg("%zu: %s", i, why);
		aliases_destroy(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aliases_lead_to_their_ends),
		cmocka_unit_test(mistakes_are_named_with_their_line),
		cmocka_unit_test(mistakes_can_be_left_out),
		cmocka_unit_test(what_cannot_be_read_is_told),
		cmocka_unit_test(numbers_are_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
