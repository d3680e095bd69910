/* SPDX-License-Identifier: MIT */

/* smtpout-drop: put a message into the drop box of smtpout, which may not run.
 * Any user may call it, and it has the group that may write there: it reads
 * nothing of the environment, and opens no other file. */

/* For syncfs(), O_PATH and getentropy(). */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "drop_place.h"
#include "drop_read.h"
#include "startup.h"

#define PROGRAM "smtpout-drop"

/* One message on its way into the box. */
struct drop {
	const char *box;
	int box_fd;
	char name[DROP_NAME_SIZE];
	FILE *file;
	struct drop_read in;
};

static int
complain_errno(const struct drop *d, const char *what)
{
	int error = errno;

	if (error == EACCES || error == EPERM)
		return complain(PROGRAM, EX_NOPERM,
		    "may not write to %s: this program needs the group of that "
		    "directory, and mode 2755",
		    d->box);
	if (error == ENOENT || error == ENOTDIR)
		return complain(
		    PROGRAM, EX_UNAVAILABLE, "there is no %s", d->box);
	return complain(
	    PROGRAM, EX_TEMPFAIL, "%s %s: %s", what, d->box, strerror(error));
}

/* A name that nobody can guess: others may read what is in the box. */
static int
make_name(char name[DROP_NAME_SIZE])
{
	unsigned char bytes[(DROP_NAME_SIZE - 1) / 2];

	if (getentropy(bytes, sizeof(bytes)) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(name + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int
create_file(struct drop *d)
{
	int fd = -1;

	d->box_fd = open(d->box, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (d->box_fd != -1 && make_name(d->name) == 0)
		fd = openat(d->box_fd, d->name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return complain_errno(d, "cannot write to");
	d->file = fdopen(fd, "w");
	if (d->file != NULL)
		return 0;
	unlinkat(d->box_fd, d->name, 0);
	return complain_errno(d, "cannot write to");
}

/* Whether SIZE octets leave a twentieth of the disk, and of its inodes, free:
 * the queue may be on it too. */
static int
check_room(const struct drop *d, uint64_t size)
{
	struct statvfs st;

	if (fstatvfs(fileno(d->file), &st) == -1)
		return complain_errno(d, "cannot look at");
	if ((uint64_t)st.f_bavail * st.f_frsize >=
		size + (uint64_t)st.f_blocks / 20 * st.f_frsize &&
	    (st.f_files == 0 || st.f_favail >= st.f_files / 20))
		return 0;
	return complain(PROGRAM, EX_TEMPFAIL,
	    "there is no room in %s: make some on its disk, or start smtpout",
	    d->box);
}

static int
complain_input(const struct drop_read *r)
{
	if (r->fault != NULL)
		return complain(PROGRAM, EX_DATAERR,
		    "the input is no message for the drop box: %s", r->fault);
	return complain(PROGRAM, EX_IOERR, "cannot read the standard input: %s",
	    strerror(errno));
}

static int
copy_envelope(struct drop *d)
{
	const char *value;
	int status;

	while ((status = drop_read_line(&d->in, &value)) == 1)
		if (fprintf(d->file, "%s %s\n", d->in.line, value) < 0)
			return complain_errno(d, "cannot write to");
	return status == 0 ? check_room(d, d->in.format.size)
			   : complain_input(&d->in);
}

static int
copy_content(struct drop *d)
{
	const char *data;
	size_t len;
	int status;

	while ((status = drop_read_block(&d->in, &data, &len)) == 1)
		if (fwrite(data, 1, len, d->file) != len)
			return complain_errno(d, "cannot write to");
	return status == 0 ? 0 : complain_input(&d->in);
}

/* Make the entry of the directory durable.  The group may not read it, and so
 * not open it: then its whole file system is synced. */
static int
sync_directory(const struct drop *d)
{
	int fd = open(d->box, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status;

	if (fd == -1)
		return syncfs(fileno(d->file));
	status = fsync(fd);
	close(fd);
	return status;
}

/* The mode is the mark of a whole message: its content is durable before it.
 * Until then nobody but who takes it for left behind can have removed it. */
static int
complete_file(struct drop *d)
{
	int fd = fileno(d->file);
	struct stat st;

	if (fstat(fd, &st) == -1 || st.st_nlink == 0)
		return complain(PROGRAM, EX_TEMPFAIL,
		    "the file in %s was removed, it was there too long",
		    d->box);
	if (fflush(d->file) == EOF || fsync(fd) == -1 ||
	    fchmod(fd, DROP_MODE) == -1 || fsync(fd) == -1 ||
	    sync_directory(d) == -1)
		return complain_errno(d, "cannot write to");
	return 0;
}

static int
drop_message(struct drop *d)
{
	int status = create_file(d);

	if (status == 0)
		status = copy_envelope(d);
	if (status == 0)
		status = copy_content(d);
	if (status == 0)
		status = complete_file(d);
	if (status != 0 && d->file != NULL)
		unlinkat(d->box_fd, d->name, 0);
	return status;
}

static int
show_help(void)
{
	fputs("Usage: smtpout-drop [-d DIR]\n"
	      "Put the message on the standard input, which smtpout-sendmail "
	      "writes, into the drop\nbox of smtpout.\n\n"
	      "  -d DIR         the box (" DROP_BOX "); not where the program\n"
	      "                 has a group of its own\n"
	      "  --help         print this\n",
	    stdout);
	return EX_OK;
}

/* Return -1 to go on, or an exit status. */
static int
read_arguments(int argc, char **argv, struct drop *d)
{
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return show_help();
	if (argc == 1)
		return -1;
	if (argc != 3 || strcmp(argv[1], "-d") != 0)
		return complain(
		    PROGRAM, EX_USAGE, "it takes no such argument; see --help");
	if (getegid() != getgid() || geteuid() != getuid())
		return complain(PROGRAM, EX_USAGE,
		    "-d: whoever has a group from this program has no choice");
	d->box = argv[2];
	return -1;
}

int
main(int argc, char **argv)
{
	struct drop d = { .box = DROP_BOX };
	int status;

	startup_prepare();
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	status = read_arguments(argc, argv, &d);
	if (status != -1)
		return status;
	drop_read_init(&d.in, STDIN_FILENO);
	return drop_message(&d);
}
