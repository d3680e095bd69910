/* SPDX-License-Identifier: MIT */
#ifndef QUEUE_REQUEST_H
#define QUEUE_REQUEST_H

/*
 * A request to the queue of smtpout, whether smtpout runs or not.
 */

#include <stddef.h>

/* Send the COUNT words of a request to the queue in DIRECTORY, and print the
 * answer; a terminal gets no control bytes.  Return an exit status, after a
 * complaint as PROGRAM where it is not 0. */
int queue_request_send(const char *program, const char *directory,
    const char *const *words, size_t count);

#endif
