/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "grammar/address_parse.h"

#include "test.h"

/* Repeated ten times, and 63 letters: the longest label. */
#define TEN(s) s s s s s s s s s s
#define LABEL  TEN("abcdef") "abc"

#define UMLAUT "\303\274"

static const struct {
	const char *text;
	const char *local;
	const char *domain;
	bool literal;
} mailboxes[] = {
	{ "a@b", "a", "b", false },
	{ "user@example.org", "user", "example.org", false },
	{ "First.Last@Example.ORG", "First.Last", "Example.ORG", false },
	{ "user+tag@example.org", "user+tag", "example.org", false },
	{ "!#$%&'*+-/=?^_`{|}~@b", "!#$%&'*+-/=?^_`{|}~", "b", false },
	{ "0@1", "0", "1", false },
	{ "a@1.2.3.4", "a", "1.2.3.4", false },
	/* RU2: Domains with "_" send mail and are in the DNS. */
	{ "a@b_c", "a", "b_c", false },
	{ "a@_b.c_", "a", "_b.c_", false },
	{ "a@x-y.z--0", "a", "x-y.z--0", false },
	{ "a@" LABEL ".org", "a", LABEL ".org", false },
	{ "Postmaster@b", "Postmaster", "b", false },
	{ "\"\"@b", "", "b", false },
	{ "\"a\"@b", "a", "b", false },
	{ "\"a b\"@c", "a b", "c", false },
	{ "\"a@b\"@c", "a@b", "c", false },
	{ "\"a.\"@b", "a.", "b", false },
	{ "\">,:;<()[]\"@b", ">,:;<()[]", "b", false },
	{ "\"a\\\"b\"@c", "a\"b", "c", false },
	{ "\"a\\\\\"@c", "a\\", "c", false },
	{ "\"\\a\\ \\~\"@c", "a ~", "c", false },
	{ "a@[0.0.0.0]", "a", "[0.0.0.0]", true },
	{ "a@[255.255.255.255]", "a", "[255.255.255.255]", true },
	{ "a@[001.02.3.044]", "a", "[001.02.3.044]", true },
	{ "a@[IPv6:::]", "a", "[IPv6:::]", true },
	{ "a@[ipV6:::1]", "a", "[ipV6:::1]", true },
	{ "a@[IPv6:1::]", "a", "[IPv6:1::]", true },
	{ "a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]", true },
	{ "a@[IPv6:1:2:3:4:5:6:7:8]", "a", "[IPv6:1:2:3:4:5:6:7:8]", true },
	{ "a@[IPv6:0001:aBcD:EF:4:5:6:7:8]", "a",
	    "[IPv6:0001:aBcD:EF:4:5:6:7:8]", true },
	{ "a@[IPv6:1:2:3::4:5:6]", "a", "[IPv6:1:2:3::4:5:6]", true },
	{ "a@[IPv6:::2:3:4:5:6:7]", "a", "[IPv6:::2:3:4:5:6:7]", true },
	{ "a@[IPv6:1:2:3:4:5:6::]", "a", "[IPv6:1:2:3:4:5:6::]", true },
	{ "a@[IPv6:::ffff:192.0.2.1]", "a", "[IPv6:::ffff:192.0.2.1]", true },
	{ "a@[IPv6:::192.0.2.1]", "a", "[IPv6:::192.0.2.1]", true },
	{ "a@[IPv6:1::192.0.2.1]", "a", "[IPv6:1::192.0.2.1]", true },
	{ "a@[IPv6:1:2::3:4:192.0.2.1]", "a", "[IPv6:1:2::3:4:192.0.2.1]",
	    true },
	{ "a@[IPv6:1:2:3:4:5:6:192.0.2.1]", "a", "[IPv6:1:2:3:4:5:6:192.0.2.1]",
	    true },
};

/* RU3: The text is written as the grammar has it. */
static const struct {
	const char *given;
	const char *text;
	const char *local;
	const char *domain;
} rewritten[] = {
	{ "a..b@c", "\"a..b\"@c", "a..b", "c" },
	{ "a.@b", "\"a.\"@b", "a.", "b" },
	{ ".a@b", "\".a\"@b", ".a", "b" },
	{ ".@b", "\".\"@b", ".", "b" },
	{ "a.b...@b", "\"a.b...\"@b", "a.b...", "b" },
	{ "a@example.com.", "a@example.com", "a", "example.com" },
	{ "a.@b.", "\"a.\"@b", "a.", "b" },
};

static const char *const no_mailboxes[] = {
	"",
	"a",
	"@",
	"a@",
	"@b",
	"a@b@c",
	" a@b",
	"a@b ",
	"a @b",
	"a@ b",
	"a b@c",
	"<a@b>",
	"a@b>",
	"@a:b@c",
	"postmaster",
	"a,b@c",
	"a(b)@c",
	"a\\b@c",
	"a\"b\"@c",
	"\"a\"b@c",
	"\"a\".b@c",
	"\"a@b",
	"\"a\\\"@b",
	"\"a\"b\"@c",
	"\"@c",
	"a@.b",
	"a@b..",
	"a@b..c",
	"a@-b",
	"a@b-",
	"a@b-.c",
	"a@b.-c",
	"a@b!c",
	"a@" LABEL "d",
	"a@[]",
	"a@[",
	"a@[1.2.3.4",
	"a@1.2.3.4]",
	"a@[1.2.3]",
	"a@[1.2.3.4.5]",
	"a@[1.2.3.256]",
	"a@[1.2.3.0004]",
	"a@[1..3.4]",
	"a@[ 1.2.3.4]",
	"a@[1.2.3.4]b",
	"a@[::1]",
	"a@[IPv4:1.2.3.4]",
	"a@[tag:content]",
	"a@[IPv6:]",
	"a@[IPv6::]",
	"a@[IPv6:::1:::]",
	"a@[IPv6:1::2::3]",
	"a@[IPv6::::]",
	"a@[IPv6:1:::2]",
	"a@[IPv6::1:2:3:4:5:6:7:8]",
	"a@[IPv6:1:2:3:4:5:6:7:8:]",
	"a@[IPv6:1:2:3:4:5:6:7]",
	"a@[IPv6:1:2:3:4:5:6:7:]",
	"a@[IPv6:1:2:3:4:5:6:7:8:9]",
	"a@[IPv6:1:2:3:4:5:6:7::]",
	"a@[IPv6:::2:3:4:5:6:7:8]",
	"a@[IPv6:1:2:3::4:5:6:7]",
	"a@[IPv6:12345::]",
	"a@[IPv6:g::]",
	"a@[IPv6:1:2:3:4:5:192.0.2.1]",
	"a@[IPv6:1:2:3:4:5:6:7:192.0.2.1]",
	"a@[IPv6:1:2:3::4:5:192.0.2.1]",
	"a@[IPv6:192.0.2.1]",
	"a@[IPv6:192.0.2.1::]",
	"a@[IPv6:::192.0.2.256]",
	"a@[IPv6:::192.0.2.1:1]",
	"a@[IPv6:fe80::1%eth0]",
};

/* RFC 5321, 4.1.2; RFC 5321, 2.3.11 */
static void
mailboxes_are_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mailboxes); i++) {
		char buf[SMTPD_ADDRESS_MAX];
		struct smtpd_address a;

		if (smtpd_address_parse(
			mailboxes[i].text, buf, sizeof(buf), &a) != 0)
			fail_msg("refused: %s", mailboxes[i].text);
		assert_string_equal(a.text, mailboxes[i].text);
		assert_string_equal(a.local, mailboxes[i].local);
		assert_string_equal(a.domain, mailboxes[i].domain);
		assert_int_equal(a.literal, mailboxes[i].literal);
	}
}

/* RU3 */
static void
odd_dots_are_written_as_the_grammar_has_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rewritten); i++) {
		char buf[SMTPD_ADDRESS_MAX];
		struct smtpd_address a;

		if (smtpd_address_parse(
			rewritten[i].given, buf, sizeof(buf), &a) != 0)
			fail_msg("refused: %s", rewritten[i].given);
		assert_string_equal(a.text, rewritten[i].text);
		assert_string_equal(a.local, rewritten[i].local);
		assert_string_equal(a.domain, rewritten[i].domain);
	}
}

/* RFC 5321, 4.1.2; RFC 5321, 4.1.3 */
static void
what_is_no_mailbox_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(no_mailboxes); i++) {
		char buf[SMTPD_ADDRESS_MAX];
		struct smtpd_address a;

		if (smtpd_address_parse(
			no_mailboxes[i], buf, sizeof(buf), &a) != -1)
			fail_msg("taken: %s", no_mailboxes[i]);
	}
}

/* Parse the path by RULES that LEN bytes at S begin with, in memory of its
 * exact size so that a sanitizer sees any step beyond it. */
static enum smtpd_path_fault
parse_by_rules(const char *s, size_t len, const struct smtpd_path_rules *rules,
    struct smtpd_address *out, size_t *used)
{
	static char block[SMTPD_ADDRESS_MAX];
	char *copy = test_malloc(len + 1);
	enum smtpd_path_fault fault;
	struct smtpd_arena arena;

	memcpy(copy + 1, s, len);
	smtpd__arena_init(&arena, block, sizeof(block), 0);
	fault =
	    smtpd__address_parse_path(copy + 1, len, rules, &arena, out, used);
	test_free(copy);
	return fault;
}

static enum smtpd_path_fault
parse_path(const char *s, size_t len, enum smtpd_path_kind kind,
    struct smtpd_address *out, size_t *used)
{
	const struct smtpd_path_rules rules = { .kind = kind };

	return parse_by_rules(s, len, &rules, out, used);
}

static void
every_mailbox_is_a_path_and_none_else(void **state)
{
	char path[SMTPD_ADDRESS_MAX];
	struct smtpd_address a;
	size_t used;
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(mailboxes); i++) {
		len = (size_t)snprintf(
		    path, sizeof(path), "<%s>x", mailboxes[i].text);
		assert_int_equal(
		    parse_path(path, len, SMTPD_PATH_FORWARD, &a, &used),
		    SMTPD_PATH_OK);
		assert_int_equal(used, len - 1);
		assert_string_equal(a.text, mailboxes[i].text);
		assert_string_equal(a.local, mailboxes[i].local);
	}
	for (size_t i = 0; i < COUNT(no_mailboxes); i++) {
		/* Valid as paths, by other rules. */
		if (no_mailboxes[i][0] == '\0' || no_mailboxes[i][0] == '@' ||
		    strchr(no_mailboxes[i], '>') != NULL ||
		    strcmp(no_mailboxes[i], "postmaster") == 0)
			continue;
		len = (size_t)snprintf(
		    path, sizeof(path), "<%s>", no_mailboxes[i]);
		if (parse_path(path, len, SMTPD_PATH_FORWARD, &a, &used) !=
		    SMTPD_PATH_SYNTAX)
			fail_msg("taken: %s", path);
	}
}

#define BOTH 2

/* RFC 5321, 4.1.2; RFC 5321, 3.6.1; RFC 5321, C */
static void
paths_besides_mailboxes(void **state)
{
	static const struct {
		const char *in;
		int kind;
		const char *text;
		const char *local;
		const char *domain;
		size_t used;
	} cases[] = {
		{ "<>", SMTPD_PATH_REVERSE, "", "", "", 2 },
		{ "<> SIZE=1", SMTPD_PATH_REVERSE, "", "", "", 2 },
		{ "<postmaster>", SMTPD_PATH_FORWARD, "postmaster",
		    "postmaster", "", 12 },
		{ "<PostMASTER>x", SMTPD_PATH_FORWARD, "PostMASTER",
		    "PostMASTER", "", 12 },
		{ "<postmaster@a>", BOTH, "postmaster@a", "postmaster", "a",
		    14 },
		{ "<@a:b@c>", BOTH, "b@c", "b", "c", 8 },
		{ "<@a,@b.c,@d:\"e f\"@[1.2.3.4]> x", BOTH, "\"e f\"@[1.2.3.4]",
		    "e f", "[1.2.3.4]", 28 },
		{ "<\"a>b\"@c>", BOTH, "\"a>b\"@c", "a>b", "c", 9 },
		{ "<a@b>>", BOTH, "a@b", "a", "b", 5 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (int kind = 0; kind < 2; kind++) {
			struct smtpd_address a;
			size_t used;

			if (cases[i].kind != BOTH && cases[i].kind != kind)
				continue;
			assert_int_equal(
			    parse_path(cases[i].in, strlen(cases[i].in),
				(enum smtpd_path_kind)kind, &a, &used),
			    SMTPD_PATH_OK);
			assert_string_equal(a.text, cases[i].text);
			assert_string_equal(a.local, cases[i].local);
			assert_string_equal(a.domain, cases[i].domain);
			assert_int_equal(used, cases[i].used);
		}
	}
}

static void
faults_of_paths(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		int kind;
		enum smtpd_path_fault fault;
	} cases[] = {
#define IN(s) s, sizeof(s) - 1
		{ IN(""), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN(">"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("a@b"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN(" <a@b>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<a@b"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<a@b >"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("< a@b>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<<a@b>>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("< >"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<>"), SMTPD_PATH_FORWARD, SMTPD_PATH_SYNTAX },
		{ IN("<postmaster>"), SMTPD_PATH_REVERSE, SMTPD_PATH_SYNTAX },
		{ IN("<postmaste>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<postmasters>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<\"postmaster\">"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<postmaster"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<@a:>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<@a:postmaster>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<@:b@c>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<@a b@c>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<@a,b:b@c>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<@a,:b@c>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<@[1.2.3.4]:b@c>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<a:b@c>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<a\0@b>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<\"\0\"@b>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<\"a\\\0\"@b>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<\"a\tb\"@c>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<\"a\\\177\"@b>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<a@b\r>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<a@b\0>"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("<\303\251 @b>"), BOTH, SMTPD_PATH_UTF8 },
		{ IN("<a@\303\251-.c>"), BOTH, SMTPD_PATH_UTF8 },
		{ IN("<a@b.\303\251..c>"), BOTH, SMTPD_PATH_UTF8 },
		{ IN("<\"\351\"@b>"), BOTH, SMTPD_PATH_UTF8 },
		{ IN("<\">\351\"@b>"), BOTH, SMTPD_PATH_UTF8 },
		{ IN("<\"\\\"\351\"@b>"), BOTH, SMTPD_PATH_UTF8 },
		{ IN("<\"\\\303\251\"@b>"), BOTH, SMTPD_PATH_UTF8 },
		{ IN("<@\351:a@b>"), BOTH, SMTPD_PATH_UTF8 },
		{ IN("<@\303\251:@b>"), BOTH, SMTPD_PATH_UTF8 },
		{ IN("<\200@b>"), BOTH, SMTPD_PATH_UTF8 },
		{ IN("<a@b\303\251"), BOTH, SMTPD_PATH_UTF8 },
		{ IN("<a@b c> \303\251"), BOTH, SMTPD_PATH_SYNTAX },
		{ IN("\303\251@b"), BOTH, SMTPD_PATH_SYNTAX },
#undef IN
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (int kind = 0; kind < 2; kind++) {
			struct smtpd_address a;
			enum smtpd_path_fault fault;
			size_t used;

			if (cases[i].kind != BOTH && cases[i].kind != kind)
				continue;
			fault = parse_path(cases[i].in, cases[i].len,
			    (enum smtpd_path_kind)kind, &a, &used);
			if (fault != cases[i].fault)
				fail_msg("%d for %s", fault, cases[i].in);
		}
	}
}

/* RFC 6531, 3.3: The same grammar has characters outside ASCII. */
static void
mailboxes_in_utf8_are_taken_apart(void **state)
{
	static const struct {
		const char *text;
		const char *local;
		const char *domain;
		bool idn; /* its domain has U-labels */
	} cases[] = {
		{ "\303\274@b", "\303\274", "b", false },
		{ "a\303\274.b@c", "a\303\274.b", "c", false },
		{ "\"\303\274 \303\266\"@b", "\303\274 \303\266", "b", false },
		{ "\"\\\"\303\274\"@b", "\"\303\274", "b", false },
		/* The first and the last character of each length. */
		{ "\302\240@b", "\302\240", "b", false },
		{ "\337\277@b", "\337\277", "b", false },
		{ "\340\240\200@b", "\340\240\200", "b", false },
		{ "\355\237\277@b", "\355\237\277", "b", false },
		{ "\356\200\200@b", "\356\200\200", "b", false },
		{ "\357\277\277@b", "\357\277\277", "b", false },
		{ "\360\220\200\200@b", "\360\220\200\200", "b", false },
		{ "\364\217\277\277@b", "\364\217\277\277", "b", false },
		/* A base character and a combining one are not composed. */
		{ "u\314\210@b", "u\314\210", "b", false },
		{ "a@b\303\274cher.example", "a", "b\303\274cher.example",
		    true },
		{ "a@\344\276\213\345\255\220.example", "a",
		    "\344\276\213\345\255\220.example", true },
		{ "a@xn--bcher-kva.example", "a", "xn--bcher-kva.example",
		    false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[SMTPD_ADDRESS_MAX];
		struct smtpd_address a;
		bool valid = !cases[i].idn || TEST_IDN;

		if ((smtpd_address_parse(cases[i].text, buf, sizeof(buf), &a) ==
			0) != valid)
			fail_msg("%s", cases[i].text);
		if (!valid)
			continue;
		assert_string_equal(a.text, cases[i].text);
		assert_string_equal(a.local, cases[i].local);
		assert_string_equal(a.domain, cases[i].domain);
	}
}

/* RFC 3629, 3; RFC 3629, 10; RFC 6531, 3.3 */
static void
what_is_no_utf8_is_refused(void **state)
{
	static const char *const cases[] = {
		"\200",
		"\277",
		"\301\201",
		"\300\257",
		"\302",
		"\302a",
		"\340\237\277",
		"\340\240",
		"\340\240a",
		"\355\240\200",
		"\355\277\277",
		"\360\217\277\277",
		"\360\220\200",
		"\364\220\200\200",
		"\365\200\200\200",
		"\370\210\200\200\200",
		"\376",
		"\377",
		/* C1 */
		"\302\200",
		"\302\205",
		"\302\237",
	};
	static const struct {
		const char *before;
		const char *behind;
	} forms[] = { { "<", "@b>" }, { "<a", "b@c>" }, { "<\"", "\"@b>" },
		{ "<a@", ">" }, { "<a@b.c", ".d>" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases) * COUNT(forms); i++) {
		size_t form = i % COUNT(forms);
		char path[64];
		struct smtpd_address a;
		size_t used;
		int len =
		    snprintf(path, sizeof(path), "%s%s%s", forms[form].before,
			cases[i / COUNT(forms)], forms[form].behind);

		if (parse_path(path, (size_t)len, SMTPD_PATH_FORWARD, &a,
			&used) != SMTPD_PATH_UTF8)
			fail_msg("taken: %s", path);
	}
}

/* RFC 6531, 3.2: A domain with U-labels has A-labels, which are one. */
static void
domains_without_a_labels_are_refused(void **state)
{
	static const char *const cases[] = {
		"a@\314\210.example", /* begins with a combining character */
		"a@\342\204\200.example", /* maps to "a/c" */
		"a@\342\200\256.example", /* turns the direction */
		"a@-\303\274.example",
		"a@\303\274-.example",
		"a@\303\274..example",
		"a@[\303\274]",
		/* Longer than 63 octets as an A-label. */
		"a@" TEN(UMLAUT UMLAUT UMLAUT UMLAUT UMLAUT UMLAUT) ".example",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[SMTPD_ADDRESS_MAX];
		struct smtpd_address a;

		if (smtpd_address_parse(cases[i], buf, sizeof(buf), &a) != -1)
			fail_msg("taken: %s", cases[i]);
	}
}

/* RFC 6531, 3.7.1: Names of hosts stay ASCII. */
static void
names_of_hosts_are_ascii(void **state)
{
	static const char name[] = "b\303\274cher.example";

	(void)state;
	assert_false(smtpd__address_parse_helo(name, strlen(name)));
}

/* T5, T6: What a setting lets programs of this host and old devices say. */
static void
paths_that_are_completed(void **state)
{
	static const struct {
		const char *in;
		int kind;
		bool bare;
		bool local;
		const char *text; /* NULL: refused */
		const char *domain;
		size_t used;
	} cases[] = {
		{ "<root>", BOTH, false, true, "root@mx.example", "mx.example",
		    6 },
		{ "<a.> SIZE=1", BOTH, false, true, "\"a.\"@mx.example",
		    "mx.example", 4 },
		{ "<\"a b\">", BOTH, false, true, "\"a b\"@mx.example",
		    "mx.example", 7 },
		{ "<a@b>", BOTH, true, true, "a@b", "b", 5 },
		{ "<Postmaster>", SMTPD_PATH_FORWARD, true, true, "Postmaster",
		    "", 12 },
		{ "<postmaster>", SMTPD_PATH_REVERSE, true, true,
		    "postmaster@mx.example", "mx.example", 12 },
		{ "<>", SMTPD_PATH_REVERSE, true, true, "", "", 2 },
		{ "<>", SMTPD_PATH_FORWARD, true, true, NULL, "", 0 },
		{ "<root@>", BOTH, true, true, NULL, "", 0 },
		{ "<ro ot>", BOTH, true, true, NULL, "", 0 },
		{ "<root", BOTH, true, true, NULL, "", 0 },
		{ "a@b.c", BOTH, true, false, "a@b.c", "b.c", 5 },
		{ "a@b.c SIZE=1", BOTH, true, false, "a@b.c", "b.c", 5 },
		{ "root", BOTH, true, true, "root@mx.example", "mx.example",
		    4 },
		{ "postmaster", SMTPD_PATH_FORWARD, true, false, "postmaster",
		    "", 10 },
		{ "a", BOTH, true, false, NULL, "", 0 },
		{ "", BOTH, true, true, NULL, "", 0 },
		{ " ", BOTH, true, true, NULL, "", 0 },
		{ "a@b>", BOTH, true, false, NULL, "", 0 },
		{ "a@b", BOTH, false, true, NULL, "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (int kind = 0; kind < 2; kind++) {
			const struct smtpd_path_rules rules = {
				.kind = (enum smtpd_path_kind)kind,
				.bare = cases[i].bare,
				.domain = cases[i].local ? "mx.example" : NULL,
			};
			struct smtpd_address a;
			enum smtpd_path_fault fault;
			size_t used;

			if (cases[i].kind != BOTH && cases[i].kind != kind)
				continue;
			fault = parse_by_rules(cases[i].in, strlen(cases[i].in),
			    &rules, &a, &used);
			if ((fault == SMTPD_PATH_OK) != (cases[i].text != NULL))
				fail_msg("%d for %s", fault, cases[i].in);
			if (fault != SMTPD_PATH_OK)
				continue;
			assert_string_equal(a.text, cases[i].text);
			assert_string_equal(a.domain, cases[i].domain);
			assert_int_equal(used, cases[i].used);
		}
	}
}

/* RFC 5321, 4.1.2 */
static void
no_control_byte_is_ever_taken(void **state)
{
	static const char *const paths[] = { "<?@b>", "<a?@b>", "<\"?\"@b>",
		"<\"\\?\"@b>", "<a@?>", "<a@b?>", "<a@[1.2.3.?]>", "<@?:a@b>",
		"<@a?:b@c>", "<?postmaster>" };

	(void)state;
	for (int c = 0; c < 33; c++) {
		for (size_t i = 0; i < COUNT(paths); i++) {
			struct smtpd_address a;
			char path[32];
			size_t len = strlen(paths[i]);
			size_t used;

			memcpy(path, paths[i], len);
			*(char *)memchr(path, '?', len) =
			    (char)(c == 32 ? 127 : c);
			assert_int_equal(parse_path(path, len,
					     SMTPD_PATH_FORWARD, &a, &used),
			    SMTPD_PATH_SYNTAX);
		}
	}
}

/* Write N times C to S and return what is behind it. */
static char *
fill(char *s, char c, size_t n)
{
	memset(s, c, n);
	return s + n;
}

/* Write "<" LOCAL letters "@" a domain of LENGTH octets ">", return its
 * length. */
static size_t
write_path(char *s, size_t local, size_t length)
{
	char *at = fill(s, '<', 1);

	at = fill(at, 'a', local);
	at = fill(at, '@', 1);
	for (size_t i = 0; i < length; i++)
		*at++ = i % 63 == 62 ? '.' : 'b';
	at = fill(at, '>', 1);
	return (size_t)(at - s);
}

/* RFC 5321, 4.5.3.1.1; RFC 5321, 4.5.3.1.2 */
static void
lengths_are_bounded(void **state)
{
	static const struct {
		size_t local;
		size_t domain;
		enum smtpd_path_fault fault;
	} cases[] = {
		{ 64, 64, SMTPD_PATH_OK },
		{ 256, 255, SMTPD_PATH_OK },
		{ 257, 1, SMTPD_PATH_TOO_LONG },
		{ 1, 256, SMTPD_PATH_TOO_LONG },
		{ 700, 255, SMTPD_PATH_TOO_LONG },
		{ 700, 700, SMTPD_PATH_TOO_LONG },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_address a;
		char path[2000];
		size_t used;
		size_t len = write_path(path, cases[i].local, cases[i].domain);

		assert_int_equal(
		    parse_path(path, len, SMTPD_PATH_FORWARD, &a, &used),
		    cases[i].fault);
	}
}

/* A mailbox with the longest parts, all of the local part written with the
 * quoting that doubles it. */
static void
write_longest(char *s)
{
	*s++ = '"';
	for (size_t i = 0; i < SMTPD_LOCAL_MAX; i++) {
		*s++ = '\\';
		*s++ = '"';
	}
	s = fill(s, '"', 1);
	s = fill(s, '@', 1);
	for (size_t i = 0; i < SMTPD_DOMAIN_MAX; i++)
		*s++ = i % 64 == 63 ? '.' : 'b';
	*s = '\0';
}

static void
the_promised_buffer_always_suffices(void **state)
{
	char buf[SMTPD_ADDRESS_MAX + 17];
	char text[SMTPD_ADDRESS_MAX];
	struct smtpd_address a;

	(void)state;
	write_longest(text);
	for (size_t shift = 0; shift <= 16; shift++) {
		assert_int_equal(smtpd_address_parse(
				     text, buf + shift, SMTPD_ADDRESS_MAX, &a),
		    0);
		assert_string_equal(a.text, text);
		assert_int_equal(strlen(a.local), SMTPD_LOCAL_MAX);
		assert_int_equal(strlen(a.domain), SMTPD_DOMAIN_MAX);
	}
}

static void
a_small_buffer_is_refused_not_overrun(void **state)
{
	struct smtpd_address a;
	int taken = 0;

	(void)state;
	for (size_t size = 0; size < 64; size++) {
		char *buf = test_malloc(size + 1);

		if (smtpd_address_parse(
			"\"us\\er\"@example.org", buf, size, &a) == 0) {
			taken++;
			assert_string_equal(a.local, "user");
		}
		test_free(buf);
	}
	assert_true(taken > 0 && taken < 64);
}

/* RFC 5321, 4.1.1.1; RFC 5321, 4.1.3 */
static void
helo_names(void **state)
{
	static const char *const valid[] = { "a", "mail.example.org",
		"MAIL-1.example", "1.2.3.4", "my_host", "_x.y_", "a.b_c.d",
		"[192.0.2.1]", "[IPv6:::1]", "[IPv6:2001:db8::1]", LABEL };
	static const char *const invalid[] = { "", ".", "a.", ".a", "a..b",
		"-a", "a-", "a b", " a", "a ", "a@b", "a(b)", "a\rb", "a\tb",
		"[]", "[::1]", "[192.0.2.1", "[192.0.2.1]x", "[192.0.2.256]",
		"\303\251", "a\303\251", LABEL "d", "a/b", "a;b", "a>b" };
	char name[SMTPD_DOMAIN_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++) {
		if (!smtpd__address_parse_helo(valid[i], strlen(valid[i])))
			fail_msg("refused: %s", valid[i]);
	}
	for (size_t i = 0; i < COUNT(invalid); i++) {
		if (smtpd__address_parse_helo(invalid[i], strlen(invalid[i])))
			fail_msg("taken: %s", invalid[i]);
	}
	assert_false(smtpd__address_parse_helo("a\0b", 3));
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 == 0 ? 'a' : '.';
	assert_true(smtpd__address_parse_helo(name, SMTPD_DOMAIN_MAX));
	name[SMTPD_DOMAIN_MAX - 1] = 'a';
	name[SMTPD_DOMAIN_MAX] = 'a';
	assert_false(smtpd__address_parse_helo(name, SMTPD_DOMAIN_MAX + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mailboxes_are_taken_apart),
		cmocka_unit_test(odd_dots_are_written_as_the_grammar_has_them),
		cmocka_unit_test(what_is_no_mailbox_is_refused),
		cmocka_unit_test(every_mailbox_is_a_path_and_none_else),
		cmocka_unit_test(paths_besides_mailboxes),
		cmocka_unit_test(faults_of_paths),
		cmocka_unit_test(mailboxes_in_utf8_are_taken_apart),
		cmocka_unit_test(what_is_no_utf8_is_refused),
		cmocka_unit_test(domains_without_a_labels_are_refused),
		cmocka_unit_test(names_of_hosts_are_ascii),
		cmocka_unit_test(paths_that_are_completed),
		cmocka_unit_test(no_control_byte_is_ever_taken),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(the_promised_buffer_always_suffices),
		cmocka_unit_test(a_small_buffer_is_refused_not_overrun),
		cmocka_unit_test(helo_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
