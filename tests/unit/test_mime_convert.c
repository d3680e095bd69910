/* SPDX-License-Identifier: MIT */
#include "grammar/mime_convert.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "test.h"

#define TEN(s)     s s s s s s s s s s
#define HUNDRED(s) TEN(TEN(s))
#define LONG       HUNDRED("1234567890")

#define MIXED(b) "Content-Type: multipart/mixed; boundary=" b "\r\n"
#define QP       "Content-Transfer-Encoding: quoted-printable\r\n"
#define B64      "Content-Transfer-Encoding: base64\r\n"
#define SEVEN    "Content-Transfer-Encoding: 7bit\r\n"
#define EIGHT    "Content-Transfer-Encoding: 8bit\r\n"
#define V        "MIME-Version: 1.0\r\n"
#define PLAIN    "Content-Type: text/plain; charset="

#define UE "\xC3\xBC"

struct out {
	struct smtpd_text text;
	int left; /* calls before it fails; -1: never */
	char buf[65536];
};

static struct smtpd_mime_plan plan;
static struct smtpd_mime_planner planner;
static struct smtpd_mime_convert convert;
static struct out out;

static int
take(void *user, const void *data, size_t len)
{
	struct out *o = user;

	if (o->left == 0)
		return -1;
	o->left -= o->left > 0;
	smtpd__text_bytes(&o->text, data, len);
	return 0;
}

static enum smtpd_mime_need
make_plan(const char *in, size_t step, bool eight_bit)
{
	size_t len = strlen(in);

	smtpd__mime_plan_init(&planner, &plan, eight_bit);
	for (size_t at = 0; at < len; at += step)
		smtpd__mime_plan_feed(
		    &planner, in + at, step < len - at ? step : len - at);
	smtpd__mime_plan_end(&planner);
	return plan.need;
}

/* Convert IN in pieces of STEP, as the plan has it. */
static int
run(const char *in, size_t step, int left)
{
	size_t len = strlen(in);

	out.left = left;
	smtpd__text_init(&out.text, out.buf, sizeof(out.buf));
	smtpd__mime_convert_init(&convert, &plan, take, &out);
	for (size_t at = 0; at < len; at += step)
		smtpd__mime_convert_feed(
		    &convert, in + at, step < len - at ? step : len - at);
	return smtpd__mime_convert_end(&convert);
}

/* A message, and what it becomes; NULL: that is not compared. */
struct conversion {
	const char *in, *out;
};

/* RFC 6152, 3; RFC 2045, 6.7; RFC 2045, 6.8; RFC 1428 */
static const struct conversion leaves[] = {
	/* Without labels. */
	{ "A: b\r\n\r\n1234567890 " UE "\r\n",
	    "A: b\r\n" V PLAIN "utf-8\r\n" QP "\r\n1234567890 =C3=BC\r\n" },
	{ "A: b\r\n\r\n12345 \xFC\r\n",
	    "A: b\r\n" V PLAIN "unknown-8bit\r\n" QP "\r\n12345 =FC\r\n" },
	{ "\r\n\xFC long\r\n",
	    V PLAIN "unknown-8bit\r\n" QP "\r\n=FC long\r\n" },
	/* The header has no end: the line behind it must not become a field. */
	{ "A: b\r\n\xFC: no field\r\n",
	    "A: b\r\n" V PLAIN "unknown-8bit\r\n" QP "\r\n=FC: no field\r\n" },
	/* With labels, in odd case, with comments, twice, folded. */
	{ V "content-TYPE: (x) Text/(y)Plain\r\n"
	    "content-transfer-encoding:\r\n (z) 8BIT\r\n" EIGHT
	    "\r\nabcdef 123 " UE "\r\n",
	    V "content-TYPE: (x) Text/(y)Plain\r\n" QP
	      "\r\nabcdef 123 =C3=BC\r\n" },
	{ V "Content-Type: a/b\r\n\r\n\xFF\r\n",
	    V "Content-Type: a/b\r\n" B64 "\r\n/w0K\r\n" },
	/* It is shorter so. */
	{ V "Content-Type: text/x\r\n\r\n" TEN(UE) "\r\n",
	    V "Content-Type: text/x\r\n" B64
	      "\r\nw7zDvMO8w7zDvMO8w7zDvMO8w7wNCg==\r\n" },
	{ V "Content-Type: message/global\r\n" EIGHT "\r\nA: \xFF\r\n",
	    V "Content-Type: message/global\r\n" B64 "\r\nQTog/w0K\r\n" },
	/* The label of an encoding that does not hold. */
	{ V QP "\r\n-a=\r\n" UE "=3D=3d=x = \r\n=\r\n",
	    V QP "\r\n=2Da=\r\n=C3=BC=3D=3d=3Dx = \r\n=\r\n" },
	{ V B64 "\r\naGk" UE "-\r\n=\r\n", V B64 "\r\naGk=\r\n" },
	/* A label that says less. */
	{ V SEVEN "Content-Type: text/x\r\n\r\nabcdef \xFC\r\n",
	    V "Content-Type: text/x\r\n" QP "\r\nabcdef =FC\r\n" },
};

/* RFC 2046, 5.1.1; RFC 2045, 6.4 */
static const struct conversion parts[] = {
	/* Each on its own, and the label of the whole. */
	{ V MIXED("b") EIGHT "\r\n--b\r\n\r\n123456 \xFC\r\n--b\r\n" EIGHT
			     "\r\nx\r\n--b\r\nContent-Type: a/b\r\n\r\n\xFF"
			     "\r\n--b--\r\n",
	    V MIXED("b") SEVEN "\r\n--b\r\n" PLAIN "unknown-8bit\r\n" QP
			       "\r\n123456 =FC\r\n--b\r\n" SEVEN
			       "\r\nx\r\n--b\r\nContent-Type: a/b\r\n" B64
			       "\r\n/w==\r\n--b--\r\n" },
	/* The last boundary is missing. */
	{ V MIXED("b") "\r\n--b\r\nContent-Type: a/b\r\n\r\n\xFF\r\n",
	    V MIXED("b") "\r\n--b\r\nContent-Type: a/b\r\n" B64
			 "\r\n/w==\r\n" },
	/* Longer than 70. */
	{ V MIXED(HUNDRED("x")) "\r\n--" HUNDRED("x") "\r\n\r\n" UE
						      "1234567890\r\n",
	    V MIXED(HUNDRED("x")) "\r\n--" HUNDRED(
		"x") "\r\n" PLAIN "utf-8\r\n" QP "\r\n=C3=BC1234567890\r\n" },
	/* One begins as the other does. */
	{ V MIXED("b") "\r\n--b\r\n" MIXED("bb") "\r\n--bb \r\n\r\n123456 \xFC"
						 "\r\n--bbb\r\n--b--\t\r\n",
	    V MIXED("b") "\r\n--b\r\n" MIXED("bb") "\r\n--bb \r\n" PLAIN
						   "unknown-8bit\r\n" QP
						   "\r\n123456 =FC\r\n"
						   "=2D-bbb\r\n--b--\t\r\n" },
	/* A line that would look like a boundary afterwards. */
	{ V MIXED("\"b=FC\"") "\r\n--b=FC\r\n\r\n--b\xFC\r\n12345\r\n",
	    V MIXED("\"b=FC\"") "\r\n--b=FC\r\n" PLAIN "unknown-8bit\r\n" QP
				"\r\n=2D-b=FC\r\n12345\r\n" },
	{ V MIXED("b?") "\r\n--b\xFC\r\n--b?\r\n\r\nx\r\n--b?--\r\n--b\xFC\r\n",
	    V MIXED("b?") "\r\n --b?\r\n--b?\r\n\r\nx\r\n--b?--\r\n --b?\r\n" },
	/* No line end before, no header, no body. */
	{ V MIXED("b") "\r\n--b\r\n--b\r\n\r\n--b\r\n\r\n123456 \xFC\r\n--b--",
	    V MIXED("b") "\r\n--b\r\n--b\r\n\r\n--b\r\n" PLAIN
			 "unknown-8bit\r\n" QP "\r\n123456 =FC\r\n--b--" },
	/* What is before and behind. */
	{ V MIXED("b") "\r\npre \xFC\r\n--b\r\n\r\nx\r\n--b--\r\npost \xFC\r\n",
	    V MIXED("b") "\r\npre ?\r\n--b\r\n\r\nx\r\n--b--\r\npost ?\r\n" },
	/* No MIME-Version. */
	{ MIXED("b") "\r\n--b\r\nContent-Type: a/b\r\n\r\n\xFF\r\n--b--\r\n",
	    MIXED("b") V "\r\n--b\r\nContent-Type: a/b\r\n" B64
			 "\r\n/w==\r\n--b--\r\n" },
	/* RFC 2046, 5.2.1; RFC 2046, 5.1.5: a message may have no encoding. */
	{ V "Content-Type: message/rfc822\r\n" EIGHT
	    "\r\nSubject: \xFC\r\n\r\n123456 \xFC\r\n",
	    V "Content-Type: message/rfc822\r\n" EIGHT
	      "\r\nSubject: \xFC\r\n" V PLAIN "unknown-8bit\r\n" QP
	      "\r\n123456 =FC\r\n" },
	{ V "Content-Type: message/rfc822\r\n" EIGHT "\r\n" EIGHT
	    "\r\n123456 \xFC\r\n",
	    V "Content-Type: message/rfc822\r\n" SEVEN "\r\n" V PLAIN
	      "unknown-8bit\r\n" QP "\r\n123456 =FC\r\n" },
	{ V "Content-Type: message/rfc822\r\nno field \xFC\r\n",
	    V "Content-Type: message/rfc822\r\n\r\n" V PLAIN
	      "unknown-8bit\r\n" QP "\r\nno field =FC\r\n" },
	{ V "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nA: b"
	    "\r\n\r\n123456 \xFC\r\n--b--\r\n",
	    V "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nA: "
	      "b\r\n" V PLAIN "unknown-8bit\r\n" QP
	      "\r\n123456 =FC\r\n--b--\r\n" },
	/* A signed part is not touched, as long as it needs nothing. */
	{ V MIXED("b") "\r\n--b\r\nContent-Type: multipart/signed; boundary=c"
		       "\r\n" EIGHT "\r\n--c\r\n" EIGHT
		       "\r\nx\r\n--c--\r\n--b\r\n\r\n123456 \xFC\r\n--b--\r\n",
	    V MIXED("b") "\r\n--b\r\nContent-Type: multipart/signed; boundary=c"
			 "\r\n" EIGHT "\r\n--c\r\n" EIGHT
			 "\r\nx\r\n--c--\r\n--b\r\n" PLAIN "unknown-8bit\r\n" QP
			 "\r\n123456 =FC\r\n--b--\r\n" },
};

/* RFC 5321, 4.5.3.1.6: these go to hosts that take 8-bit content, too. */
static const struct conversion long_lines[] = {
	{ "A: b\r\n\r\n" LONG "\r\n" UE "\r\n", NULL },
	{ V QP "\r\n" LONG "=3D\r\n", NULL },
	{ V B64 "\r\n" LONG "\r\n", NULL },
	{ V "Content-Type: a/b\r\n\r\n" LONG "\r\n", NULL },
	{ V MIXED("b") "\r\n--b\r\n\r\nx\r\n--b--\r\n" LONG "\r\n", NULL },
};

/* No line of the body is too long, and all is ASCII that must be. */
static void
check_form(bool eight_bit)
{
	const char *body = strstr(out.buf, "\r\n\r\n");

	assert_non_null(body);
	for (const char *s = body + 4; *s != '\0'; s += strspn(s, "\r\n")) {
		size_t len = strcspn(s, "\r\n");

		assert_true(len <= 998);
		s += len;
	}
	assert_int_equal(
	    make_plan(out.buf, SIZE_MAX, eight_bit), SMTPD_MIME_NEED_NOTHING);
}

static void
check_conversions(const struct conversion *cases, size_t count, bool eight_bit)
{
	for (size_t i = 0; i < count; i++) {
		const struct conversion *c = &cases[i];
		size_t len = strlen(c->in);

		print_message("%.300s\n", c->in);
		for (size_t step = 1; step < len + 1; step += 1 + step / 40) {
			assert_int_equal(make_plan(c->in, step, eight_bit),
			    SMTPD_MIME_NEED_CONVERSION);
			assert_int_equal(run(c->in, step, -1), 0);
			assert_false(out.text.cut);
			if (c->out != NULL)
				assert_string_equal(out.buf, c->out);
		}
		check_form(eight_bit);
	}
}

static void
leaves_are_converted(void **state)
{
	(void)state;
	check_conversions(leaves, COUNT(leaves), false);
}

static void
parts_are_converted(void **state)
{
	(void)state;
	check_conversions(parts, COUNT(parts), false);
}

static void
long_lines_are_converted(void **state)
{
	(void)state;
	check_conversions(long_lines, COUNT(long_lines), true);
	check_conversions(long_lines, COUNT(long_lines), false);
}

static void
some_messages_stay(void **state)
{
	static const struct {
		const char *in;
		enum smtpd_mime_need need;
		bool eight_bit;
	} cases[] = {
		{ "", SMTPD_MIME_NEED_NOTHING, false },
		{ "A: " UE "\r\n\r\nx\r\n", SMTPD_MIME_NEED_NOTHING, false },
		{ "A: b\r\n\r\n" UE "\r\n", SMTPD_MIME_NEED_NOTHING, true },
		{ "A: " LONG "\r\n\r\nx\r\n", SMTPD_MIME_NEED_NOTHING, false },
		/* RFC 6376: the body is signed as it is. */
		{ "DKIM-Signature: a\r\n\r\n" UE "\r\n", SMTPD_MIME_NEED_SIGNED,
		    false },
		{ "arc-message-signature: a\r\n\r\n" LONG "\r\n",
		    SMTPD_MIME_NEED_SIGNED, true },
		{ "DKIM-Signature: a\r\n\r\nx\r\n", SMTPD_MIME_NEED_NOTHING,
		    false },
		/* RFC 1847 */
		{ V "Content-Type: multipart/signed; boundary=b\r\n\r\n" UE
		    "\r\n",
		    SMTPD_MIME_NEED_FIXED, false },
		{ V MIXED("b") "\r\n--b\r\nContent-Type: multipart/signed\r\n"
			       "\r\n" UE "\r\n--b\r\n\r\n" UE "\r\n--b--\r\n",
		    SMTPD_MIME_NEED_FIXED, false },
		{ V "Content-Type: message/partial\r\n\r\n" UE "\r\n",
		    SMTPD_MIME_NEED_BARRED, false },
		{ "Content-Transfer-Encoding: x-uuencode\r\n\r\n" UE "\r\n",
		    SMTPD_MIME_NEED_BARRED, false },
		{ V "Content-Type: multipart/x\r\n\r\n" UE "\r\n",
		    SMTPD_MIME_NEED_BARRED, false },
		/* Long lines are no reason to refuse. */
		{ "Content-Transfer-Encoding: x-uuencode\r\n\r\n" LONG "\r\n",
		    SMTPD_MIME_NEED_FIXED, false },
		{ "Content-Transfer-Encoding: x-uuencode\r\n\r\n" UE LONG
		  "\r\n",
		    SMTPD_MIME_NEED_FIXED, true },
		/* No boundary is there, so readers may show all of it. */
		{ V MIXED("b") "\r\n" UE "\r\n--c\r\n", SMTPD_MIME_NEED_BARRED,
		    false },
		{ V MIXED("b") "\r\n--b\r\n" MIXED("c") "\r\n" UE
							"\r\n--b--\r\n",
		    SMTPD_MIME_NEED_BARRED, false },
		/* The same boundary twice: to which does it belong? */
		{ V MIXED("b") "\r\n--b\r\n" MIXED("b") "\r\n--b\r\n\r\n" UE
							"\r\n--b--\r\n",
		    SMTPD_MIME_NEED_BARRED, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].in);

		print_message("%.300s\n", cases[i].in);
		for (size_t step = 1; step < len + 2; step += 1 + step / 40)
			assert_int_equal(
			    make_plan(cases[i].in, step, cases[i].eight_bit),
			    cases[i].need);
	}
}

/* A message in DEPTH multiparts, with COUNT parts in the innermost. */
static void
make_deep(char *buf, size_t size, size_t depth, size_t count)
{
	struct smtpd_text t;

	smtpd__text_init(&t, buf, size);
	for (size_t i = 0; i < depth; i++)
		smtpd__text_format(&t,
		    "Content-Type: multipart/x; boundary=b%zu\r\n\r\n--b%zu"
		    "\r\n",
		    i, i);
	for (size_t i = 0; i < count; i++)
		smtpd__text_format(&t, "\r\n" UE "\r\n--b%zu\r\n", depth - 1);
	assert_false(t.cut);
}

static void
depth_and_parts_are_limited(void **state)
{
	static char buf[200000];

	(void)state;
	make_deep(buf, sizeof(buf), SMTPD_MIME_DEPTH_MAX, 1);
	assert_int_equal(
	    make_plan(buf, SIZE_MAX, false), SMTPD_MIME_NEED_CONVERSION);
	make_deep(buf, sizeof(buf), SMTPD_MIME_DEPTH_MAX + 1, 1);
	assert_int_equal(
	    make_plan(buf, SIZE_MAX, false), SMTPD_MIME_NEED_BARRED);
	/* The multipart is one, and so is what follows the last boundary. */
	make_deep(buf, sizeof(buf), 1, SMTPD_MIME_PARTS_MAX - 2);
	assert_int_equal(
	    make_plan(buf, SIZE_MAX, false), SMTPD_MIME_NEED_CONVERSION);
	make_deep(buf, sizeof(buf), 1, SMTPD_MIME_PARTS_MAX - 1);
	assert_int_equal(
	    make_plan(buf, SIZE_MAX, false), SMTPD_MIME_NEED_BARRED);
}

/* RFC 5321, 4.5.3.1.6: 998 and the CRLF are no long line. */
static void
a_long_line_is_longer_than_998(void **state)
{
	char buf[2000];
	struct smtpd_text t;

	(void)state;
	for (size_t len = 997; len <= 1000; len++) {
		smtpd__text_init(&t, buf, sizeof(buf));
		smtpd__text_add(&t, "A: b\r\n\r\n");
		for (size_t i = 0; i < len; i++)
			smtpd__text_byte(&t, 'x');
		smtpd__text_add(&t, "\r\n");
		assert_int_equal(make_plan(buf, 7, true),
		    len <= 998 ? SMTPD_MIME_NEED_NOTHING
			       : SMTPD_MIME_NEED_CONVERSION);
	}
}

static void
a_failure_of_the_sink_is_told(void **state)
{
	static const char in[] =
	    V MIXED("b") "\r\n\xFC\r\n--b\r\nContent-Type: a/b\r\n\r\n\xFF\r\n"
			 "--b\r\n\r\n123456\xFC\r\n--b--\r\n";
	int left = 0;

	(void)state;
	make_plan(in, SIZE_MAX, false);
	while (run(in, SIZE_MAX, left) == -1)
		left++;
	assert_in_range(left, 10, 100);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_are_converted),
		cmocka_unit_test(parts_are_converted),
		cmocka_unit_test(long_lines_are_converted),
		cmocka_unit_test(some_messages_stay),
		cmocka_unit_test(depth_and_parts_are_limited),
		cmocka_unit_test(a_long_line_is_longer_than_998),
		cmocka_unit_test(a_failure_of_the_sink_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
