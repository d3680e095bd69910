/* SPDX-License-Identifier: MIT */
#include "net/peer_owner.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/socket.h"

#ifdef __linux__
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdint.h>

/* States of a socket that connect() has bound to one peer: those of one that is
 * only asking for that could belong to anybody. */
#define STATES                                                               \
	(1U << TCP_ESTABLISHED | 1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | \
	    1U << TCP_CLOSE_WAIT | 1U << TCP_LAST_ACK | 1U << TCP_CLOSING)

/* Both ends of a connection; those of IPv4 that are mapped into IPv6 are told
 * as IPv4. */
struct ends {
	struct smtpd_sockaddr from, to;
};

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

/* Map what the system wrote to A. */
static void
set_plain(struct smtpd_sockaddr *a, const struct sockaddr_storage *addr)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;

	if (addr->ss_family == AF_INET)
		smtpd__socket_make(
		    AF_INET, &in->sin_addr, ntohs(in->sin_port), a);
	else
		smtpd__socket_make(
		    AF_INET6, &in6->sin6_addr, ntohs(in6->sin6_port), a);
}

/* Find out the ends of FD, its peer's first.  Return 0, or -1 when it has
 * none. */
static int
find_ends(int fd, struct ends *e)
{
	struct sockaddr_storage own = { .ss_family = AF_UNSPEC }, peer = own;
	socklen_t own_len = sizeof(own), peer_len = sizeof(peer);

	if (getsockname(fd, (struct sockaddr *)&own, &own_len) == -1 ||
	    getpeername(fd, (struct sockaddr *)&peer, &peer_len) == -1 ||
	    own.ss_family != peer.ss_family ||
	    (own.ss_family != AF_INET && own.ss_family != AF_INET6))
		return -1;
	set_plain(&e->from, &peer);
	set_plain(&e->to, &own);
	return e->from.addr.ss_family == e->to.addr.ss_family ? 0 : -1;
}

/* Write address and port of A as the kernel's interface has them. */
static void
write_end(const struct smtpd_sockaddr *a, __be32 *address, __be16 *port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a->addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->addr;

	if (a->addr.ss_family == AF_INET) {
		memcpy(address, &in->sin_addr, sizeof(in->sin_addr));
		*port = in->sin_port;
	} else {
		memcpy(address, &in6->sin6_addr, sizeof(in6->sin6_addr));
		*port = in6->sin6_port;
	}
}

/* Whether A is what M says of one end of the socket: the kernel may answer with
 * one that only listens at it. */
static bool
is_end(const struct smtpd_sockaddr *a, const struct inet_diag_msg *m,
    const __be32 *address, __be16 port)
{
	struct smtpd_sockaddr found;
	struct smtpd_socket_key wanted_key, found_key;

	smtpd__socket_make(m->idiag_family == AF_INET ? AF_INET : AF_INET6,
	    address, ntohs(port), &found);
	return smtpd__socket_key(a, false, &wanted_key) &&
	    smtpd__socket_key(&found, false, &found_key) &&
	    memcmp(&wanted_key, &found_key, sizeof(found_key)) == 0 &&
	    smtpd__socket_port(a) == ntohs(port);
}

/* Read an answer.  Return 0, or -1 when it does not say whose it is: where no
 * process has it open, its user is told as 0. */
static int
read_answer(const struct ends *e, const char *buf, size_t len, uid_t *uid)
{
	struct nlmsghdr header;
	struct inet_diag_msg m;

	if (len < NLMSG_LENGTH(sizeof(m)))
		return -1;
	memcpy(&header, buf, sizeof(header));
	memcpy(&m, buf + NLMSG_HDRLEN, sizeof(m));
	if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || m.idiag_inode == 0 ||
	    (STATES & 1U << m.idiag_state) == 0 ||
	    !is_end(&e->from, &m, m.id.idiag_src, m.id.idiag_sport) ||
	    !is_end(&e->to, &m, m.id.idiag_dst, m.id.idiag_dport))
		return -1;
	*uid = m.idiag_uid;
	return 0;
}

/* The kernel answers before send() returns. */
static int
ask_kernel(const struct ends *e, uid_t *uid)
{
	struct request r = {
		.header = {
			.nlmsg_len = sizeof(r),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.body = {
			.sdiag_family = (uint8_t)e->from.addr.ss_family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = STATES,
			.id.idiag_cookie = { INET_DIAG_NOCOOKIE,
			    INET_DIAG_NOCOOKIE },
		},
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	char buf[2048];
	ssize_t n = -1;

	if (fd == -1)
		return -1;
	write_end(&e->from, r.body.id.idiag_src, &r.body.id.idiag_sport);
	write_end(&e->to, r.body.id.idiag_dst, &r.body.id.idiag_dport);
	if (send(fd, &r, sizeof(r), 0) == (ssize_t)sizeof(r))
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	close(fd);
	return n > 0 ? read_answer(e, buf, (size_t)n, uid) : -1;
}

int
smtpd__peer_owner_find(int fd, uid_t *uid)
{
	struct ends e;

	return find_ends(fd, &e) == 0 ? ask_kernel(&e, uid) : -1;
}
#else
int
smtpd__peer_owner_find(int fd, uid_t *uid)
{
	(void)fd;
	(void)uid;
	return -1;
}
#endif
