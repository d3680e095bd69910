/* SPDX-License-Identifier: MIT */
#include "resolve/dns_servers.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/fd.h"

#define BLANKS " \t\r\n"

/* Of a line in resolv.conf(5), and as many servers as it may name. */
#define LINE_SIZE  1024
#define SYSTEM_MAX 3

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

	errno = EINVAL;
	if (*word == '/' || len >= (int)sizeof(text) ||
	    smtpd__socket_parse(text, out) == -1)
		return -1;
	errno = EINVAL;
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
		if (parse_server(word, &out->list[out->count]) == -1)
			return -1;
		out->count++;
	}
	return out->count > 0 ? 0 : -1;
}

/* Add the server WORD, whose address may have a scope: "fe80::1%eth0". */
static void
add_server(char *word, struct smtpd_dns_servers *out)
{
	struct smtpd_sockaddr *to = &out->list[out->count];
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&to->addr;
	char *scope = strchr(word, '%');

	if (scope != NULL)
		*scope++ = '\0';
	if (out->count == SYSTEM_MAX || parse_server(word, to) != 0)
		return;
	if (scope != NULL && in6->sin6_family == AF_INET6)
		in6->sin6_scope_id = if_nametoindex(scope);
	out->count++;
}

/* One line of resolv.conf(5); what is not understood there is left to
 * others. */
static void
read_line(char *line, struct smtpd_dns_servers *out)
{
	char *rest;
	const char *key = strtok_r(line, BLANKS, &rest);
	char *word = key != NULL ? strtok_r(NULL, BLANKS, &rest) : NULL;

	if (word != NULL && strcmp(key, "nameserver") == 0)
		add_server(word, out);
	if (word == NULL || strcmp(key, "options") != 0)
		return;
	for (; word != NULL; word = strtok_r(NULL, BLANKS, &rest))
		if (strcmp(word, "trust-ad") == 0)
			out->trusted = true;
}

int
smtpd__dns_servers_system(const char *file, struct smtpd_dns_servers *out)
{
	char line[LINE_SIZE];
	FILE *f = fopen(file, "re");

	memset(out, 0, sizeof(*out));
	if (f == NULL && errno != ENOENT)
		return -1;
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		read_line(line, out);
	if (f != NULL)
		fclose(f);
	if (out->count == 0)
		return smtpd__dns_servers_parse("127.0.0.1", out);
	return 0;
}

int
smtpd__dns_servers_connect(const struct smtpd_sockaddr *server, int type)
{
	const struct sockaddr *addr = (const struct sockaddr *)&server->addr;
	int fd = socket(addr->sa_family, type, 0);

	if (fd < 0)
		return -1;
	if (smtpd__fd_prepare(fd) == 0 &&
	    (connect(fd, addr, server->len) == 0 || errno == EINPROGRESS))
		return fd;
	close(fd);
	return -1;
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

void
smtpd__dns_servers_write(
    const struct smtpd_dns_servers *servers, struct smtpd_text *text)
{
	char address[SMTPD_SOCKET_TEXT_MAX];

	for (size_t i = 0; i < servers->count; i++) {
		smtpd__socket_text(&servers->list[i], address);
		smtpd__text_format(text, "%s%s", i > 0 ? ", " : "", address);
	}
}
