/* SPDX-License-Identifier: MIT */
#include "net/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/sizes.h"
#include "base/text.h"

/* Where the bytes of an Internet address stand. */
static const unsigned char *
bytes_of(const struct smtpd_sockaddr *a)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a->addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->addr;

	return a->addr.ss_family == AF_INET
	    ? (const unsigned char *)&in->sin_addr
	    : (const unsigned char *)&in6->sin6_addr;
}

/* Whether the first BITS bits at A and B are the same. */
static bool
same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned mask = 0xff00u >> bits % 8;

	return memcmp(a, b, bits / 8) == 0 &&
	    (bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0);
}

/* Whether the bits of N that do not count are all 0. */
static bool
ends_with_zeros(const struct smtpd_network *n)
{
	struct smtpd_network other = *n;

	for (unsigned i = n->bits; i < 128; i++)
		other.bytes[i / 8] &= (unsigned char)~(0x80u >> i % 8);
	return memcmp(other.bytes, n->bytes, sizeof(n->bytes)) == 0;
}

/* Read the number of bits behind the slash; without one, all MAX count. */
static int
parse_bits(const char *slash, unsigned max, unsigned *out)
{
	unsigned bits = 0;

	*out = max;
	if (slash == NULL)
		return 0;
	for (const char *c = slash + 1; *c != '\0'; c++) {
		if (!smtpd__text_is_digit((unsigned char)*c))
			return -1;
		bits = bits * 10 + (unsigned)(*c - '0');
		if (bits > max)
			return -1;
	}
	*out = bits;
	return slash[1] != '\0' ? 0 : -1;
}

int
smtpd__network_parse(const char *text, struct smtpd_network *out)
{
	const char *slash = strchr(text, '/');
	char host[SMTPD_ADDRESS_TEXT_SIZE];
	struct in6_addr *in6 = (struct in6_addr *)(void *)out->bytes;
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);

	memset(out, 0, sizeof(*out));
	out->family = AF_UNIX;
	if (strcmp(text, "local") == 0)
		return 0;
	if (len >= sizeof(host))
		return -1;
	memcpy(host, text, len);
	host[len] = '\0';
	out->family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(out->family, host, out->bytes) != 1 ||
	    (out->family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(in6)) ||
	    parse_bits(slash, out->family == AF_INET ? 32 : 128, &out->bits) ==
		-1)
		return -1;
	return ends_with_zeros(out) ? 0 : -1;
}

static bool
has_address(const struct smtpd_network *n, const struct smtpd_sockaddr *a)
{
	if (n->family == AF_UNIX || smtpd__socket_is_local(a))
		return n->family == AF_UNIX && smtpd__socket_is_local(a);
	return a->addr.ss_family == n->family &&
	    same_bits(n->bytes, bytes_of(a), n->bits);
}

int
smtpd__network_list_add(
    struct smtpd_networks *list, const struct smtpd_network *n)
{
	struct smtpd_network *more =
	    realloc(list->list, (list->count + 1) * sizeof(*more));

	if (more == NULL)
		return -1;
	list->list = more;
	more[list->count++] = *n;
	return 0;
}

bool
smtpd__network_list_has(
    const struct smtpd_networks *list, const struct smtpd_sockaddr *a)
{
	for (size_t i = 0; i < list->count; i++) {
		if (has_address(&list->list[i], a))
			return true;
	}
	return false;
}

void
smtpd__network_list_finish(struct smtpd_networks *list)
{
	free(list->list);
}
