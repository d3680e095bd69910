/* SPDX-License-Identifier: MIT */
/* For flock() and pipe2(). */
#define _GNU_SOURCE
#include "drop_box.h"

#include <sys/file.h>
#include <sys/inotify.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "drop_place.h"

#define BAD_NAME "bad"

/* How often the directory is read though nothing is said of it, and how long is
 * waited where the queue takes nothing. */
#define RESCAN_MS 60000
#define LATER_MS  10000

/* The age of a file that nobody will finish. */
#define UNFINISHED_S (36 * 3600)

/* What came of one file. */
enum step {
	STEP_NONE,   /* none is left */
	STEP_DONE,   /* it is no longer there */
	STEP_PASSED, /* it stays, for now */
	STEP_LATER,  /* and so do all others */
	STEP_BROKEN, /* nothing may be taken any more */
};

void
drop_box_init(struct drop_box *b)
{
	*b = (struct drop_box){
		.dir = -1,
		.bad = -1,
		.watch = -1,
		.stop = { -1, -1 },
	};
}

static int
fail_open(const char *path, const char *what, char *why, size_t size)
{
	int error = errno;

	snprintf(why, size, "--drop-box %s: %s%s%s", path, what,
	    error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
	return error == EACCES ? EX_NOPERM : EX_CONFIG;
}

/* Open NAME of AT, a directory of this user that no link leads to; -1 with
 * errno, 0 where it is another's. */
static int
open_own(int at, const char *name)
{
	int fd =
	    openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd != -1 && fstat(fd, &st) == 0 && st.st_uid == geteuid())
		return fd;
	if (fd != -1) {
		close(fd);
		errno = 0;
	}
	return -1;
}

/* Whether DIR has a mode that no other directory has: what is in a box is
 * taken, moved and removed, which would be the end of a /tmp. */
static bool
is_box(int dir)
{
	struct stat st;

	return fstat(dir, &st) == 0 && (st.st_mode & 01777) == 01730;
}

int
drop_box_open(struct drop_box *b, const char *path, char *why, size_t size)
{
	const char *place = path != NULL ? path : DROP_BOX;

	b->dir = open_own(AT_FDCWD, place);
	if (b->dir == -1 && path == NULL)
		return 0;
	if (b->dir == -1)
		return fail_open(place,
		    "it must be a directory of the user of --user, mode 1730, "
		    "with the group of smtpout-drop",
		    why, size);
	errno = 0;
	if (!is_box(b->dir))
		return fail_open(place,
		    "it has another mode than a drop box: if it is one, say "
		    "chmod 1730",
		    why, size);
	b->bad = open_own(b->dir, BAD_NAME);
	if (b->bad == -1 && errno != ENOENT)
		return fail_open(place,
		    BAD_NAME " in it is no directory of that user: remove it",
		    why, size);
	b->path = place;
	return 0;
}

/* Note a file that ST describes. */
static void
note_file(struct drop_box *b, const char *name, const struct stat *st)
{
	if (drop_take_is_unfinished(st)) {
		if (st->st_mtime < time(NULL) - UNFINISHED_S)
			unlinkat(b->dir, name, 0);
		return;
	}
	if (S_ISDIR(st->st_mode)) {
		if (!b->told_odd && strcmp(name, BAD_NAME) != 0)
			log_line(b->take.log, SMTPD_LOG_WARNING,
			    "drop-box=%s has directories, which are of no use",
			    b->path);
		b->told_odd |= strcmp(name, BAD_NAME) != 0;
		return;
	}
	if (drop_owners_add(&b->owners, st->st_uid, name) == -1)
		b->owners.cut = true;
}

static void
note_name(struct drop_box *b, const char *name)
{
	struct stat st;

	if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	    fstatat(b->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		note_file(b, name, &st);
}

static bool
is_stopping(const struct drop_box *b)
{
	struct pollfd p = { .fd = b->stop[0], .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* Read the whole directory. */
static void
read_directory(struct drop_box *b)
{
	int fd = openat(b->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	b->look = false;
	drop_owners_clear(&b->owners);
	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		b->owners.cut = true;
		return;
	}
	while (!is_stopping(b) && (entry = readdir(dir)) != NULL)
		note_name(b, entry->d_name);
	closedir(dir);
}

/* Note the files of which something is said.  What is not said is found when
 * the directory is read. */
static void
read_events(struct drop_box *b)
{
	union {
		char bytes[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
		struct inotify_event align;
	} buf;
	ssize_t n;

	if (b->watch == -1)
		return;
	while ((n = read(b->watch, buf.bytes, sizeof(buf.bytes))) > 0)
		for (ssize_t at = 0; at < n;) {
			struct inotify_event e;

			memcpy(&e, buf.bytes + at, sizeof(e));
			if (e.len > 0)
				note_name(b, buf.bytes + at + sizeof(e));
			b->look |= (e.mask & IN_Q_OVERFLOW) != 0;
			at += (ssize_t)(sizeof(e) + e.len);
		}
}

/* Nobody could do anything with it: keep it where it is not looked at.  Return
 * whether it is there. */
static bool
set_aside(struct drop_box *b, const char *name, uid_t uid, const char *why)
{
	bool moved = renameat(b->dir, name, b->bad, name) == 0;

	log_line(b->take.log, SMTPD_LOG_ERROR,
	    "drop-box=%s file=%s uid=%lu reason=\"%s\": %s", b->path, name,
	    (unsigned long)uid, why,
	    moved ? "it is in " BAD_NAME : "it cannot be moved to " BAD_NAME);
	return moved;
}

/* Say once why mail waits. */
static void
report_trouble(struct drop_box *b, const char *name, const char *why)
{
	if (!b->troubled)
		log_line(b->take.log, SMTPD_LOG_WARNING,
		    "drop-box=%s file=%s mail waits there: %s", b->path, name,
		    why);
	b->troubled = true;
}

/* Remove a file that is queued.  Where it must stay, no more is taken: it would
 * be queued again and again. */
static enum step
remove_file(struct drop_box *b, const char *name, uid_t uid)
{
	b->troubled = false;
	if (unlinkat(b->dir, name, 0) == 0 || errno == ENOENT ||
	    set_aside(b, name, uid, "it is queued, but cannot be removed"))
		return STEP_DONE;
	return STEP_BROKEN;
}

/* Take the next file. */
static enum step
take_next(struct drop_box *b)
{
	char *name = drop_owners_next(&b->owners);
	enum step step = STEP_PASSED;
	char why[256] = "";
	uid_t uid = 0;

	if (name == NULL)
		return STEP_NONE;
	switch (
	    drop_take_file(&b->take, b->dir, name, &uid, why, sizeof(why))) {
	case DROP_QUEUED:
		step = remove_file(b, name, uid);
		break;
	case DROP_BAD:
		if (set_aside(b, name, uid, why))
			step = STEP_DONE;
		break;
	case DROP_FAILED:
		report_trouble(b, name, why);
		break;
	case DROP_LATER:
		report_trouble(b, name, why);
		step = STEP_LATER;
		break;
	case DROP_GONE:
		break;
	}
	free(name);
	return step;
}

/* Take one after the other, as long as that can be; *PROGRESS: the directory
 * has fewer files. */
static enum step
take_all(struct drop_box *b, bool *progress)
{
	enum step step;

	*progress = false;
	do {
		read_events(b);
		step = take_next(b);
		*progress |= step == STEP_DONE;
	} while ((step == STEP_DONE || step == STEP_PASSED) && !is_stopping(b));
	return step;
}

/* Wait for MS milliseconds, for the end, and, if EVENTS, until something is
 * said; the directory is read again when the time is over. */
static void
wait_for(struct drop_box *b, int ms, bool events)
{
	struct pollfd p[2] = {
		{ .fd = b->stop[0], .events = POLLIN },
		{ .fd = events ? b->watch : -1, .events = POLLIN },
	};

	if (poll(p, 2, ms) <= 0)
		b->look = true;
}

static void *
run_thread(void *box)
{
	struct drop_box *b = box;
	enum step step = STEP_NONE;
	bool progress;

	b->look = true;
	while (!is_stopping(b) && step != STEP_BROKEN) {
		if (b->look)
			read_directory(b);
		step = take_all(b, &progress);
		b->look |= b->owners.cut && progress;
		if (step == STEP_LATER)
			wait_for(b, LATER_MS, false);
		else if (step == STEP_NONE && !b->look)
			wait_for(b, RESCAN_MS, true);
	}
	return NULL;
}

static int
fail_start(const char *what, int error, char *why, size_t size)
{
	snprintf(why, size, "%s: %s", what, strerror(error));
	return EX_OSERR;
}

int
drop_box_start(struct drop_box *b, char *why, size_t size)
{
	int error;

	if (b->path == NULL)
		return 0;
	if (flock(b->dir, LOCK_EX | LOCK_NB) == -1) {
		log_line(b->take.log, SMTPD_LOG_WARNING,
		    "drop-box=%s belongs to another process, which takes what "
		    "is in it",
		    b->path);
		return 0;
	}
	if (b->bad == -1 && mkdirat(b->dir, BAD_NAME, 0700) == 0)
		b->bad = open_own(b->dir, BAD_NAME);
	if (b->bad == -1)
		return fail_open(b->path, "cannot make " BAD_NAME, why, size);
	/* Without it the directory is read from time to time. */
	b->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (b->watch != -1 &&
	    inotify_add_watch(b->watch, b->path, IN_ATTRIB | IN_MOVED_TO) ==
		-1) {
		close(b->watch);
		b->watch = -1;
	}
	if (pipe2(b->stop, O_CLOEXEC) == -1)
		return fail_start("cannot make a pipe", errno, why, size);
	error = pthread_create(&b->thread, NULL, run_thread, b);
	if (error != 0)
		return fail_start("cannot start a thread", error, why, size);
	b->running = true;
	log_line(
	    b->take.log, SMTPD_LOG_INFO, "drop-box=%s is taken from", b->path);
	return 0;
}

static void
close_fd(int fd)
{
	if (fd != -1)
		close(fd);
}

void
drop_box_finish(struct drop_box *b)
{
	close_fd(b->stop[1]);
	if (b->running)
		pthread_join(b->thread, NULL);
	close_fd(b->stop[0]);
	close_fd(b->watch);
	close_fd(b->bad);
	close_fd(b->dir);
	drop_owners_clear(&b->owners);
	drop_box_init(b);
}
