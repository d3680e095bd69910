/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_NAME_H
#define SMTPD_MAILDIR_NAME_H

/*
 * Unique names of files in Maildirs, seconds.M<usec>P<pid>Q<counter>.<host>,
 * with ",S=<size>" once the size is known.
 */

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

/* The longest name with its NUL, and how much of it the host may
 * take: the rest is left for the longest numbers. */
#define SMTPD_MAILDIR_NAME_SIZE 256
#define SMTPD_MAILDIR_HOST_MAX  150

/* How many names are tried when one is taken. */
#define SMTPD_MAILDIR_NAME_TRIES 5

/* The source of names of one process. */
struct smtpd_maildir_names {
	sem_t guard; /* of counter */
	uint64_t counter;
	char host[SMTPD_MAILDIR_HOST_MAX + 1];
};

/* Begin with HOST, which is cut off and escaped as needed.  Return 0, or -1
 * with errno. */
int smtpd__maildir_name_init(
    struct smtpd_maildir_names *names, const char *host);

/* Free what NAMES holds. */
void smtpd__maildir_name_finish(struct smtpd_maildir_names *names);

/* Write a new name to NAME of SMTPD_MAILDIR_NAME_SIZE bytes.  SIZE is that of
 * the file, or -1 while it is not known.  Any thread. */
void smtpd__maildir_name_make(
    struct smtpd_maildir_names *names, int64_t size, char *name);

/* Whether NAME has the form of such a name; one with the flags that a reader
 * adds behind a ":" has not. */
bool smtpd__maildir_name_is_ours(const char *name);

#endif
