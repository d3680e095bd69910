/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_PROTOCOL_H
#define SMTPD_QUEUE_CONTROL_PROTOCOL_H

/*
 * The bytes between an operator's program and the process that has the queue
 * open, over the UNIX socket `control` in the queue's directory.
 *
 * A request is one line: words divided by NUL, ended by a newline.  An answer
 * is a number of blocks, each a line "+LENGTH" and so many bytes, and then a
 * line "=ERRNO TEXT", where ERRNO is 0 on success and TEXT is the end of
 * struct smtpd_control_call.  Without that line the answer was cut off.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

#define SMTPD_CONTROL_NAME "control"

/* The most words of a request. */
#define SMTPD_CONTROL_WORDS 8

/* The most octets of a request, and of the text that ends an answer. */
#define SMTPD_CONTROL_LINE_MAX 2048

/* Set OUT to the address of the socket in the directory DIR_FD, which must stay
 * open while OUT is used.  It is short, however long the directory's path. */
void smtpd__control_protocol_address(int dir_fd, struct sockaddr_un *out);

/* Write COUNT words as a request to BUF of SIZE bytes.  Return its length, or
 * -1 if there is no room, or one of them has a newline. */
int smtpd__control_protocol_format(
    const char *const *words, size_t count, char *buf, size_t size);

/*
 * Divide a request of LEN bytes, its newline included, into at most
 * SMTPD_CONTROL_WORDS words at WORDS, which point into it.  Return their
 * number, or -1 if it is malformed.
 */
int smtpd__control_protocol_parse(char *line, size_t len, const char **words);

#endif
