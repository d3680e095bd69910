/* SPDX-License-Identifier: MIT */
#include "dead_letter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "complain.h"

/* Open PATH to append.  It must be a regular file, and not a link. */
static FILE *
open_file(const char *path)
{
	int fd = open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	    0600);
	struct stat st;
	FILE *file;

	if (fd == -1)
		return NULL;
	errno = EINVAL;
	file =
	    fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "a") : NULL;
	if (file == NULL)
		close(fd);
	return file;
}

static void
write_rcpts(FILE *out, const struct submission *s)
{
	const char *before = "Resent-Bcc: ";

	for (size_t i = 0; i < s->nrcpts; i++) {
		fprintf(out, "%s%s", before, s->rcpts[i].address);
		before = ",\n\t";
	}
	for (size_t i = 0; i < s->refused.count; i++) {
		fprintf(out, "%s%s", before, s->refused.items[i]);
		before = ",\n\t";
	}
	if (s->nrcpts + s->refused.count > 0)
		fputc('\n', out);
}

/* The body as lines of a mailbox: "From " there would begin another message. */
static void
copy_body(FILE *out, FILE *in)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	rewind(in);
	while ((n = getline(&line, &size, in)) > 0) {
		size_t len = (size_t)n;

		if (len >= 5 && memcmp(line, "From ", 5) == 0)
			fputc('>', out);
		if (line[len - 1] == '\n')
			len--;
		if (len < (size_t)n && len > 0 && line[len - 1] == '\r')
			len--;
		fwrite(line, 1, len, out);
		if (line[n - 1] == '\n')
			fputc('\n', out);
	}
	free(line);
	fputc('\n', out);
}

void
dead_letter_save(const struct submission *s)
{
	const struct identity *id = s->identity;
	char path[IDENTITY_TEXT + 16], date[64] = "";
	time_t now = time(NULL);
	struct tm tm;
	FILE *file = NULL;

	snprintf(path, sizeof(path), "%s/dead.letter", id->home);
	if (id->home[0] == '/')
		file = open_file(path);
	if (file == NULL) {
		complain(PROGRAM, 0, "cannot keep the message in %s: %s", path,
		    strerror(errno));
		return;
	}
	if (gmtime_r(&now, &tm) != NULL)
		strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Y", &tm);
	fprintf(file, "From %s %s\n",
	    id->sender[0] != '\0' ? id->sender : "MAILER-DAEMON", date);
	write_rcpts(file, s);
	copy_body(file, s->message->file);
	if (fclose(file) == EOF)
		complain(PROGRAM, 0, "cannot keep the message in %s: %s", path,
		    strerror(errno));
	else
		complain(PROGRAM, 0, "the message is kept in %s", path);
}
