/* SPDX-License-Identifier: MIT */
/* Headers of HAProxy's doc/proxy-protocol.txt, and what is none. */
#include "net/proxy_header.h"

#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"

#include "test.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2(rest)  SIGNATURE rest, sizeof(SIGNATURE rest) - 1
#define V1(line)  line, sizeof(line) - 1

/* Addresses of version 2: 192.0.2.1, port 4660, to 198.51.100.2, port 25. */
#define IPV4 "\xc0\0\2\1\xc6\x33\x64\2\x12\x34\0\x19"
#define IPV6                                                     \
	"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\x0d\xb8\0" \
	"\0\0\0\0\0\0\0\0\0\0\2\x12\x34\0\x19"
#define UNIX                                                         \
	"/a234567890123456789012345678901234567890123456789"         \
	"0123456789012345678901234567890123456789012345678901234567" \
	"/b234567890123456789012345678901234567890123456789"         \
	"0123456789012345678901234567890123456789012345678901234567"
#define MAPPED                                                       \
	"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0" \
	"\xff\xff\xc6\x33\x64\2\x12\x34\0\x19"

struct header {
	const char *data;
	size_t len;
	const char *peer; /* with its port; NULL: the proxy's own counts */
};

static const struct header valid[] = {
	{ V1("PROXY TCP4 192.0.2.1 198.51.100.2 4660 25\r\n"),
	    "192.0.2.1:4660" },
	{ V1("PROXY TCP4 1.1.1.1 2.2.2.2 0 0\r\n"), "1.1.1.1:0" },
	{ V1("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	    "255.255.255.255:65535" },
	{ V1("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
	{ V1("PROXY TCP6 :: :: 1 1\r\n"), "[::]:1" },
	{ V1("PROXY TCP6 ::ffff:192.0.2.1 ::1 4660 25\r\n"), "192.0.2.1:4660" },
	{ V1("PROXY UNKNOWN\r\n"), NULL },
	{ V1("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	    NULL },
	{ V1("PROXY UNKNOWN  what it likes\r\n"), NULL },
	{ V2("\x21\x11\0\x0c" IPV4), "192.0.2.1:4660" },
	{ V2("\x21\x21\0\x24" IPV6), "[2001:db8::1]:4660" },
	{ V2("\x21\x21\0\x24" MAPPED), "192.0.2.1:4660" },
	/* LOCAL, whatever it has besides. */
	{ V2("\x20\0\0\0"), NULL },
	{ V2("\x20\x11\0\x0c" IPV4), NULL },
	{ V2("\x20\xff\0\1x"), NULL },
	/* What is not TCP. */
	{ V2("\x21\0\0\0"), NULL },
	{ V2("\x21\x12\0\x0c" IPV4), NULL },
	{ V2("\x21\x22\0\x24" IPV6), NULL },
	{ V2("\x21\x31\0\xd8" UNIX), NULL },
	{ V2("\x21\x32\0\xd8" UNIX), NULL },
	/* TLVs: an authority and no value; of nothing. */
	{ V2("\x21\x11\0\x14" IPV4 "\2\0\2mx\4\0\0"), "192.0.2.1:4660" },
	{ V2("\x21\0\0\3\xee\0\0"), NULL },
};

static const struct header invalid[] = {
	{ V1("EHLO client.example\r\n"), NULL },
	{ V1("PROXX TCP4 1.1.1.1 2.2.2.2 1 1\r\n"), NULL },
	{ V1("proxy TCP4 1.1.1.1 2.2.2.2 1 1\r\n"), NULL },
	{ V1("PROXY\r\nEHLO client\r\n"), NULL },
	{ V1("PROXY \r\nEHLO client\r\n"), NULL },
	{ V1("PROXY  TCP4 1.1.1.1 2.2.2.2 1 1\r\n"), NULL },
	{ V1("PROXY TCP4\r\n    "), NULL },
	{ V1("PROXY TCP5 1.1.1.1 2.2.2.2 1 1\r\n"), NULL },
	{ V1("PROXY tcp4 1.1.1.1 2.2.2.2 1 1\r\n"), NULL },
	{ V1("PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n"), NULL },
	{ V1("PROXY TCP4 1.1.1.1 2.2.2.2 1 \r\n"), NULL },
	{ V1("PROXY TCP4 1.1.1.1 2.2.2.2 1 1 \r\n"), NULL },
	{ V1("PROXY TCP4 1.1.1.1 2.2.2.2 1 1 1\r\n"), NULL },
	{ V1("PROXY TCP4 1.1.1.1  2.2.2.2 1 1\r\n"), NULL },
	{ V1("PROXY TCP4 1.1.1.1\t2.2.2.2 1 1\r\n"), NULL },
	{ V1("PROXY TCP4 1.1.1.1 2.2.2.2 65536 1\r\n"), NULL },
	{ V1("PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n"), NULL },
	{ V1("PROXY TCP4 1.1.1.1 2.2.2.2 01 1\r\n"), NULL },
	{ V1("PROXY TCP4 1.1.1.1 2.2.2.2 +1 1\r\n"), NULL },
	{ V1("PROXY TCP4 1.1.1 2.2.2.2 1 1\r\n"), NULL },
	{ V1("PROXY TCP4 01.1.1.1 2.2.2.2 1 1\r\n"), NULL },
	{ V1("PROXY TCP4 256.1.1.1 2.2.2.2 1 1\r\n"), NULL },
	{ V1("PROXY TCP4 ::1 2.2.2.2 1 1\r\n"), NULL },
	{ V1("PROXY TCP4 1.1.1.1 ::1 1 1\r\n"), NULL },
	{ V1("PROXY TCP6 1.1.1.1 2.2.2.2 1 1\r\n"), NULL },
	{ V1("PROXY TCP6 fe80::1%lo ::1 1 1\r\n"), NULL },
	{ V1("PROXY TCP4 1.1.1.1 2.2.2.2 1 1\n.."), NULL },
	{ V1("PROXY TCP4 1.1.1.1 2.2.2.2 1 1\rx"), NULL },
	{ V1("PROXY TCP4 1.1.1.1 2.2.2.2 1 1\0\r\n"), NULL },
	{ V1("PROXY UNKNOWNX\r\n"), NULL },
	{ V1("PROXY UNKNOWN\n\r\n"), NULL },
	{ V1("PROXY UNKNOWN a\0b\r\n"), NULL },
	{ V1("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535x\r\n"),
	    NULL },
	{ V2("\x11\x11\0\x0c" IPV4), NULL },
	{ V2("\x22\x11\0\x0c" IPV4), NULL },
	{ V2("\x2f\x11\0\x0c" IPV4), NULL },
	{ V2("\x21\x41\0\x0c" IPV4), NULL },
	{ V2("\x21\x13\0\x0c" IPV4), NULL },
	{ V2("\x21\x10\0\x0c" IPV4), NULL },
	{ V2("\x21\x01\0\x0c" IPV4), NULL },
	{ V2("\x21\x11\0\x0b\xc0\0\2\1\xc6\x33\x64\2\x12\x34\0"), NULL },
	{ V2("\x21\x21\0\x0c" IPV4), NULL },
	{ V2("\x21\x31\0\x0c" IPV4), NULL },
	/* Of 4097 octets, and of as many as can be told. */
	{ V2("\x21\x11\x0f\xf1" IPV4), NULL },
	{ V2("\x20\0\xff\xff"), NULL },
	/* TLVs that are cut off, and one that is longer than the rest. */
	{ V2("\x21\x11\0\x0d" IPV4 "\4"), NULL },
	{ V2("\x21\x11\0\x0e" IPV4 "\4\0"), NULL },
	{ V2("\x21\x11\0\x0f" IPV4 "\4\0\1"), NULL },
	{ V2("\x21\x11\0\x10" IPV4 "\4\xff\xff\1"), NULL },
	/* Checksums of another size, and a wrong one. */
	{ V2("\x21\x11\0\x0f" IPV4 "\3\0\0"), NULL },
	{ V2("\x21\x11\0\x14" IPV4 "\3\0\5\1\2\3\4\5"), NULL },
	{ V2("\x21\x11\0\x13" IPV4 "\3\0\4\1\2\3\4"), NULL },
};

/* Read DATA as a session does: no more at a time than are missing. */
static int
read_in_parts(const char *data, size_t len, struct smtpd_proxy_header *out,
    const char **fault)
{
	size_t have = 0;

	for (;;) {
		int missing = smtpd__proxy_header_read(data, have, out, fault);

		if (missing <= 0)
			return missing == 0 ? (int)have : -1;
		have += (size_t)missing;
		if (have > len)
			return -1;
	}
}

static void
check_peer(const struct header *h, const struct smtpd_proxy_header *out)
{
	char text[SMTPD_SOCKET_TEXT_MAX];

	assert_int_equal(out->relayed, h->peer != NULL);
	if (h->peer == NULL)
		return;
	smtpd__socket_text(&out->peer, text);
	assert_string_equal(text, h->peer);
}

/* Each with a client's bytes behind it, which are left alone. */
static void
headers_are_read(void **state)
{
	char data[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++) {
		const struct header *h = &valid[i];
		struct smtpd_proxy_header out;
		const char *fault = "none";

		memcpy(data, h->data, h->len);
		memcpy(data + h->len, "\r\nEHLO", 6);
		assert_int_equal(
		    read_in_parts(data, h->len + 6, &out, &fault), h->len);
		check_peer(h, &out);
	}
}

/* One octet after the other: what is missing is never told as whole, and never
 * as more than there is. */
static void
beginnings_want_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++) {
		const struct header *h = &valid[i];
		struct smtpd_proxy_header out;
		const char *fault;

		for (size_t len = 0; len < h->len; len++)
			assert_in_range(smtpd__proxy_header_read(
					    h->data, len, &out, &fault),
			    1, h->len - len);
	}
}

static void
others_are_no_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(invalid); i++) {
		struct smtpd_proxy_header out;
		const char *fault = NULL;

		if (read_in_parts(
			invalid[i].data, invalid[i].len, &out, &fault) != -1)
			fail_msg("number %zu is taken", i);
		if (fault == NULL)
			fail_msg("number %zu is not whole", i);
	}
}

/* A header of exactly 4096 octets. */
static void
a_header_may_be_long(void **state)
{
	static const char begin[] =
	    SIGNATURE "\x21\x11\x0f\xf0" IPV4 "\4\x0f\xe1";
	static char data[SMTPD_PROXY_HEADER_MAX];
	struct smtpd_proxy_header out;
	const char *fault;

	(void)state;
	memcpy(data, begin, sizeof(begin) - 1);
	assert_int_equal(
	    read_in_parts(data, sizeof(data), &out, &fault), sizeof(data));
	assert_true(out.relayed);
}

/* The checksum counts as zeros, wherever it stands; a changed bit of an
 * address, of it or of what is behind it shows. */
static void
checksums_are_verified(void **state)
{
	static const char begin[] =
	    SIGNATURE "\x21\x11\0\x19" IPV4 "\3\0\4\0\0\0\0\2\0\3abc";
	const size_t len = sizeof(begin) - 1, at = 31;
	char data[sizeof(begin)];
	struct smtpd_proxy_header out;
	const char *fault;
	uint32_t crc = smtpd__crc32c_short(0, begin, len);

	(void)state;
	memcpy(data, begin, len);
	for (int i = 0; i < 4; i++)
		data[at + (size_t)i] = (char)(crc >> (24 - 8 * i));
	assert_int_equal(read_in_parts(data, len, &out, &fault), len);
	for (size_t i = 16; i < len; i++) {
		if (i == 28)
			i = at;
		data[i] ^= 1;
		assert_int_not_equal(
		    smtpd__proxy_header_read(data, len, &out, &fault), 0);
		data[i] ^= 1;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_read),
		cmocka_unit_test(beginnings_want_more),
		cmocka_unit_test(others_are_no_headers),
		cmocka_unit_test(a_header_may_be_long),
		cmocka_unit_test(checksums_are_verified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
