/* SPDX-License-Identifier: MIT */
#ifndef USER_SHARES_H
#define USER_SHARES_H

/*
 * The mail that each local user may queue in a day: a program that submits
 * without end fills the queue for no other user.  It is counted in memory, and
 * what is counted is forgotten evenly in a day.  Root, and the user of this
 * process, have no limit.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"

/* Opaque; any thread may use it. */
struct user_shares;

/* Begin with SHARE octets for each user; 0: an eighth of the disk of the
 * directory QUEUE.  Return NULL with errno. */
struct user_shares *user_shares_create(
    uint64_t share, const char *queue, struct log *log);

/* NULL is fine. */
void user_shares_destroy(struct user_shares *u);

/* Whether UID may have another message of SIZE octets (0: unknown) at NOW, in
 * seconds of a clock that only goes on; where it may not for the first time,
 * the log says so. */
bool user_shares_has_room(
    struct user_shares *u, uid_t uid, uint64_t size, int64_t now);

/* Count a message of UID that is queued. */
void user_shares_add(
    struct user_shares *u, uid_t uid, uint64_t size, int64_t now);

#endif
