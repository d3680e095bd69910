/* SPDX-License-Identifier: MIT */
#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/sizes.h"
#include "os/fd.h"

/* Connections that may wait to be accepted; the system has its own limit. */
#define BACKLOG 4096

static int
parse_path(const char *path, struct smtpd_sockaddr *out)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&out->addr;
	size_t len = strlen(path);

	if (len >= sizeof(un->sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memset(out, 0, sizeof(*out));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, len + 1);
	out->len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	return 0;
}

/* Divide "host:port" or "[host]:port" into HOST and what follows the colon. */
static const char *
split_host(const char *text, char *host, size_t size)
{
	const char *end, *begin = text;
	bool bracket = *text == '[';

	if (bracket)
		begin = text + 1;
	end = strchr(begin, bracket ? ']' : ':');
	if (end == NULL || end == begin || (size_t)(end - begin) >= size)
		return NULL;
	memcpy(host, begin, (size_t)(end - begin));
	host[end - begin] = '\0';
	if (bracket)
		end++;
	return *end == ':' ? end + 1 : NULL;
}

int
smtpd__socket_parse(const char *text, struct smtpd_sockaddr *out)
{
	struct addrinfo hints = {
		.ai_family = *text == '[' ? AF_INET6 : AF_INET,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *found;
	struct in_addr ipv4;
	char host[SMTPD_ADDRESS_TEXT_SIZE];
	const char *port;
	int error = EAI_NONAME;

	if (*text == '/')
		return parse_path(text, out);
	errno = EINVAL;
	port = split_host(text, host, sizeof(host));
	if (port == NULL || *port == '\0' || strlen(port) > 5 ||
	    strspn(port, "0123456789") != strlen(port) ||
	    strtoul(port, NULL, 10) > 65535)
		return -1;
	/* getaddrinfo() takes 127.1 and 0177.0.0.1 as well. */
	if (*text == '[' || inet_pton(AF_INET, host, &ipv4) == 1)
		error = getaddrinfo(host, port, &hints, &found);
	if (error != 0) {
		errno = error == EAI_MEMORY ? ENOMEM : EINVAL;
		return -1;
	}
	memset(out, 0, sizeof(*out));
	memcpy(&out->addr, found->ai_addr, found->ai_addrlen);
	out->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

bool
smtpd__socket_is_local(const struct smtpd_sockaddr *a)
{
	return a->len == 0 ||
	    (a->addr.ss_family != AF_INET && a->addr.ss_family != AF_INET6);
}

void
smtpd__socket_host(const struct smtpd_sockaddr *a, char *buf, size_t size)
{
	const struct sockaddr *addr = (const struct sockaddr *)&a->addr;

	if (smtpd__socket_is_local(a))
		snprintf(buf, size, "local");
	else if (getnameinfo(addr, a->len, buf, (socklen_t)size, NULL, 0,
		     NI_NUMERICHOST) != 0)
		snprintf(buf, size, "unknown");
}

unsigned
smtpd__socket_port(const struct smtpd_sockaddr *a)
{
	/* The port stands at the same place in both families. */
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a->addr;

	return smtpd__socket_is_local(a) ? 0 : ntohs(in->sin_port);
}

void
smtpd__socket_text(const struct smtpd_sockaddr *a, char *buf)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a->addr;
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->addr;
	char host[SMTPD_ADDRESS_TEXT_SIZE];

	if (in->sin_family == AF_UNIX) {
		snprintf(buf, SMTPD_SOCKET_TEXT_MAX, "%s",
		    a->len > offsetof(struct sockaddr_un, sun_path)
			? un->sun_path
			: "");
		return;
	}
	smtpd__socket_host(a, host, sizeof(host));
	snprintf(buf, SMTPD_SOCKET_TEXT_MAX,
	    in->sin_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host,
	    smtpd__socket_port(a));
}

/*
 * A socket file stays behind when its process is killed.  If nobody listens
 * on it, it is in nobody's use; one whose backlog is full (EAGAIN) is.
 */
static void
remove_stale(const struct smtpd_sockaddr *a)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->addr;
	struct stat st;
	int fd;

	if (lstat(un->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)un, a->len) != 0 &&
	    errno == ECONNREFUSED)
		unlink(un->sun_path);
	close(fd);
}

/* Let FD be bound to an address that is tested still (tentative), or gone. */
static void
allow_absent(int fd, int family)
{
	const int on = 1;

#ifdef IP_FREEBIND
	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
#endif
#ifdef IPV6_FREEBIND
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
#endif
	(void)fd, (void)family, (void)on;
}

int
smtpd__socket_listen(const struct smtpd_sockaddr *a, bool absent)
{
	const struct sockaddr *addr = (const struct sockaddr *)&a->addr;
	const int on = 1;
	int fd = socket(
	    addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (addr->sa_family == AF_UNIX)
		remove_stale(a);
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (addr->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (absent)
		allow_absent(fd, addr->sa_family);
	if (bind(fd, addr, a->len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	smtpd__fd_close(fd);
	return -1;
}

/* The port is chosen when it connects, where the system can do that: there are
 * more of them then, as only the pair of addresses must be new. */
int
smtpd__socket_bind(int fd, const struct smtpd_sockaddr *a)
{
#ifdef IP_BIND_ADDRESS_NO_PORT
	const int on = 1;

	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
#endif
	return bind(fd, (const struct sockaddr *)&a->addr, a->len);
}

int
smtpd__socket_local(int fd, struct smtpd_sockaddr *out)
{
	memset(out, 0, sizeof(*out));
	out->len = sizeof(out->addr);
	return getsockname(fd, (struct sockaddr *)&out->addr, &out->len);
}

static void
unmap_ipv4(struct smtpd_sockaddr *a)
{
	const struct sockaddr_in6 in6 = *(struct sockaddr_in6 *)&a->addr;
	struct sockaddr_in *in = (struct sockaddr_in *)&a->addr;

	if (in6.sin6_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		return;
	memset(a, 0, sizeof(*a));
	in->sin_family = AF_INET;
	in->sin_port = in6.sin6_port;
	memcpy(&in->sin_addr, &in6.sin6_addr.s6_addr[12], 4);
	a->len = sizeof(*in);
}

void
smtpd__socket_make(
    int family, const void *bytes, uint16_t port, struct smtpd_sockaddr *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&out->addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->addr;

	memset(out, 0, sizeof(*out));
	/* The port stands at the same place in both families. */
	in->sin_family = (sa_family_t)family;
	in->sin_port = htons(port);
	if (family == AF_INET) {
		memcpy(&in->sin_addr, bytes, sizeof(in->sin_addr));
		out->len = sizeof(*in);
		return;
	}
	memcpy(&in6->sin6_addr, bytes, sizeof(in6->sin6_addr));
	out->len = sizeof(*in6);
	unmap_ipv4(out);
}

int
smtpd__socket_parse_host(
    const char *host, uint16_t port, struct smtpd_sockaddr *out)
{
	const int family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
	unsigned char bytes[16];

	if (inet_pton(family, host, bytes) != 1)
		return -1;
	smtpd__socket_make(family, bytes, port, out);
	return 0;
}

void
smtpd__socket_peer(int fd, struct smtpd_sockaddr *out)
{
	memset(out, 0, sizeof(*out));
	out->len = sizeof(out->addr);
	if (getpeername(fd, (struct sockaddr *)&out->addr, &out->len) == 0) {
		unmap_ipv4(out);
		return;
	}
	if (smtpd__socket_local(fd, out) == 0)
		out->len = sizeof(out->addr.ss_family);
	else
		out->len = 0;
}

int
smtpd__socket_accept(int listener, struct smtpd_sockaddr *peer)
{
	const int on = 1;
	int fd;

	memset(peer, 0, sizeof(*peer));
	peer->len = sizeof(peer->addr);
	fd = accept4(
	    listener, (struct sockaddr *)&peer->addr, &peer->len, SOCK_CLOEXEC);
	if (fd < 0)
		return -1;
	if (peer->addr.ss_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	unmap_ipv4(peer);
	return fd;
}

void
smtpd__socket_prepare(int fd)
{
	const int on = 1;
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (flags != -1)
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	/* Of no meaning for UNIX sockets. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int
smtpd__socket_set_rest(int fd)
{
	const struct timeval rest = {
		.tv_sec = SMTPD_SOCKET_REST_MS / 1000,
		.tv_usec = SMTPD_SOCKET_REST_MS % 1000 * 1000,
	};

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &rest, sizeof(rest));
}

int
smtpd__socket_uid(int fd, uid_t *uid)
{
#ifdef __linux__
	struct smtpd_sockaddr local;
	struct ucred cred;
	socklen_t len = sizeof(cred);

	/* Of other sockets it tells nobody's. */
	if (smtpd__socket_local(fd, &local) != 0 ||
	    local.addr.ss_family != AF_UNIX ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return -1;
	*uid = cred.uid;
	return 0;
#else
	(void)fd;
	(void)uid;
	return -1;
#endif
}

bool
smtpd__socket_hangs_up(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd };

	return poll(&pfd, 1, ms) > 0;
}

bool
smtpd__socket_key(
    const struct smtpd_sockaddr *a, bool network, struct smtpd_socket_key *out)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a->addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->addr;

	memset(out, 0, sizeof(*out));
	out->bytes[1] = network;
	if (a->len == 0)
		return false;
	if (in->sin_family == AF_INET) {
		out->bytes[0] = 4;
		memcpy(out->bytes + 2, &in->sin_addr, network ? 3 : 4);
		return true;
	}
	if (in->sin_family == AF_INET6) {
		out->bytes[0] = 6;
		memcpy(out->bytes + 2, &in6->sin6_addr, network ? 8 : 16);
		return true;
	}
	return false;
}
