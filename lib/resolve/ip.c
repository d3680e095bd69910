/* SPDX-License-Identifier: MIT */
#include "resolve/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "grammar/address_parse.h"

struct smtpd_ip
smtpd__ip_make(int family, const void *bytes)
{
	struct smtpd_ip ip = { .family = family };

	memcpy(ip.bytes, bytes, family == AF_INET ? 4 : 16);
	return ip;
}

/* The grammar is stricter than inet_pton(), which takes a zone. */
int
smtpd__ip_parse_literal(const char *literal, struct smtpd_ip *out)
{
	static const size_t tag = sizeof("IPv6:") - 1;
	size_t len = strlen(literal);
	char text[INET6_ADDRSTRLEN];
	bool six;

	if (*literal != '[' || !smtpd__address_parse_helo(literal, len))
		return -1;
	six = strchr(literal, ':') != NULL;
	literal += six ? tag + 1 : 1;
	len -= six ? tag + 2 : 2;
	if (len >= sizeof(text))
		return -1;
	memcpy(text, literal, len);
	text[len] = '\0';
	memset(out, 0, sizeof(*out));
	out->family = six ? AF_INET6 : AF_INET;
	return inet_pton(out->family, text, out->bytes) == 1 ? 0 : -1;
}

/* IP, as IPv4 when it was mapped into IPv6. */
static struct smtpd_ip
unmap_address(const struct smtpd_ip *ip)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct smtpd_ip four = { .family = AF_INET };

	if (ip->family != AF_INET6 ||
	    memcmp(ip->bytes, mapped, sizeof(mapped)) != 0)
		return *ip;
	memcpy(four.bytes, ip->bytes + 12, 4);
	return four;
}

/* 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16; ::, ::1, fe80::/10. */
bool
smtpd__ip_is_local(const struct smtpd_ip *ip)
{
	static const unsigned char zeros[15];
	const struct smtpd_ip real = unmap_address(ip);
	const unsigned char *b = real.bytes;

	if (real.family == AF_INET)
		return b[0] == 0 || b[0] == IN_LOOPBACKNET ||
		    (b[0] == 169 && b[1] == 254);
	return (memcmp(b, zeros, sizeof(zeros)) == 0 && b[15] <= 1) ||
	    (b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
}

static bool
is_private_four(const unsigned char *b)
{
	return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
	    (b[0] == 192 && b[1] == 168) ||
	    (b[0] == 100 && (b[1] & 0xc0) == 64);
}

/* 10/8, 172.16/12, 192.168/16, 100.64/10; fc00::/7, and those of IPv4 behind
 * 64:ff9b::/96. */
bool
smtpd__ip_is_private(const struct smtpd_ip *ip)
{
	static const unsigned char translated[12] = { 0, 0x64, 0xff, 0x9b };
	const struct smtpd_ip real = unmap_address(ip);
	const unsigned char *b = real.bytes;

	if (real.family == AF_INET)
		return is_private_four(b);
	if (memcmp(b, translated, sizeof(translated)) == 0)
		return is_private_four(b + sizeof(translated));
	return (b[0] & 0xfe) == 0xfc;
}
