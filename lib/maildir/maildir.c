/* SPDX-License-Identifier: MIT */
#include <smtpd/maildir.h>

#include <sys/stat.h>
#include <sys/uio.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "os/commit.h"
#include "os/fd.h"

/* The longest name of a file, with its NUL, and how much of it may be the
 * host: the rest is left for the longest numbers. */
#define NAME_SIZE 256
#define HOST_MAX  150

/* Names that are tried when one is taken. */
#define NAME_TRIES 5

/* A message lies in memory up to BODY_MAX octets, and is written from there in
 * pieces of as much: with its headers 64 KiB, which malloc() need not map.
 * Most fit the START_SIZE that comes with the struct. */
#define START_SIZE 8192
#define BODY_MAX   61440

struct smtpd_maildir {
	sem_t guard; /* of counter */
	uint64_t counter;
	char host[HOST_MAX + 1];
};

/* One copy of a message. */
struct target {
	int dir;       /* the Maildir */
	int new_dir;   /* its new/, to be synced */
	size_t header; /* where its header is in the buffer */
	size_t header_len;
	bool staged;          /* a file of ours is in tmp/ */
	bool published;       /* or in new/ */
	char name[NAME_SIZE]; /* of that file, with its directory */
};

struct smtpd_maildir_message {
	struct smtpd_maildir *md;
	int error; /* errno of what went wrong, 0 so far */
	int spool; /* the first target's file while it is written, or -1 */

	struct target *targets; /* of target_cap, at first &one */
	size_t ntargets;
	size_t target_cap;
	struct target one;

	/* The headers of all targets, then what was not yet written of the
	 * body, with LF line ends. */
	char *buf; /* of buf_size, at first start */
	size_t buf_size;
	size_t headers;   /* length of all headers */
	size_t body;      /* octets of the body in the buffer */
	uint64_t written; /* octets of the body in the spool */
	bool cr;          /* a CR waits for what follows it */
	char start[START_SIZE];
};

/* Append TEXT, what a reader of the Maildir could misunderstand as \ooo, as far
 * as whole characters fit. */
static void
add_escaped(struct smtpd_text *t, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (!smtpd__text_is_control(c) && strchr("/:,\\ ", c) == NULL) {
			smtpd__text_byte(t, *p);
		} else if (t->len + 4 < t->size) {
			smtpd__text_format(t, "\\%03o", c);
		} else {
			return;
		}
	}
}

struct smtpd_maildir *
smtpd_maildir_create(const char *host)
{
	struct smtpd_maildir *md;
	struct smtpd_text text;
	size_t len = strlen(host);

	if (len == 0 || len > 255) {
		errno = EINVAL;
		return NULL;
	}
	md = calloc(1, sizeof(*md));
	if (md == NULL)
		return NULL;
	if (sem_init(&md->guard, 0, 1) == -1) {
		free(md);
		return NULL;
	}
	smtpd__text_init(&text, md->host, sizeof(md->host));
	add_escaped(&text, host);
	return md;
}

void
smtpd_maildir_destroy(struct smtpd_maildir *md)
{
	if (md == NULL)
		return;
	sem_destroy(&md->guard);
	free(md);
}

static uint64_t
next_number(struct smtpd_maildir *md)
{
	uint64_t n;

	while (sem_wait(&md->guard) == -1 && errno == EINTR)
		continue;
	n = ++md->counter;
	sem_post(&md->guard);
	return n;
}

/* Write a new unique name in directory DIR ("tmp", "new") to NAME of
 * NAME_SIZE; SIZE is that of the file, or -1 while it is not known. */
static void
make_name(struct smtpd_maildir *md, const char *dir, int64_t size, char *name)
{
	struct smtpd_text text;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	smtpd__text_init(&text, name, NAME_SIZE);
	smtpd__text_format(&text, "%s/%jd.M%06ldP%jdQ%" PRIu64 ".%s", dir,
	    (intmax_t)now.tv_sec, now.tv_nsec / 1000, (intmax_t)getpid(),
	    next_number(md), md->host);
	if (size >= 0)
		smtpd__text_format(&text, ",S=%" PRId64, size);
}

/* Open the directory of LEN bytes at PATH. */
static int
open_part(const char *path, size_t len)
{
	char part[PATH_MAX];

	if (len >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(part, path, len);
	part[len] = '\0';
	return open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Make NAME in directory DIR where it is missing, and open it.  The directory
 * is synced also when NAME was there: whoever made it may not have come to
 * that yet. */
static int
make_in(int dir, const char *name)
{
	if (mkdirat(dir, name, 0700) == -1 && errno != EEXIST)
		return -1;
	if (smtpd__commit_directory(dir) == -1)
		return -1;
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Replace directory DIR by NAME of LEN bytes in it, made where missing; DIR is
 * closed in any case. */
static int
step_into(int dir, const char *name, size_t len)
{
	char part[NAME_MAX + 1];
	int next;

	if (len >= sizeof(part)) {
		close(dir);
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(part, name, len);
	part[len] = '\0';
	next = make_in(dir, part);
	smtpd__fd_close(dir);
	return next;
}

/* tmp and cur first: where there is a new, everything is there. */
static int
make_parts(int dir)
{
	static const char *const parts[] = { "tmp", "cur", "new" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (mkdirat(dir, parts[i], 0700) == -1 && errno != EEXIST)
			return -1;
	return smtpd__commit_directory(dir);
}

int
smtpd_maildir_make(const char *path, size_t root_len)
{
	const char *at = path + root_len;
	int dir, result;

	if (root_len > 0)
		dir = open_part(path, root_len);
	else
		dir = open_part(*path == '/' ? "/" : ".", 1);
	while (dir >= 0 && *(at += strspn(at, "/")) != '\0') {
		size_t len = strcspn(at, "/");

		dir = step_into(dir, at, len);
		at += len;
	}
	if (dir < 0)
		return -1;
	result = make_parts(dir);
	smtpd__fd_close(dir);
	return result;
}

struct smtpd_maildir_message *
smtpd_maildir_begin(struct smtpd_maildir *md)
{
	struct smtpd_maildir_message *m = malloc(sizeof(*m));

	if (m == NULL)
		return NULL;
	/* All but the buffer: its pages are touched as it fills. */
	memset(m, 0, offsetof(struct smtpd_maildir_message, start));
	m->md = md;
	m->spool = -1;
	m->targets = &m->one;
	m->target_cap = 1;
	m->buf = m->start;
	m->buf_size = sizeof(m->start);
	return m;
}

/* Remember that the message failed, for errno. */
static int
fail(struct smtpd_maildir_message *m)
{
	if (m->error == 0)
		m->error = errno;
	errno = m->error;
	return -1;
}

/* Make room for LEN more bytes behind what the buffer holds. */
static int
reserve(struct smtpd_maildir_message *m, size_t len)
{
	size_t used = m->headers + m->body;
	size_t size = m->buf_size;
	char *buf;

	if (len <= size - used)
		return 0;
	while (len > size - used)
		size *= 2;
	buf = realloc(m->buf == m->start ? NULL : m->buf, size);
	if (buf == NULL)
		return -1;
	if (m->buf == m->start)
		memcpy(buf, m->start, used);
	m->buf = buf;
	m->buf_size = size;
	return 0;
}

static struct target *
new_target(struct smtpd_maildir_message *m)
{
	struct target *targets;
	size_t cap = m->target_cap * 2;

	if (m->ntargets < m->target_cap)
		return &m->targets[m->ntargets];
	targets = realloc(
	    m->targets == &m->one ? NULL : m->targets, cap * sizeof(*targets));
	if (targets == NULL)
		return NULL;
	if (m->targets == &m->one)
		targets[0] = m->one;
	m->targets = targets;
	m->target_cap = cap;
	return &targets[m->ntargets];
}

/* Copy LEN bytes at IN to OUT, CRLF as LF, with *CR the state between two
 * pieces.  OUT has room for one byte more than LEN.  Return how many bytes
 * were written. */
static size_t
copy_lines(char *out, const char *in, size_t len, bool *cr)
{
	const char *end = in + len;
	char *to = out;

	while (in < end) {
		const char *stop;

		if (*cr && *in != '\n')
			*to++ = '\r';
		*cr = false;
		stop = memchr(in, '\r', (size_t)(end - in));
		if (stop == NULL)
			stop = end;
		memcpy(to, in, (size_t)(stop - in));
		to += stop - in;
		in = stop;
		if (in < end) {
			*cr = true;
			in++;
		}
	}
	return (size_t)(to - out);
}

/* Open what is needed of the Maildir PATH.  Its new/ was made last: where that
 * is missing, another thread is making the others just now. */
static int
open_target(struct target *t, const char *path)
{
	t->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->dir == -1)
		return -1;
	t->new_dir = openat(t->dir, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->new_dir == -1) {
		smtpd__fd_close(t->dir);
		return -1;
	}
	return 0;
}

int
smtpd_maildir_add(struct smtpd_maildir_message *m, const char *path,
    const char *header, size_t len)
{
	struct target *t;
	bool cr = false;

	if (m->error != 0 || m->body > 0 || m->written > 0 || m->cr) {
		errno = EINVAL;
		return -1;
	}
	t = new_target(m);
	if (t == NULL || reserve(m, len + 1) == -1)
		return -1;
	*t = (struct target){ .header = m->headers };
	if (open_target(t, path) == -1)
		return -1;
	t->header_len = copy_lines(m->buf + m->headers, header, len, &cr);
	m->headers += t->header_len;
	m->ntargets++;
	return 0;
}

/* Move *PARTS past N bytes and what is empty behind them; return how many are
 * left of COUNT. */
static int
advance(struct iovec **parts, int count, size_t n)
{
	struct iovec *part = *parts;

	while (count > 0 && n >= part->iov_len) {
		n -= part->iov_len;
		part++;
		count--;
	}
	if (count > 0) {
		part->iov_base = (char *)part->iov_base + n;
		part->iov_len -= n;
	}
	*parts = part;
	return count;
}

/* Write all of PARTS, which are used up. */
static int
write_all(int fd, struct iovec *parts, int count)
{
	count = advance(&parts, count, 0);
	while (count > 0) {
		ssize_t n = writev(fd, parts, count);

		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0)
			count = advance(&parts, count, (size_t)n);
	}
	return 0;
}

/* Create a file for T in tmp/; return its descriptor, or -1. */
static int
create_file(struct smtpd_maildir_message *m, struct target *t)
{
	for (int i = 0; i < NAME_TRIES; i++) {
		int fd;

		make_name(m->md, "tmp", -1, t->name);
		fd = openat(t->dir, t->name,
		    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0) {
			t->staged = true;
			return fd;
		}
		if (errno != EEXIST)
			break;
	}
	return -1;
}

/* Create the file of T and write its header and what the buffer has of the
 * body to it.  Return its descriptor, or -1. */
static int
begin_file(struct smtpd_maildir_message *m, struct target *t)
{
	struct iovec parts[2] = {
		{ m->buf + t->header, t->header_len },
		{ m->buf + m->headers, m->body },
	};
	int fd = create_file(m, t);

	if (fd >= 0 && write_all(fd, parts, 2) == -1) {
		smtpd__fd_close(fd);
		return -1;
	}
	return fd;
}

/* Empty the buffer's part of the body into the first target's file. */
static int
spill(struct smtpd_maildir_message *m)
{
	struct iovec part = { m->buf + m->headers, m->body };

	if (m->spool >= 0) {
		if (write_all(m->spool, &part, 1) == -1)
			return -1;
	} else {
		m->spool = begin_file(m, &m->targets[0]);
		if (m->spool == -1)
			return -1;
	}
	m->written += m->body;
	m->body = 0;
	return 0;
}

int
smtpd_maildir_write(
    struct smtpd_maildir_message *m, const void *data, size_t len)
{
	const char *in = data;

	if (m->ntargets == 0)
		m->error = EINVAL;
	if (m->error != 0)
		return fail(m);
	while (len > 0) {
		size_t piece = BODY_MAX - m->body;

		if (piece > len)
			piece = len;
		if (reserve(m, piece + 1) == -1)
			return fail(m);
		m->body += copy_lines(
		    m->buf + m->headers + m->body, in, piece, &m->cr);
		in += piece;
		len -= piece;
		if (m->body >= BODY_MAX && spill(m) == -1)
			return fail(m);
	}
	return 0;
}

/* Append all of the body from the spool, FROM octets into it, to FD, through
 * the buffer. */
static int
copy_spool(struct smtpd_maildir_message *m, size_t from, int fd)
{
	char *buf = m->buf + m->headers;
	uint64_t done = 0;

	while (done < m->written) {
		struct iovec part = { buf, 0 };
		size_t want = m->buf_size - m->headers;
		ssize_t n;

		n = pread(m->spool, buf, want, (off_t)(from + done));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? EIO : errno;
			return -1;
		}
		part.iov_len = (size_t)n;
		if (write_all(fd, &part, 1) == -1)
			return -1;
		done += (uint64_t)n;
	}
	return 0;
}

/* Write the copy of T, which is not the first of a spooled message, and make
 * it durable. */
static int
stage_copy(struct smtpd_maildir_message *m, struct target *t)
{
	int fd = begin_file(m, t);

	if (fd == -1)
		return -1;
	if (copy_spool(m, m->targets[0].header_len, fd) == -1) {
		smtpd__fd_close(fd);
		return -1;
	}
	return smtpd__commit_file(fd);
}

/* Put a complete and durable copy into every tmp/. */
static int
stage_all(struct smtpd_maildir_message *m)
{
	bool spooled = m->spool >= 0;
	int fd;

	if (m->cr) {
		if (reserve(m, 1) == -1)
			return -1;
		m->buf[m->headers + m->body++] = '\r';
		m->cr = false;
	}
	if (spooled && spill(m) == -1)
		return -1;
	for (size_t i = spooled ? 1 : 0; i < m->ntargets; i++)
		if (stage_copy(m, &m->targets[i]) == -1)
			return -1;
	if (!spooled)
		return 0;
	fd = m->spool;
	m->spool = -1;
	return smtpd__commit_file(fd);
}

/* Move the file of T to new/.  Its name stays, with the size added. */
static int
publish(struct smtpd_maildir_message *m, struct target *t)
{
	int64_t size = (int64_t)(m->written + m->body + t->header_len);
	struct smtpd_text text;
	char name[NAME_SIZE];

	smtpd__text_init(&text, name, sizeof(name));
	smtpd__text_format(
	    &text, "new/%s,S=%" PRId64, t->name + strlen("tmp/"), size);
	for (int i = 0; i < NAME_TRIES; i++) {
		if (smtpd__commit_move(t->dir, t->name, t->dir, name) == 0) {
			memcpy(t->name, name, sizeof(name));
			t->staged = false;
			t->published = true;
			return 0;
		}
		if (errno != EEXIST)
			break;
		make_name(m->md, "new", size, name);
	}
	return -1;
}

/* Publish every copy.  Each new/ is synced after everything was moved: the
 * first of these often commits the others. */
static int
publish_all(struct smtpd_maildir_message *m)
{
	for (size_t i = 0; i < m->ntargets; i++)
		if (publish(m, &m->targets[i]) == -1)
			return -1;
	for (size_t i = 0; i < m->ntargets; i++)
		if (smtpd__commit_directory(m->targets[i].new_dir) == -1)
			return -1;
	return 0;
}

/* Remove what was staged or published of T. */
static void
take_back(struct target *t)
{
	if (t->staged || t->published)
		unlinkat(t->dir, t->name, 0);
	if (t->published)
		smtpd__commit_directory(t->new_dir);
}

static void
release(struct smtpd_maildir_message *m)
{
	for (size_t i = 0; i < m->ntargets; i++) {
		smtpd__fd_close(m->targets[i].new_dir);
		smtpd__fd_close(m->targets[i].dir);
	}
	smtpd__fd_close(m->spool);
	if (m->targets != &m->one)
		free(m->targets);
	if (m->buf != m->start)
		free(m->buf);
	free(m);
}

void
smtpd_maildir_abort(struct smtpd_maildir_message *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->ntargets; i++)
		take_back(&m->targets[i]);
	release(m);
}

int
smtpd_maildir_commit(struct smtpd_maildir_message *m)
{
	int error;

	if (m->ntargets == 0)
		m->error = EINVAL;
	if (m->error == 0 && stage_all(m) == 0 && publish_all(m) == 0) {
		release(m);
		return 0;
	}
	error = m->error != 0 ? m->error : errno;
	smtpd_maildir_abort(m);
	errno = error;
	return -1;
}

/* Move *S past digits, of which there must be one, and what follows them. */
static bool
skip_number(const char **s, const char *then)
{
	size_t digits = strspn(*s, "0123456789");
	size_t len = strlen(then);

	if (digits == 0 || strncmp(*s + digits, then, len) != 0)
		return false;
	*s += digits + len;
	return true;
}

/* Whether NAME is one that make_name() makes. */
static bool
is_our_name(const char *name)
{
	return skip_number(&name, ".M") && skip_number(&name, "P") &&
	    skip_number(&name, "Q") && skip_number(&name, ".") && *name != '\0';
}

static bool
is_old_file(int dir, const char *name, time_t before)
{
	struct stat st;

	return is_our_name(name) &&
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_mtime < before;
}

/* Open tmp/ of PATH for reading. */
static DIR *
open_tmp(const char *path)
{
	int maildir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *tmp = NULL;
	int fd;

	if (maildir == -1)
		return NULL;
	fd = openat(maildir, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	smtpd__fd_close(maildir);
	if (fd >= 0)
		tmp = fdopendir(fd);
	if (tmp == NULL)
		smtpd__fd_close(fd);
	return tmp;
}

ssize_t
smtpd_maildir_clean(const char *path, time_t before)
{
	DIR *tmp = open_tmp(path);
	struct dirent *entry;
	ssize_t removed = 0;

	if (tmp == NULL)
		return -1;
	while ((entry = readdir(tmp)) != NULL)
		if (is_old_file(dirfd(tmp), entry->d_name, before) &&
		    unlinkat(dirfd(tmp), entry->d_name, 0) == 0)
			removed++;
	closedir(tmp);
	return removed;
}
