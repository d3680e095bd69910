/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_NET_SOCKET_H
#define SMTPD_NET_SOCKET_H

/*
 * Addresses as text, sockets that listen or were accepted, and the networks
 * that peers are in.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Room for the text of any address with its port, or of a UNIX path. */
#define SMTPD_SOCKET_TEXT_MAX 120

/* After so many milliseconds a wait for input counts as rest. */
#define SMTPD_SOCKET_REST_MS 2000

struct smtpd_sockaddr {
	struct sockaddr_storage addr;
	socklen_t len;
};

/*
 * Read "192.0.2.1:25", "[2001:db8::1]:25" or an absolute path.  Return 0 or
 * -1 with errno: EINVAL, or ENOMEM.
 */
int smtpd__socket_parse(const char *text, struct smtpd_sockaddr *out);

/* Write the address A with its port as smtpd__socket_parse() reads it to BUF of
 * SMTPD_SOCKET_TEXT_MAX bytes. */
void smtpd__socket_text(const struct smtpd_sockaddr *a, char *buf);

/* Write the host of A alone: "192.0.2.1", "2001:db8::1", "local" when it is no
 * Internet address, or "unknown" when the text of one cannot be made. */
void smtpd__socket_host(const struct smtpd_sockaddr *a, char *buf, size_t size);

/* The port of A, 0 when it is no Internet address. */
unsigned smtpd__socket_port(const struct smtpd_sockaddr *a);

/* Whether A is no Internet address: a UNIX socket, a pipe, a terminal. */
bool smtpd__socket_is_local(const struct smtpd_sockaddr *a);

/* Make OUT the address of FAMILY, AF_INET or AF_INET6, whose BYTES and PORT are
 * given; one of IPv4 that is mapped into IPv6 is told as IPv4. */
void smtpd__socket_make(
    int family, const void *bytes, uint16_t port, struct smtpd_sockaddr *out);

/* Read a host alone, "192.0.2.1" or "2001:db8::1", with PORT, as
 * smtpd__socket_make() makes it.  Return 0, or -1 when it is none. */
int smtpd__socket_parse_host(
    const char *host, uint16_t port, struct smtpd_sockaddr *out);

/* Find out the peer of FD: no address (LEN is 0) unless it is a socket; of a
 * socket of the Internet whose peer went already, the family alone.  It is told
 * as by smtpd__socket_make(). */
void smtpd__socket_peer(int fd, struct smtpd_sockaddr *out);

/*
 * Bind to A and listen.  A UNIX path that nobody listens on any more is used
 * again.  ABSENT: this machine may not have the address, or not yet.  Return a
 * descriptor that does not block, or -1 with errno.
 */
int smtpd__socket_listen(const struct smtpd_sockaddr *a, bool absent);

/* Bind FD, which will connect, to the address A, whatever its port.  Return 0
 * or -1 with errno. */
int smtpd__socket_bind(int fd, const struct smtpd_sockaddr *a);

/* Find out the address FD is bound to.  Return 0 or -1 with errno. */
int smtpd__socket_local(int fd, struct smtpd_sockaddr *out);

/*
 * Accept a connection that is there: a descriptor that blocks, and sends at
 * once; an IPv4 peer that was mapped into IPv6 is told as IPv4.  Return -1 with
 * errno.
 */
int smtpd__socket_accept(int listener, struct smtpd_sockaddr *peer);

/* Let FD wait for input no longer than SMTPD_SOCKET_REST_MS.  Return 0, or -1
 * with errno. */
int smtpd__socket_set_rest(int fd);

/* Make FD, a connection that was accepted elsewhere, as smtpd__socket_accept()
 * makes them. */
void smtpd__socket_prepare(int fd);

/* Find out which user connected FD, a UNIX socket.  Return 0, or -1 when it is
 * another descriptor or the system does not tell. */
int smtpd__socket_uid(int fd, uid_t *uid);

/* Whether the connection of FD breaks within MS milliseconds; a peer that only
 * sends no more may still read.  FD -1: it does not. */
bool smtpd__socket_hangs_up(int fd, int ms);

/* What limits count by: the family and the leading bits of an address. */
struct smtpd_socket_key {
	unsigned char bytes[18];
};

/* The key of A itself, or of its network (IPv4 /24, IPv6 /64).  Return false
 * when A is no Internet address. */
bool smtpd__socket_key(
    const struct smtpd_sockaddr *a, bool network, struct smtpd_socket_key *out);

#endif
