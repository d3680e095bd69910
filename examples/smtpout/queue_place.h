/* SPDX-License-Identifier: MIT */
#ifndef QUEUE_PLACE_H
#define QUEUE_PLACE_H

/*
 * The directory of the queue, as it can be known beside another process that
 * has the queue open: is it there, and may this process use it?
 */

#include <stddef.h>

#include <smtpd/queue.h>

/* Whether DIRECTORY is there, or could be made: 0 or errno. */
int queue_place_find(const char *directory);

/* Whether this process may read and write DIRECTORY, if that is there, and what
 * a queue has in it: 0 or errno. */
int queue_place_use(const char *directory);

/*
 * Complain that the queue in DIRECTORY cannot be opened, for ERROR, with WHY in
 * words; USER, or NULL, is whom the program was to become.  Return an exit
 * status.
 */
int queue_place_complain(
    const char *directory, const char *user, int error, const char *why);

/* As smtpd_queue_open(), but wait up to two seconds for an operator or a
 * program that has the queue open for a moment. */
struct smtpd_queue *queue_place_open(const char *directory,
    const struct smtpd_queue_settings *settings, char *why, size_t size);

#endif
