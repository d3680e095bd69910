/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "net/proxy_header.h"

/* The two say the same. */
static void
must_be_same(
    const struct smtpd_proxy_header *a, const struct smtpd_proxy_header *b)
{
	must(a->relayed == b->relayed);
	must(a->peer.len == b->peer.len);
	must(memcmp(&a->peer.addr, &b->peer.addr, sizeof(a->peer.addr)) == 0);
}

/* A client of the Internet, and of IPv4 where that is what it says. */
static void
must_be_client(const struct smtpd_sockaddr *peer)
{
	struct smtpd_socket_key key;
	char host[64];

	must(!smtpd__socket_is_local(peer));
	must(smtpd__socket_key(peer, false, &key));
	smtpd__socket_host(peer, host, sizeof(host));
	must(strncmp(host, "::ffff:", 7) != 0 || strchr(host, '.') == NULL);
}

/* As a session reads it, no more at a time than are missing; return how much
 * that is, -1 when it is no header, and 0 when the input ends before it. */
static int
read_in_parts(const char *data, size_t size, struct smtpd_proxy_header *header)
{
	size_t len = 0;

	for (;;) {
		const char *fault = NULL;
		char *copy = malloc(len > 0 ? len : 1);
		int missing;

		must(copy != NULL);
		memcpy(copy, data, len);
		missing = smtpd__proxy_header_read(copy, len, header, &fault);
		free(copy);
		must((missing == -1) == (fault != NULL));
		if (missing <= 0)
			return missing == 0 ? (int)len : -1;
		must(len + (size_t)missing <= SMTPD_PROXY_HEADER_MAX);
		if (size - len < (size_t)missing)
			return 0;
		len += (size_t)missing;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtpd_proxy_header header, whole;
	const char *fault;
	int len =
	    size > 0 ? read_in_parts((const char *)data, size, &header) : 0;

	if (len <= 0)
		return 0;
	must(smtpd__proxy_header_read(
		 (const char *)data, (size_t)len, &whole, &fault) == 0);
	must_be_same(&header, &whole);
	if (header.relayed)
		must_be_client(&header.peer);
	return 0;
}
