/* SPDX-License-Identifier: MIT */
#include "queue/control/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/id.h"
#include "os/file.h"
#include "queue/control/output.h"
#include "queue/control/parts.h"
#include "queue/control/protocol.h"

struct export
{
	const struct smtpd_control_peer *peer;
	const struct smtpd_control_call *call;
	const char *directory;
	int dir;
	struct smtpd_control_output answer;
	uint64_t written, damaged, unread;
	int code; /* why it ended early; 0 */

	/* The id that is being read, and how much of it has come. */
	char id[SMTPD_ID_SIZE];
	size_t len;
};

static int
write_file(void *user, const void *data, size_t len)
{
	const int *fd = user;

	return smtpd__file_write(*fd, data, len);
}

/* End the export because of file NAME, for the reason CODE. */
static int
fail_at(struct export *x, const char *name, int code)
{
	snprintf(x->call->end, x->call->size, "%s/%s: %s", x->directory, name,
	    strerror(code));
	x->code = code;
	return -1;
}

/* Whether an answer of CODE says that one message cannot be read. */
static bool
is_unread(int code)
{
	return code == EBADMSG || code == EIO || code == EACCES;
}

/* Write the answer to WORDS, of which there are COUNT, to file NAME.  Return 0,
 * or its code, when there is no such file; fail_at() for trouble with it. */
static int
write_answer(
    struct export *x, const char *const *words, size_t count, const char *name)
{
	char reason[SMTPD_CONTROL_LINE_MAX];
	struct smtpd_control_call ask = { words, count, write_file, NULL,
		reason, sizeof(reason) };
	int fd =
	    openat(x->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int code;

	if (fd == -1) {
		fail_at(x, name, errno);
		return x->code;
	}
	ask.user = &fd;
	code = smtpd__control_parts_ask_all(x->peer, &ask);
	if (close(fd) == -1 && code == 0)
		code = errno;
	if (code != 0)
		unlinkat(x->dir, name, 0);
	if (code != 0 && code != ENOENT && !is_unread(code))
		fail_at(x, name, code == EPIPE ? EIO : code);
	return code;
}

/* Write the message with the id that was read, and its envelope, to two
 * files. */
static int
export_one(struct export *x)
{
	const char *const cat[] = { "cat", x->id };
	const char *const show[] = { "show", x->id, "--json" };
	char text[SMTPD_ID_SIZE + 4], envelope[SMTPD_ID_SIZE + 5];
	int code;

	snprintf(text, sizeof(text), "%s.eml", x->id);
	snprintf(envelope, sizeof(envelope), "%s.json", x->id);
	code = write_answer(x, cat, 2, text);
	if (code == 0)
		code = write_answer(x, show, 3, envelope);
	if (code == 0) {
		x->written++;
		return 0;
	}
	if (x->code == 0)
		unlinkat(x->dir, text, 0);
	if (is_unread(code) && x->code == 0) {
		x->damaged += code == EBADMSG;
		x->unread++;
		smtpd__control_output_format(&x->answer, "%s: %s\n", x->id,
		    code == EBADMSG ? "damaged" : strerror(code));
	}
	return x->code == 0 ? 0 : -1;
}

/* Export the messages whose ids come, each ended by a newline. */
static int
receive_ids(void *user, const void *data, size_t len)
{
	struct export *x = user;
	const char *text = data;
	uint64_t id;

	for (size_t i = 0; i < len; i++) {
		bool ends = text[i] == '\n';

		if (!ends && x->len + 1 < sizeof(x->id)) {
			x->id[x->len++] = text[i];
			continue;
		}
		x->id[x->len] = '\0';
		x->len = 0;
		/* It becomes the name of a file, and the other side may be
		 * anybody. */
		if (!ends || smtpd__id_parse(x->id, &id) == -1)
			return fail_at(x, "", EPROTO);
		if (export_one(x) == -1)
			return -1;
	}
	return 0;
}

int
smtpd__control_export(const struct smtpd_control_peer *peer,
    const struct smtpd_control_call *call)
{
	static const char *const words[] = { "ids" };
	char reason[SMTPD_CONTROL_LINE_MAX];
	struct export x = { .peer = peer, .call = call, .dir = -1 };
	const struct smtpd_control_call ids = { words, 1, receive_ids, &x,
		reason, sizeof(reason) };
	int code;

	if (call->count != 2) {
		snprintf(call->end, call->size, "export: needs one directory");
		return EINVAL;
	}
	x.directory = call->words[1];
	smtpd__control_output_init(&x.answer, call->write, call->user);
	if (mkdir(x.directory, 0700) == 0 || errno == EEXIST)
		x.dir = open(x.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (x.dir == -1) {
		fail_at(&x, "", errno);
		return x.code;
	}
	code = smtpd__control_parts_ask_all(peer, &ids);
	close(x.dir);
	if (x.code != 0)
		return x.code;
	if (code != 0) {
		snprintf(call->end, call->size, "%s", reason);
		return code;
	}
	smtpd__control_output_format(&x.answer,
	    "exported %" PRIu64 " message%s\n", x.written,
	    x.written == 1 ? "" : "s");
	if (smtpd__control_output_end(&x.answer) == -1)
		return EPIPE;
	if (x.unread == 0)
		return 0;
	snprintf(call->end, call->size,
	    "%" PRIu64 " message%s skipped that cannot be read", x.unread,
	    x.unread == 1 ? "" : "s");
	return x.damaged > 0 ? EBADMSG : EIO;
}
