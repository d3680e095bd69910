/* SPDX-License-Identifier: MIT */
#include "dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

/* Connections that are kept open to say nothing. */
#define SILENT_MAX 16

/* Between two bytes that drip. */
#define DRIP_MS 50

struct dns_server {
	int udp;
	int tcp;
	int stop[2];
	int silent[SILENT_MAX];
	size_t nsilent;
	dns_answer_fn *answer;
	void *user;
	char address[32];
	atomic_uint questions;
	pthread_t thread;
	struct dns_reply reply;
};

static void
check(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	abort();
}

static bool
is_stopped(struct dns_server *s, int ms)
{
	struct pollfd pfd = { .fd = s->stop[0], .events = POLLIN };

	return poll(&pfd, 1, ms) > 0;
}

/* The question is one that the resolver wrote: well-formed. */
static void
read_query(const unsigned char *at, struct dns_query *q)
{
	size_t len = 0;

	q->id = (uint16_t)(at[0] << 8 | at[1]);
	q->edns = at[11] == 1;
	q->unchecked = at[3] & 0x10;
	for (at += 12; *at != 0; at += *at + 1) {
		for (unsigned i = 1; i <= *at; i++)
			q->name[len++] = (char)smtpd__text_to_lower(at[i]);
		q->name[len++] = '.';
	}
	q->name[len > 0 ? len - 1 : 0] = '\0';
	q->type = (unsigned)(at[1] << 8 | at[2]);
}

static void
make_reply(struct dns_server *s, const unsigned char *query, bool tcp)
{
	struct dns_query q = { .tcp = tcp };

	atomic_fetch_add(&s->questions, 1);
	read_query(query, &q);
	s->reply.how = DNS_SEND;
	dns_begin(&s->reply.p, q.id, DNS_QR | DNS_RD | DNS_RA);
	dns_question(&s->reply.p, q.name, q.type);
	s->answer(s->user, &q, &s->reply);
}

static void
send_udp(int fd, const struct dns_packet *p, const struct sockaddr_in *to)
{
	sendto(fd, p->at, p->len, 0, (const struct sockaddr *)to, sizeof(*to));
}

static void
send_from_elsewhere(const struct dns_packet *p, const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	check(fd >= 0, "socket");
	send_udp(fd, p, to);
	close(fd);
}

/* The answer with a wrong id, as a question, cut off, and as noise. */
static void
send_strays(int fd, struct dns_packet *p, const struct sockaddr_in *to)
{
	const size_t len = p->len;

	p->at[0] ^= 1;
	send_udp(fd, p, to);
	p->at[0] ^= 1;
	p->at[2] ^= 0x80;
	send_udp(fd, p, to);
	p->at[2] ^= 0x80;
	p->at[13] ^= 1;
	send_udp(fd, p, to);
	p->at[13] ^= 1;
	for (p->len = 0; p->len < 20; p->len += 3)
		send_udp(fd, p, to);
	p->len = len;
	send_from_elsewhere(p, to);
}

static void
serve_udp(struct dns_server *s)
{
	unsigned char query[512];
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);

	if (recvfrom(s->udp, query, sizeof(query), 0, (struct sockaddr *)&peer,
		&len) < 12)
		return;
	make_reply(s, query, false);
	if (s->reply.how == DNS_SILENT)
		return;
	if (s->reply.how == DNS_OTHER_PORT) {
		send_from_elsewhere(&s->reply.p, &peer);
		return;
	}
	if (s->reply.how == DNS_AFTER_STRAYS)
		send_strays(s->udp, &s->reply.p, &peer);
	send_udp(s->udp, &s->reply.p, &peer);
}

static void
send_all(int fd, const unsigned char *at, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

static void
drip(struct dns_server *s, int fd, const unsigned char *at, size_t len)
{
	for (; len > 0 && !is_stopped(s, DRIP_MS); at++, len--)
		if (send(fd, at, 1, MSG_NOSIGNAL) != 1)
			return;
}

static void
reset(int fd)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void
reply_tcp(struct dns_server *s, int fd)
{
	const struct dns_packet *p = &s->reply.p;
	const unsigned char prefix[2] = { (unsigned char)(p->len >> 8),
		(unsigned char)p->len };

	if (s->reply.how == DNS_RESET) {
		reset(fd);
		return;
	}
	send_all(fd, prefix, 2);
	if (s->reply.how == DNS_DRIP)
		drip(s, fd, p->at, p->len);
	else
		send_all(
		    fd, p->at, s->reply.how == DNS_HALF ? p->len / 2 : p->len);
}

static void
serve_tcp(struct dns_server *s)
{
	int fd = accept(s->tcp, NULL, NULL);
	unsigned char query[514];

	if (fd < 0)
		return;
	if (recv(fd, query, sizeof(query), 0) > 14) {
		make_reply(s, query + 2, true);
		if (s->reply.how == DNS_SILENT && s->nsilent < SILENT_MAX) {
			s->silent[s->nsilent++] = fd;
			return;
		}
		reply_tcp(s, fd);
	}
	close(fd);
}

static void *
run(void *arg)
{
	struct dns_server *s = arg;

	for (;;) {
		struct pollfd pfds[] = {
			{ .fd = s->stop[0], .events = POLLIN },
			{ .fd = s->udp, .events = POLLIN },
			{ .fd = s->tcp, .events = POLLIN },
		};

		if (poll(pfds, 3, -1) < 0)
			continue;
		if (pfds[0].revents != 0)
			return NULL;
		if (pfds[1].revents != 0)
			serve_udp(s);
		if (pfds[2].revents != 0)
			serve_tcp(s);
	}
}

/* A port that is free for both. */
static void
open_sockets(struct dns_server *s)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int tries = 0; tries < 100; tries++) {
		in.sin_port = 0;
		s->udp = socket(AF_INET, SOCK_DGRAM, 0);
		s->tcp = socket(AF_INET, SOCK_STREAM, 0);
		check(s->udp >= 0 && s->tcp >= 0, "socket");
		check(bind(s->tcp, (struct sockaddr *)&in, len) == 0, "bind");
		check(getsockname(s->tcp, (struct sockaddr *)&in, &len) == 0,
		    "getsockname");
		if (bind(s->udp, (struct sockaddr *)&in, len) == 0)
			break;
		close(s->udp);
		close(s->tcp);
	}
	check(listen(s->tcp, 64) == 0, "listen");
	snprintf(
	    s->address, sizeof(s->address), "127.0.0.1:%u", ntohs(in.sin_port));
}

struct dns_server *
dns_server_start(dns_answer_fn *answer, void *user)
{
	struct dns_server *s = calloc(1, sizeof(*s));

	check(s != NULL, "calloc");
	s->answer = answer;
	s->user = user;
	open_sockets(s);
	check(pipe(s->stop) == 0, "pipe");
	check(pthread_create(&s->thread, NULL, run, s) == 0, "thread");
	return s;
}

void
dns_server_stop(struct dns_server *s)
{
	check(write(s->stop[1], "", 1) == 1, "write");
	pthread_join(s->thread, NULL);
	for (size_t i = 0; i < s->nsilent; i++)
		close(s->silent[i]);
	close(s->stop[0]);
	close(s->stop[1]);
	close(s->udp);
	close(s->tcp);
	free(s);
}

const char *
dns_server_address(const struct dns_server *s)
{
	return s->address;
}

unsigned
dns_server_questions(struct dns_server *s)
{
	return atomic_load(&s->questions);
}
