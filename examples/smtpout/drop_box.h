/* SPDX-License-Identifier: MIT */
#ifndef DROP_BOX_H
#define DROP_BOX_H

/*
 * The drop box: a directory into which any user may put mail by smtpout-drop
 * while this program does not run.  A thread takes it from there into the
 * queue, in turns between users, and removes it when it is durable there.
 */

#include <pthread.h>
#include <stdbool.h>

#include "drop_owners.h"
#include "drop_take.h"

struct drop_box {
	struct drop_take take; /* to be filled before the start */
	const char *path;      /* NULL: there is none */
	int dir, bad;          /* it, and its directory of bad files; -1 */
	int watch;             /* inotify; -1 */
	int stop[2];           /* a pipe whose end says so */
	pthread_t thread;
	bool running;

	/* Of the thread. */
	struct drop_owners owners;
	bool look;     /* the directory is to be read */
	bool troubled; /* mail waits, and the log says why */
	bool told_odd; /* so it does of directories in it */
};

/* Begin; to be finished in any case. */
void drop_box_init(struct drop_box *b);

/*
 * Open the directory PATH, or, where that is NULL, the usual one if it is there
 * and belongs to this user.  Return 0, or an exit status with the reason in WHY
 * of SIZE bytes.
 */
int drop_box_open(struct drop_box *b, const char *path, char *why, size_t size);

/* Take what is there, and what comes, until the end; without a directory do
 * nothing.  Return 0, or an exit status with the reason in WHY of SIZE
 * bytes. */
int drop_box_start(struct drop_box *b, char *why, size_t size);

/* End that, before the queue is closed, and free what B holds. */
void drop_box_finish(struct drop_box *b);

#endif
