/* SPDX-License-Identifier: MIT */
#include "grammar/mime_type.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

#define TEN(s) s s s s s s s s s s

/* RFC 2045, 5.1; RFC 2045, 5.2; RFC 2046, 5.1.1 */
static void
types_are_read(void **state)
{
	static const struct {
		const char *value;
		enum smtpd_mime_kind kind;
		const char *boundary;
	} cases[] = {
		{ "text/plain", SMTPD_MIME_TEXT, "" },
		{ " Text/HTML; charset=x; boundary=a", SMTPD_MIME_TEXT, "" },
		{ "(a) text (b (c\\)) d) / (e) plain (f)", SMTPD_MIME_TEXT,
		    "" },
		/* RFC 2045, 5.2: what is none is text. */
		{ "", SMTPD_MIME_TEXT, "" },
		{ "text", SMTPD_MIME_TEXT, "" },
		{ "multipart; boundary=a", SMTPD_MIME_TEXT, "" },
		{ "/x", SMTPD_MIME_TEXT, "" },
		{ "(text/plain", SMTPD_MIME_TEXT, "" },
		{ "image/gif", SMTPD_MIME_OTHER, "" },
		{ "application/pkcs7-mime; name=x", SMTPD_MIME_OTHER, "" },
		{ "message/rfc822", SMTPD_MIME_MESSAGE, "" },
		{ "Message/RFC822; x=y", SMTPD_MIME_MESSAGE, "" },
		{ "message/global", SMTPD_MIME_OTHER, "" },
		{ "message/global-headers", SMTPD_MIME_TEXT, "" },
		{ "message/delivery-status", SMTPD_MIME_FIXED, "" },
		{ "message/partial; id=a", SMTPD_MIME_FIXED, "" },
		{ "multipart/mixed; boundary=a", SMTPD_MIME_MULTIPART, "a" },
		{ "multipart/x;boundary = a", SMTPD_MIME_MULTIPART, "a" },
		{ "multipart/x; BOUNDARY=\"a b\\\"c\"; x=y",
		    SMTPD_MIME_MULTIPART, "a b\"c" },
		{ "multipart/x; boundary=\"a  \"", SMTPD_MIME_MULTIPART, "a" },
		{ "multipart/x; boundary=\"a", SMTPD_MIME_MULTIPART, "a" },
		{ "multipart/x; boundary=\"a\\", SMTPD_MIME_MULTIPART, "a" },
		{ "multipart/x; boundary=----=_a/b?(c)", SMTPD_MIME_MULTIPART,
		    "----=_a/b?" },
		{ "multipart/x; x=\"; boundary=no\\\"\"; boundary=a",
		    SMTPD_MIME_MULTIPART, "a" },
		{ "multipart/x; (boundary=no) boundary=(no)a",
		    SMTPD_MIME_MULTIPART, "a" },
		{ "multipart/x;; x ; =y; boundary=a; boundary=b",
		    SMTPD_MIME_MULTIPART, "a" },
		{ "multipart/digest; boundary=a", SMTPD_MIME_DIGEST, "a" },
		{ "multipart/x; boundary=" TEN("1234567"), SMTPD_MIME_MULTIPART,
		    TEN("1234567") },
		{ "multipart/x; boundary=\"" TEN(TEN("12")) "\"",
		    SMTPD_MIME_MULTIPART, TEN(TEN("12")) },
		/* Nothing that boundaries could be found by. */
		{ "multipart/x; boundary=\"" TEN(TEN("12")) "3\"",
		    SMTPD_MIME_FIXED, "" },
		{ "multipart/x; boundary=" TEN(TEN("12")) "3", SMTPD_MIME_FIXED,
		    "" },
		{ "multipart/x", SMTPD_MIME_FIXED, "" },
		{ "multipart/x; boundary=\" \"", SMTPD_MIME_FIXED, "" },
		{ "multipart/x; boundary=", SMTPD_MIME_FIXED, "" },
		/* RFC 2231, 3; RFC 2231, 4: in sections, in any order, and
		 * encoded. */
		{ "multipart/x; boundary*0=a; boundary*1=b",
		    SMTPD_MIME_MULTIPART, "ab" },
		{ "multipart/x; BOUNDARY*1=\"b \"; x=y; boundary*0=\"a \"",
		    SMTPD_MIME_MULTIPART, "a b" },
		{ "multipart/x; boundary*=us-ascii'en'a%20b%3D",
		    SMTPD_MIME_MULTIPART, "a b=" },
		{ "multipart/x; boundary*0*=''%2z%2; boundary*1=%20",
		    SMTPD_MIME_MULTIPART, "%2z%2%20" },
		{ "multipart/x; boundary*0=a; boundary*1*=%62'c'd",
		    SMTPD_MIME_MULTIPART, "ab'c'd" },
		{ "multipart/x; boundary*0=a; boundary*2=c",
		    SMTPD_MIME_MULTIPART, "a" },
		{ "multipart/x; boundary*0=a; boundary=b", SMTPD_MIME_MULTIPART,
		    "b" },
		{ "multipart/x; boundary*=''%61" TEN(TEN("12")) "%",
		    SMTPD_MIME_FIXED, "" },
		{ "multipart/x; boundary*1=a", SMTPD_MIME_FIXED, "" },
		{ "multipart/x; boundary*x=a; boundary**=b; boundary*123=c",
		    SMTPD_MIME_FIXED, "" },
		{ "multipart/x; boundary*0=" TEN(TEN("12")) "; boundary*1=3",
		    SMTPD_MIME_FIXED, "" },
		/* RFC 1847 */
		{ "multipart/signed; boundary=a", SMTPD_MIME_FIXED, "" },
		{ "multipart/encrypted; boundary=a", SMTPD_MIME_FIXED, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *boundary = cases[i].boundary;
		struct smtpd_mime_type t;

		print_message("%s\n", cases[i].value);
		smtpd__mime_type_parse(
		    cases[i].value, strlen(cases[i].value), &t);
		assert_int_equal(t.kind, cases[i].kind);
		assert_int_equal(t.boundary_len, strlen(boundary));
		assert_memory_equal(t.boundary, boundary, strlen(boundary));
		assert_false(t.unlabelled);
	}
}

/* RFC 2045, 6.1 */
static void
encodings_are_read(void **state)
{
	static const struct {
		const char *value;
		enum smtpd_mime_encoding encoding;
	} cases[] = {
		{ "7bit", SMTPD_MIME_7BIT },
		{ "", SMTPD_MIME_7BIT },
		{ " 8bit ", SMTPD_MIME_8BIT },
		{ "8BIT (as it is)", SMTPD_MIME_8BIT },
		{ "(a)Binary;", SMTPD_MIME_8BIT },
		{ "Quoted-Printable", SMTPD_MIME_QUOTED_PRINTABLE },
		{ "BASE64", SMTPD_MIME_BASE64 },
		{ "x-uuencode", SMTPD_MIME_UNKNOWN },
		{ "8bits", SMTPD_MIME_UNKNOWN },
		{ "\"8bit\"", SMTPD_MIME_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(smtpd__mime_type_encoding(
				     cases[i].value, strlen(cases[i].value)),
		    cases[i].encoding);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_read),
		cmocka_unit_test(encodings_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
