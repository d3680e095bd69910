/* SPDX-License-Identifier: MIT */
#include "queue_place.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "complain.h"
#include "settings.h"

/* How many tenths of a second the queue may be in use elsewhere. */
#define LOCK_TRIES 20

int
queue_place_find(const char *directory)
{
	struct stat st;
	char *copy;
	int error;

	/* A symbolic link that leads nowhere is there, and of no use. */
	if (lstat(directory, &st) == 0 || errno != ENOENT)
		return 0;
	copy = strdup(directory);
	if (copy == NULL)
		return ENOMEM;
	error = faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) == 0
	    ? 0
	    : errno;
	free(copy);
	return *directory != '\0' ? error : ENOENT;
}

/* What a queue has in it, as far as it is there. */
static int
use_parts(int dir)
{
	static const struct {
		const char *name;
		int mode;
	} parts[] = {
		{ "lock", R_OK | W_OK },
		{ "log", R_OK | W_OK | X_OK },
		{ "tmp", R_OK | W_OK | X_OK },
		{ "large", R_OK | W_OK | X_OK },
		{ "quarantine", R_OK | W_OK | X_OK },
		{ "dead", R_OK | W_OK | X_OK },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (faccessat(dir, parts[i].name, parts[i].mode, AT_EACCESS) ==
			-1 &&
		    errno != ENOENT)
			return errno;
	return 0;
}

int
queue_place_use(const char *directory)
{
	int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int error;

	if (dir == -1)
		return errno == ENOENT && lstat(directory, &st) == -1 ? 0
								      : errno;
	error = faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) == 0
	    ? use_parts(dir)
	    : errno;
	close(dir);
	return error;
}

/* The directory cannot be made or used by this user: say how it can. */
static int
complain_directory(const char *directory, const char *wanted, const char *why)
{
	struct passwd *user = getpwuid(geteuid());
	const char *name = user != NULL ? user->pw_name : wanted;
	struct stat st;

	if (stat(directory, &st) == 0 && st.st_uid != geteuid()) {
		user = getpwuid(st.st_uid);
		if (user != NULL)
			return complain(PROGRAM, EX_CANTCREAT,
			    "cannot open the queue %s: it belongs to %s: "
			    "--user %s, or chown -R %s",
			    directory, user->pw_name, user->pw_name,
			    name != NULL ? name : "USER");
	}
	return complain(PROGRAM, EX_CANTCREAT,
	    "cannot open the queue %s: %s: install -d -m 0700 -o %s %s",
	    directory, why, name != NULL ? name : "USER", directory);
}

int
queue_place_complain(
    const char *directory, const char *user, int error, const char *why)
{
	switch (error) {
	case EBUSY:
		return complain(PROGRAM, EX_TEMPFAIL, "%s", why);
	case EINVAL:
		return complain(PROGRAM, EX_USAGE, "%s", why);
	case ENOMEM:
		return complain(PROGRAM, EX_OSERR, "no memory");
	case ENOENT:
	case ENOTDIR:
	case EACCES:
	case EPERM:
	case EROFS:
		return complain_directory(directory, user, why);
	default:
		return complain(PROGRAM, EX_TEMPFAIL,
		    "cannot open the queue %s: %s", directory, why);
	}
}

struct smtpd_queue *
queue_place_open(const char *directory,
    const struct smtpd_queue_settings *settings, char *why, size_t size)
{
	static const struct timespec moment = { .tv_nsec = 100000000 };
	struct smtpd_queue *queue = NULL;

	for (int i = 0; i < LOCK_TRIES && queue == NULL; i++) {
		if (i > 0)
			nanosleep(&moment, NULL);
		queue = smtpd_queue_open(directory, settings, why, size);
		if (queue == NULL && errno != EBUSY)
			break;
	}
	return queue;
}
