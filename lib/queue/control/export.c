/* SPDX-License-Identifier: MIT */
#include "queue/control/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/id.h"
#include "queue/control/output.h"

struct export
{
	smtpd_ask_fn *ask;
	void *whom;
	int dir;
	const char *directory;
	struct smtpd_control_output answer;
	uint64_t written, damaged;
	int code; /* why it is broken off; 0 */
	char *error;
	size_t size;

	/* An id of which a part was read. */
	char id[SMTPD_ID_SIZE];
	size_t len;
};

static int
write_file(void *user, const void *data, size_t len)
{
	const int *fd = user;
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(*fd, at, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
fail(struct export *x, const char *name, int code)
{
	snprintf(
	    x->error, x->size, "%s/%s: %s", x->directory, name, strerror(code));
	x->code = code;
	return -1;
}

/* Write the message of x->id to FD, its file NAME. */
static int
fill(struct export *x, int fd, const char *name)
{
	const char *const words[] = { "cat", x->id };
	char reason[SMTPD_CONTROL_LINE_MAX];
	int code = smtpd__control_parts_ask_all(
	    x->ask, x->whom, words, 2, write_file, &fd, reason, sizeof(reason));

	if (close(fd) == -1 && code == 0)
		code = errno;
	if (code == 0) {
		x->written++;
		return 0;
	}
	unlinkat(x->dir, name, 0);
	if (code == ENOENT)
		return 0;
	if (code != EBADMSG)
		return fail(x, name, code == EPIPE ? EIO : code);
	x->damaged++;
	smtpd__control_output_add(&x->answer, x->id);
	smtpd__control_output_add(&x->answer, ": damaged\n");
	return 0;
}

static int
export_one(struct export *x)
{
	char name[SMTPD_ID_SIZE + 4];
	int fd;

	snprintf(name, sizeof(name), "%s.eml", x->id);
	fd =
	    openat(x->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd != -1 ? fill(x, fd, name) : fail(x, name, errno);
}

/* Take ids, each ended by a newline, as they come. */
static int
take_ids(void *user, const void *data, size_t len)
{
	struct export *x = user;
	const char *text = data;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\n' && x->len + 1 < sizeof(x->id)) {
			x->id[x->len++] = text[i];
			continue;
		}
		x->id[x->len] = '\0';
		x->len = 0;
		if (export_one(x) == -1)
			return -1;
	}
	return 0;
}

static int
say_end(struct export *x)
{
	smtpd__control_output_format(&x->answer, "exported %llu message%s\n",
	    (unsigned long long)x->written, x->written == 1 ? "" : "s");
	if (smtpd__control_output_end(&x->answer) == -1)
		return EPIPE;
	if (x->damaged == 0)
		return 0;
	snprintf(x->error, x->size, "%llu messages are damaged",
	    (unsigned long long)x->damaged);
	return EBADMSG;
}

int
smtpd__control_export(smtpd_ask_fn *ask, void *whom,
    const char *const *arguments, size_t count, smtpd_write_fn *write,
    void *user, char *error, size_t size)
{
	static const char *const words[] = { "ids" };
	struct export x = {
		.ask = ask, .whom = whom, .error = error, .size = size
	};
	char reason[512];
	int code;

	if (count != 1) {
		snprintf(error, size, "export: one directory is to be named");
		return EINVAL;
	}
	x.directory = arguments[0];
	smtpd__control_output_init(&x.answer, write, user);
	if (mkdir(x.directory, 0700) == -1 && errno != EEXIST) {
		fail(&x, "", errno);
		return x.code;
	}
	x.dir = open(x.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (x.dir == -1) {
		fail(&x, "", errno);
		return x.code;
	}
	code = smtpd__control_parts_ask_all(
	    ask, whom, words, 1, take_ids, &x, reason, sizeof(reason));
	if (x.code != 0)
		code = x.code;
	else if (code != 0)
		snprintf(error, size, "%s", reason);
	else
		code = say_end(&x);
	close(x.dir);
	return code;
}
