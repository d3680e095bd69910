/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_PROTOCOL_H
#define SMTPD_QUEUE_CONTROL_PROTOCOL_H

/*
 * The bytes between an operator's command and the process that has the queue
 * open, over the UNIX socket `control` in the queue's directory.
 *
 * The request is one line: words divided by NUL, ended by a newline.  The
 * answer is blocks, each a line "+LENGTH" and so many bytes, and at last a
 * line "=ERRNO TEXT", where ERRNO is 0 on success and TEXT as END in
 * smtpd__control_commands_run().  An answer without that line was cut off.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

#define SMTPD_CONTROL_NAME "control"

/* The most words of a request. */
#define SMTPD_CONTROL_WORDS 8

/* Set OUT to the socket in the directory DIR_FD, which must stay open while
 * OUT is used: a name that is short however deep the directory lies. */
void smtpd__control_protocol_address(int dir_fd, struct sockaddr_un *out);

/* Write COUNT words as a request to BUF of SIZE bytes.  Return its length, or
 * -1 when there is no room, or one of them holds a newline. */
int smtpd__control_protocol_format(
    const char *const *words, size_t count, char *buf, size_t size);

/*
 * Divide a request of LEN bytes, its newline included, into at most
 * SMTPD_CONTROL_WORDS words at WORDS, which point into it.  Return their
 * number, or -1 when it is not one.
 */
int smtpd__control_protocol_parse(char *line, size_t len, const char **words);

#endif
