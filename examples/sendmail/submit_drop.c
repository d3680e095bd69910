/* SPDX-License-Identifier: MIT */
#include "submit_drop.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "complain.h"
#include "drop_format.h"
#include "drop_place.h"
#include "user_trace.h"

#define BLOCK_SIZE 16384

/* Copy the message, without the NULs that smtpout would leave out, to OUT.
 * NULL: count its octets only. */
static uint64_t
copy_content(const struct submission *s, FILE *out)
{
	char block[BLOCK_SIZE];
	uint64_t size = 0;
	size_t n;

	rewind(s->message->file);
	while ((n = fread(block, 1, sizeof(block), s->message->file)) > 0) {
		size_t kept = 0;

		for (size_t i = 0; i < n; i++)
			if (block[i] != '\0')
				block[kept++] = block[i];
		if (out != NULL)
			fwrite(block, 1, kept, out);
		size += kept;
	}
	return size;
}

/* Write the message for the first COUNT of those who are left to OUT. */
static void
write_message(const struct submission *s, size_t count, FILE *out)
{
	const struct arguments *a = s->arguments;
	char date[USER_TRACE_DATE_SIZE], field[sizeof(date) + 16] = "";

	/* It is not that of the time when smtpout takes it. */
	user_trace_date(time(NULL), date);
	if (!s->message->has_date && date[0] != '\0')
		snprintf(field, sizeof(field), "Date: %s\r\n", date);
	fprintf(out, "%s\nSENDER %s\n", DROP_FORMAT_FIRST, s->identity->sender);
	if (a->ret != NULL)
		fprintf(out, "RET %s\n", a->ret);
	if (a->envid != NULL)
		fprintf(out, "ENVID %s\n", a->envid);
	if (a->notify != NULL)
		fprintf(out, "NOTIFY %s\n", a->notify);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "RCPT %s\n", s->rcpts[i].address);
	fprintf(out, "DATA %llu\n%s",
	    (unsigned long long)(copy_content(s, NULL) + strlen(field)), field);
	copy_content(s, out);
}

/* In the new process: become the program, which reads from FD. */
static void
run_program(const struct arguments *a, int fd)
{
	if (dup2(fd, STDIN_FILENO) != -1) {
		if (a->drop_box != NULL)
			execl(a->drop_program, a->drop_program, "-d",
			    a->drop_box, (char *)NULL);
		else
			execl(a->drop_program, a->drop_program, (char *)NULL);
	}
	_exit(complain(PROGRAM, 127, "cannot run %s: %s", a->drop_program,
	    strerror(errno)));
}

/* Put the message for the first COUNT of those who are left into the box.
 * Return whether it is there. */
static bool
drop_once(const struct submission *s, size_t count)
{
	int ends[2], status = -1;
	pid_t child;
	FILE *out;

	if (pipe(ends) == -1)
		return false;
	out = fdopen(ends[1], "w");
	child = out != NULL ? fork() : -1;
	if (child == 0) {
		close(ends[1]);
		run_program(s->arguments, ends[0]);
	}
	close(ends[0]);
	if (out == NULL) {
		close(ends[1]);
		return false;
	}
	if (child != -1)
		write_message(s, count, out);
	fclose(out);
	while (
	    child != -1 && waitpid(child, &status, 0) == -1 && errno == EINTR)
		continue;
	return child != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
submit_drop_has_box(const struct arguments *a)
{
	struct stat st;

	return a->drop_program != NULL && access(a->drop_program, X_OK) == 0 &&
	    (a->drop_box != NULL ||
		(stat(DROP_BOX, &st) == 0 && S_ISDIR(st.st_mode)));
}

void
submit_drop(struct submission *s)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;

	if (!submit_drop_has_box(s->arguments))
		return;
	sigaction(SIGPIPE, &ignore, &before);
	while (s->nrcpts > 0) {
		size_t count = s->nrcpts < DROP_FORMAT_RCPT_MAX
		    ? s->nrcpts
		    : DROP_FORMAT_RCPT_MAX;

		if (!drop_once(s, count))
			break;
		s->nrcpts -= count;
		memmove(
		    s->rcpts, s->rcpts + count, s->nrcpts * sizeof(*s->rcpts));
	}
	sigaction(SIGPIPE, &before, NULL);
}
