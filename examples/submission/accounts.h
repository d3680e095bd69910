/* SPDX-License-Identifier: MIT */
#ifndef ACCOUNTS_H
#define ACCOUNTS_H

/*
 * The users who may log in, by what their passwords are known, and which
 * addresses are theirs: read from a file, and again when it changes, while
 * sessions look into it.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <smtpd/address.h>

#include "accounts_file.h"
#include "file_stamp.h"
#include "log.h"

struct accounts {
	/* For the caller to set.  They outlive this. */
	const char *path;
	bool only_scram; /* each key must be good for SCRAM */
	struct log *log;

	pthread_rwlock_t lock; /* of list */
	struct account_list list;
	struct file_stamp stamp;
};

/* Begin without any; to be finished in any case. */
void accounts_init(struct accounts *a);

/* Free what A holds. */
void accounts_finish(struct accounts *a);

/* Read the file, which is used from now on.  Return 0, or an exit status with
 * the reason in WHY of SIZE bytes; then all stays as it was. */
int accounts_load(struct accounts *a, char *why, size_t size);

/* Read it again, or say in the log why the old accounts stay in use. */
void accounts_reload(struct accounts *a);

/* The same if it has changed. */
void accounts_look(struct accounts *a);

/* Write the key of USER to KEY and return true.  Where USER has no account
 * write that of another user and return false: a password that is checked
 * against it takes as long. */
bool accounts_find_key(
    struct accounts *a, const char *user, char key[ACCOUNTS_KEY_SIZE]);

/* Whether ADDRESS is one of USER's: as it is, without "+tag", or by its
 * domain. */
bool accounts_owns(
    struct accounts *a, const char *user, const struct smtpd_address *address);

#endif
