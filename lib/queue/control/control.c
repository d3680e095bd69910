/* SPDX-License-Identifier: MIT */
#include "queue/control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "queue/control/client.h"
#include "queue/control/commands.h"
#include "queue/control/export.h"
#include "queue/control/offline.h"
#include "queue/control/parts.h"
#include "queue/control/protocol.h"

/* A process that holds the queue without answering is just starting or
 * stopping: it is looked for so often, so many milliseconds apart. */
#define TRIES    20
#define PAUSE_MS 100

static int
open_directory(const char *directory, char *error, size_t size)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd != -1)
		return fd;
	if (errno == ENOENT)
		errno = ENOTDIR;
	if (errno == ENOTDIR)
		snprintf(error, size, "there is no queue in %s", directory);
	else
		snprintf(error, size, "%s: %s", directory, strerror(errno));
	return -1;
}

/*
 * Find out where a request is carried out, which CHANGES the queue or not: by
 * the process that has it, then *OFFLINE is NULL, or here.  Return 0, or an
 * errno with the reason in ERROR.
 */
static int
find_queue(int dir, const char *directory, bool changes,
    struct smtpd_control_offline **offline, char *error, size_t size)
{
	static const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000 };
	int code = EBUSY;

	*offline = NULL;
	for (int i = 0; i < TRIES && (code == EBUSY || code == EAGAIN); i++) {
		int fd;

		if (i > 0)
			nanosleep(&pause, NULL);
		fd = smtpd__control_client_connect(dir);
		if (fd != -1) {
			close(fd);
			return 0;
		}
		code = errno;
		if (code != ECONNREFUSED && code != ENOENT) {
			snprintf(error, size, "%s/%s: %s", directory,
			    SMTPD_CONTROL_NAME, strerror(code));
			return code;
		}
		*offline = smtpd__control_offline_open(
		    directory, changes, error, size);
		code = *offline != NULL ? 0 : errno;
	}
	return code;
}

/* Return true if WORDS can be asked for: they go over the wire as a line. */
static bool
is_request(const char *directory, const char *const *words, size_t count)
{
	if (directory == NULL || words == NULL || count == 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (words[i] == NULL || words[i][0] == '\0')
			return false;
		for (const char *c = words[i]; *c != '\0'; c++)
			if (smtpd__text_is_control((unsigned char)*c))
				return false;
	}
	return true;
}

int
smtpd_queue_ask(const char *directory, const char *const *words, size_t count,
    smtpd_write_fn *write, void *user, char *error, size_t size)
{
	const struct smtpd_control_call call = { words, count, write, user,
		error, size };
	struct smtpd_control_peer peer = { .ask = smtpd__control_client_ask };
	struct smtpd_control_offline *offline = NULL;
	int dir, code;

	snprintf(error, size, "%s", "");
	if (!is_request(directory, words, count) || write == NULL) {
		snprintf(error, size, "not a request");
		errno = EINVAL;
		return -1;
	}
	dir = open_directory(directory, error, size);
	if (dir == -1)
		return -1;
	peer.whom = &dir;
	code = find_queue(dir, directory,
	    smtpd__control_commands_changes(words, count), &offline, error,
	    size);
	if (offline != NULL)
		peer = (struct smtpd_control_peer){ smtpd__control_offline_ask,
			offline };
	if (code == 0 && count > 0 && strcmp(words[0], "export") == 0)
		code = smtpd__control_export(&peer, &call);
	else if (code == 0)
		code = smtpd__control_parts_ask_all(&peer, &call);
	smtpd__control_offline_close(offline);
	close(dir);
	errno = code;
	return code == 0 ? 0 : -1;
}
