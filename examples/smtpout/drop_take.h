/* SPDX-License-Identifier: MIT */
#ifndef DROP_TAKE_H
#define DROP_TAKE_H

/*
 * Taking one file of the drop box into the queue.  Whoever wrote it is not
 * trusted; the kernel says who that was.
 */

#include <sys/stat.h>

#include <smtpd/queue.h>

#include "log.h"
#include "user_shares.h"

/* What all files share. */
struct drop_take {
	struct smtpd_queue *queue;
	struct log *log;
	struct user_shares *shares;
	const char *hostname;
	const char *mailname; /* the domain of addresses without one */
	unsigned fix;         /* of enum smtpd_queue_fix */
	uint64_t max_size;    /* of a message; 0: any */
};

enum drop_outcome {
	DROP_QUEUED, /* durable in the queue: the file is to be removed */
	DROP_BAD,    /* no such message can be queued, ever */
	DROP_FAILED, /* it cannot be read now */
	DROP_LATER,  /* nor can any other be queued now */
	DROP_GONE,   /* there is no such file, or it is not whole yet */
};

/* Whether a file like ST may be taken: regular, whole, not empty, and with one
 * name.  NULL, or what is wrong. */
const char *drop_take_fault(const struct stat *st);

/* Whether a file like ST may still be written. */
bool drop_take_is_unfinished(const struct stat *st);

/* Queue the file NAME of the directory DIR; the reason of any but DROP_QUEUED
 * and DROP_GONE goes to WHY of SIZE bytes, its owner to *UID. */
enum drop_outcome drop_take_file(const struct drop_take *t, int dir,
    const char *name, uid_t *uid, char *why, size_t size);

#endif
