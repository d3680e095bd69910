/* SPDX-License-Identifier: MIT */
#include "resolve/dns_servers.h"

#include <errno.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r\n"

/* One address, with what smtpd__socket_parse() wants besides. */
static int
parse_server(const char *word, struct smtpd_sockaddr *out)
{
	const char *colon = strchr(word, ':');
	bool bracket = *word == '[';
	bool bare = !bracket && colon != NULL && strchr(colon + 1, ':') != NULL;
	bool port = bracket ? strstr(word, "]:") != NULL : colon != NULL;
	char text[SMTPD_SOCKET_TEXT_MAX];
	int len = snprintf(text, sizeof(text), "%s%s%s%s", bare ? "[" : "",
	    word, bare ? "]" : "", bare || !port ? ":53" : "");

	if (*word == '/' || len >= (int)sizeof(text) ||
	    smtpd__socket_parse(text, out) != 0)
		return -1;
	/* The port stands at the same place in both families. */
	return ((struct sockaddr_in *)&out->addr)->sin_port == 0 ? -1 : 0;
}

int
smtpd__dns_servers_parse(const char *text, struct smtpd_dns_servers *out)
{
	char word[SMTPD_SOCKET_TEXT_MAX];

	memset(out, 0, sizeof(*out));
	errno = EINVAL;
	for (text += strspn(text, BLANKS); *text != '\0';
	    text += strspn(text, BLANKS)) {
		size_t len = strcspn(text, BLANKS);

		if (len >= sizeof(word) || out->count == SMTPD_DNS_SERVERS_MAX)
			return -1;
		memcpy(word, text, len);
		word[len] = '\0';
		text += len;
		if (parse_server(word, &out->list[out->count]) != 0) {
			errno = EINVAL;
			return -1;
		}
		out->count++;
	}
	return out->count > 0 ? 0 : -1;
}

static void
add_server(struct smtpd_dns_servers *out, const void *address, socklen_t len)
{
	struct smtpd_sockaddr *to = &out->list[out->count++];

	memcpy(&to->addr, address, len);
	to->len = len;
}

/* An IPv6 server stands in an extension, with family 0 in its old place. */
int
smtpd__dns_servers_system(struct smtpd_dns_servers *out)
{
	struct __res_state state;

	memset(out, 0, sizeof(*out));
	memset(&state, 0, sizeof(state));
	if (res_ninit(&state) != 0)
		return -1;
	for (int i = 0; i < state.nscount && i < MAXNS; i++) {
		const struct sockaddr_in *in = &state.nsaddr_list[i];
		const struct sockaddr_in6 *in6 = state._u._ext.nsaddrs[i];

		if (in->sin_family == AF_INET)
			add_server(out, in, sizeof(*in));
		else if (in6 != NULL)
			add_server(out, in6, sizeof(*in6));
	}
#ifdef RES_TRUSTAD
	out->trusted = (state.options & RES_TRUSTAD) != 0;
#endif
	res_nclose(&state);
	errno = EINVAL;
	return out->count > 0 ? 0 : -1;
}

bool
smtpd__dns_servers_is_local(const struct smtpd_sockaddr *a)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a->addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->addr;

	if (in->sin_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return in6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}
