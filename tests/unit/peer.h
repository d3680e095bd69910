/* SPDX-License-Identifier: MIT */
#ifndef UNIT_PEER_H
#define UNIT_PEER_H

/* A client for tests of the server: blocking, but never for long. */

#include <stdbool.h>
#include <stddef.h>

struct peer {
	int fd;
	char in[4096]; /* what came and was not looked at yet */
	size_t len;
	char text[4096]; /* the last reply, its lines ended by LF */
};

/* Connect to ADDRESS as smtpd_server_address() gives it, from IPv4 address
 * SOURCE (NULL: any).  Return 0 or -1 with errno. */
int peer_open(struct peer *p, const char *address, const char *source);

/* Talk over FD, which is the peer's from now on. */
void peer_adopt(struct peer *p, int fd);

void peer_close(struct peer *p);

/* Send TEXT as it is; what cannot be sent is lost. */
void peer_send(const struct peer *p, const char *text);

/* The code of the next reply; 0: the server closed; -1: nothing came. */
int peer_reply(struct peer *p);

/* Send LINE and CRLF, and return the code of the reply. */
int peer_say(struct peer *p, const char *line);

/* Take the greeting and say EHLO; whether both went well. */
bool peer_hello(struct peer *p);

/* Send one message with BODY (without its final dot) to RCPT, the commands in
 * one group; the code of the last reply. */
int peer_deliver(struct peer *p, const char *rcpt, const char *body);

/* MAIL, RCPT and DATA, up to 354; whether it came. */
bool peer_begin_message(struct peer *p);

/* Open P and say EHLO, again and again until it is welcome: whether it was
 * within a few seconds. */
bool peer_get_in(struct peer *p, const char *address, const char *source);

/* Sleep for MS milliseconds. */
void peer_wait(int ms);

#endif
