/* SPDX-License-Identifier: MIT */
#include "net/proxy_header.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/text.h"

/* Version 1 is a line of so many octets at most, with its CRLF. */
#define LINE_MAX_V1 107

/* Version 2 begins with so many octets of fixed meaning: the signature,
 * version and command, family, length of the rest. */
#define FIXED_V2 16

/* What the least TLV has: its type, and the length of its value. */
#define TLV_HEAD 3

/* The type of the one with a checksum. */
#define TLV_CRC32C 0x03

enum command {
	COMMAND_LOCAL = 0x20,
	COMMAND_PROXY = 0x21,
};

static const char word[] = "PROXY ";
static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

static int
find_fault(const char **fault, const char *why)
{
	*fault = why;
	return -1;
}

/* Whether the LEN octets at DATA begin as the whole of BEGIN, of SIZE. */
static bool
begins_as(const char *data, size_t len, const char *begin, size_t size)
{
	return memcmp(data, begin, len < size ? len : size) == 0;
}

/* Cut the next word off *TEXT, where one space divides it from the rest; NULL
 * when there is none. */
static char *
cut_word(char **text)
{
	char *begin = *text;
	char *end = begin != NULL ? strchr(begin, ' ') : NULL;

	*text = end != NULL ? end + 1 : NULL;
	if (end != NULL)
		*end = '\0';
	return begin;
}

/* A decimal number without leading zeros, up to 65535; -1: none. */
static int
parse_port(const char *text)
{
	int port = 0;

	if (text == NULL || *text == '\0' ||
	    (text[0] == '0' && text[1] != '\0'))
		return -1;
	for (; *text != '\0'; text++) {
		if (!smtpd__text_is_digit((unsigned char)*text))
			return -1;
		port = port * 10 + (*text - '0');
		if (port > 65535)
			return -1;
	}
	return port;
}

/* Read "ADDRESS ADDRESS PORT PORT", the client's and the proxy's. */
static int
read_addresses(char *text, int family, struct smtpd_sockaddr *peer)
{
	unsigned char from[16], to[16];
	const char *source = cut_word(&text);
	const char *destination = cut_word(&text);
	int port = parse_port(cut_word(&text));

	if (destination == NULL || port == -1 || parse_port(text) == -1 ||
	    inet_pton(family, source, from) != 1 ||
	    inet_pton(family, destination, to) != 1)
		return -1;
	smtpd__socket_make(family, from, (uint16_t)port, peer);
	return 0;
}

/* Read a whole line of version 1, LEN octets without its CRLF. */
static int
read_line(const char *data, size_t len, struct smtpd_proxy_header *out,
    const char **fault)
{
	char line[LINE_MAX_V1];
	char *text = line + strlen(word);
	const char *kind;

	memcpy(line, data, len);
	line[len] = '\0';
	if (strlen(line) != len)
		return find_fault(fault, "NUL in version 1");
	kind = cut_word(&text);
	if (strcmp(kind, "UNKNOWN") == 0)
		return 0;
	out->relayed = true;
	if (strcmp(kind, "TCP4") == 0 &&
	    read_addresses(text, AF_INET, &out->peer) == 0)
		return 0;
	if (strcmp(kind, "TCP6") == 0 &&
	    read_addresses(text, AF_INET6, &out->peer) == 0)
		return 0;
	return find_fault(fault, "bad addresses in version 1");
}

/* Only CRLF ends the line, so two octets are missing where CR is not the
 * last. */
static int
read_v1(const char *data, size_t len, struct smtpd_proxy_header *out,
    const char **fault)
{
	const char *cr = memchr(data, '\r', len);

	if (memchr(data, '\n', cr != NULL ? (size_t)(cr - data) : len) != NULL)
		return find_fault(fault, "bare LF in version 1");
	if (cr == NULL && len + 2 > LINE_MAX_V1)
		return find_fault(fault, "version 1 is too long");
	if (cr == NULL)
		return 2;
	if (cr == data + len - 1)
		return len < LINE_MAX_V1
		    ? 1
		    : find_fault(fault, "version 1 is too long");
	if (cr != data + len - 2 || cr[1] != '\n')
		return find_fault(fault, "bare CR in version 1");
	return read_line(data, len - 2, out, fault);
}

/* How many octets of addresses FAMILY has; -1: there is no such family. */
static int
addresses_size(unsigned char family)
{
	switch (family) {
	case 0x00: /* not told */
		return 0;
	case 0x11: /* IPv4, TCP and UDP */
	case 0x12:
		return 12;
	case 0x21: /* IPv6 */
	case 0x22:
		return 36;
	case 0x31: /* UNIX sockets */
	case 0x32:
		return 216;
	default:
		return -1;
	}
}

static unsigned
get_u16(const unsigned char *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* Whether the checksum at AT is that of the LEN octets at DATA, in which it
 * counts as 0. */
static bool
is_checksum_right(
    const unsigned char *data, size_t len, const unsigned char *at)
{
	static const unsigned char zeros[4];
	size_t before = (size_t)(at - data);
	uint32_t given = (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
	uint32_t crc = smtpd__crc32c_short(0, data, before);

	crc = smtpd__crc32c_short(crc, zeros, sizeof(zeros));
	crc = smtpd__crc32c_short(crc, at + 4, len - before - 4);
	return crc == given;
}

/* Walk over the TLVs of a header of LEN octets, which begin at AT. */
static int
check_tlvs(const unsigned char *data, size_t len, size_t at, const char **fault)
{
	while (at < len) {
		size_t size;

		if (len - at < TLV_HEAD)
			return find_fault(fault, "cut off TLV");
		size = get_u16(data + at + 1);
		if (len - at - TLV_HEAD < size)
			return find_fault(fault, "TLV longer than the header");
		if (data[at] == TLV_CRC32C &&
		    (size != 4 ||
			!is_checksum_right(data, len, data + at + TLV_HEAD)))
			return find_fault(fault, "wrong checksum");
		at += TLV_HEAD + size;
	}
	return 0;
}

/* Set the peer of a whole header at DATA that is relayed over TCP. */
static void
read_source(const unsigned char *data, struct smtpd_proxy_header *out)
{
	const unsigned char *addresses = data + FIXED_V2;

	out->relayed = true;
	if (data[13] == 0x11)
		smtpd__socket_make(AF_INET, addresses,
		    (uint16_t)get_u16(addresses + 8), &out->peer);
	else
		smtpd__socket_make(AF_INET6, addresses,
		    (uint16_t)get_u16(addresses + 32), &out->peer);
}

static int
read_v2(const unsigned char *data, size_t len, struct smtpd_proxy_header *out,
    const char **fault)
{
	size_t whole;
	int addresses;

	if (len < FIXED_V2)
		return (int)(FIXED_V2 - len);
	whole = FIXED_V2 + get_u16(data + 14);
	addresses = addresses_size(data[13]);
	if (data[12] != COMMAND_LOCAL && data[12] != COMMAND_PROXY)
		return find_fault(fault, "unknown version or command");
	if (whole > SMTPD_PROXY_HEADER_MAX)
		return find_fault(fault, "version 2 is too long");
	if (data[12] == COMMAND_PROXY &&
	    (addresses == -1 || whole < FIXED_V2 + (size_t)addresses))
		return find_fault(fault, "unknown family, or no room for it");
	if (len < whole)
		return (int)(whole - len);
	if (data[12] == COMMAND_LOCAL)
		return 0;
	if (data[13] == 0x11 || data[13] == 0x21)
		read_source(data, out);
	return check_tlvs(data, len, FIXED_V2 + (size_t)addresses, fault);
}

int
smtpd__proxy_header_read(const char *data, size_t len,
    struct smtpd_proxy_header *out, const char **fault)
{
	/* The least of either version that tells them apart. */
	const size_t least = sizeof(signature) - 1;

	memset(out, 0, sizeof(*out));
	if (len > 0 && begins_as(data, len, word, strlen(word)))
		return len < least ? (int)(least - len)
				   : read_v1(data, len, out, fault);
	if (!begins_as(data, len, signature, least))
		return find_fault(fault, "another beginning");
	return len < least
	    ? (int)(least - len)
	    : read_v2((const unsigned char *)data, len, out, fault);
}
