/* SPDX-License-Identifier: MIT */
/* For memfd_create(). */
#define _GNU_SOURCE
#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "address_list.h"

/* Octets of a field that names recipients: more than any host takes. */
#define FIELD_MAX 4194304

struct reader {
	struct message *m;
	FILE *in;
	const struct message_wants *wants;
	char *line; /* the present one, without its end */
	size_t size, len;
	size_t crs;  /* that were read, each a line's end */
	bool open;   /* a field that names recipients goes on */
	bool drop;   /* the field is not sent */
	char *field; /* its value up to here, unfolded */
	size_t field_len;
	bool resent_field; /* it is one of Resent- */
	bool has_from;
	struct text_list resent, resent_bad; /* of Resent- fields */
	int status;
};

/* Remember the first failure: WHAT, and the reason. */
static void
fail_message(struct reader *r, int status, const char *what, const char *why)
{
	if (r->status != 0)
		return;
	r->status = status;
	snprintf(r->m->why, sizeof(r->m->why), "%s%s%s", what,
	    *why != '\0' ? ": " : "", why);
}

/* A CR was read: the end of the line, with those that follow up to LF; without
 * an LF each of them ends a line. */
static void
skip_line_end(struct reader *r)
{
	size_t more = 0;
	int c;

	while ((c = getc(r->in)) == '\r')
		more++;
	if (c == '\n')
		return;
	r->crs = more;
	if (c != EOF)
		ungetc(c, r->in);
}

/* Read a line that LF, CRLF or CR ends.  Return false at the end. */
static bool
read_line(struct reader *r)
{
	int c;

	r->len = 0;
	if (r->crs > 0) {
		r->crs--;
		return true;
	}
	while ((c = getc(r->in)) != EOF && c != '\n' && c != '\r') {
		if (r->len == r->size) {
			size_t size = r->size * 2 + 1024;
			char *more = realloc(r->line, size);

			if (more == NULL) {
				fail_message(r, EX_TEMPFAIL, "no memory", "");
				return false;
			}
			r->line = more;
			r->size = size;
		}
		r->line[r->len++] = (char)c;
		r->m->eight_bit |= c > 127;
	}
	if (c == '\r')
		skip_line_end(r);
	return c != EOF || r->len > 0;
}

static void
write_bytes(struct reader *r, const char *data, size_t len)
{
	if (fwrite(data, 1, len, r->m->file) != len)
		fail_message(
		    r, EX_TEMPFAIL, "cannot copy the message", strerror(errno));
	r->m->size += len;
}

static void
write_line(struct reader *r, const char *data, size_t len)
{
	write_bytes(r, data, len);
	write_bytes(r, "\r\n", 2);
}

/* Whether a line begins a field (RFC 5322, 2.2); *VALUE is where its value
 * does. */
static bool
is_field(const struct reader *r, size_t *name_len, size_t *value)
{
	size_t n = 0;

	while (n < r->len && r->line[n] > ' ' && r->line[n] < 0x7f &&
	    r->line[n] != ':')
		n++;
	*name_len = n;
	while (n < r->len && (r->line[n] == ' ' || r->line[n] == '\t'))
		n++;
	*value = n + 1;
	return *name_len > 0 && n < r->len && r->line[n] == ':';
}

static bool
is_named(const struct reader *r, size_t len, const char *name)
{
	return strlen(name) == len && strncasecmp(r->line, name, len) == 0;
}

/* Collect what the line says from AT on, as part of a list of recipients. */
static void
collect_value(struct reader *r, size_t at)
{
	size_t len = r->len - at;
	char *more;

	if (len >= FIELD_MAX - r->field_len) {
		fail_message(
		    r, EX_DATAERR, "there are too many recipients", "");
		return;
	}
	more = realloc(r->field, r->field_len + len + 1);
	if (more == NULL) {
		fail_message(r, EX_TEMPFAIL, "no memory", "");
		return;
	}
	r->field = more;
	memcpy(more + r->field_len, r->line + at, len);
	more[r->field_len + len] = ' ';
	r->field_len += len + 1;
}

/* A field that names recipients is over. */
static void
end_field(struct reader *r)
{
	struct text_list *list = r->resent_field ? &r->resent : &r->m->rcpts;
	struct text_list *bad = r->resent_field ? &r->resent_bad : &r->m->bad;

	if (!r->open)
		return;
	r->open = false;
	if (address_list_parse_each(r->field, r->field_len, list, bad) == -1)
		fail_message(r, EX_TEMPFAIL, "no memory", "");
	r->field_len = 0;
}

/* Begin a field, whose name has NAME_LEN bytes. */
static void
begin_field(struct reader *r, size_t name_len)
{
	static const char *const lists[] = { "To", "Cc", "Bcc", "Resent-To",
		"Resent-Cc", "Resent-Bcc" };

	r->drop = false;
	r->has_from |= is_named(r, name_len, "From");
	r->m->has_date |= is_named(r, name_len, "Date");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (!r->wants->recipients || !is_named(r, name_len, lists[i]))
			continue;
		r->open = true;
		r->drop = i % 3 == 2;
		r->resent_field = i >= 3;
	}
}

/* Parse and copy one line of the header.  Return false when the
 * header is over. */
static bool
parse_header_line(struct reader *r, bool first)
{
	size_t name_len, value = 0;
	bool folded =
	    !first && r->len > 0 && (r->line[0] == ' ' || r->line[0] == '\t');

	if (!folded) {
		end_field(r);
		if (!is_field(r, &name_len, &value))
			return false;
		begin_field(r, name_len);
	}
	if (r->open)
		collect_value(r, value);
	if (!r->drop)
		write_line(r, r->line, r->len);
	return true;
}

static bool
is_last(const struct reader *r)
{
	return !r->wants->dot_is_text && r->len == 1 && r->line[0] == '.';
}

/* Copy the header; return whether there is a line behind it, which is the
 * present one. */
static bool
copy_header(struct reader *r)
{
	bool first = true;
	bool more = read_line(r);

	/* The line of a mailbox. */
	if (more &&
	    ((r->len >= 5 && memcmp(r->line, "From ", 5) == 0) ||
		(r->len >= 6 && memcmp(r->line, ">From ", 6) == 0)))
		more = read_line(r);
	while (more && !is_last(r) && parse_header_line(r, first)) {
		first = false;
		more = read_line(r);
	}
	end_field(r);
	return more && !is_last(r);
}

static void
copy_message(struct reader *r)
{
	bool more = copy_header(r);

	if (!r->has_from && r->wants->from != NULL) {
		write_bytes(r, "From: ", 6);
		write_line(r, r->wants->from, strlen(r->wants->from));
	}
	write_line(r, "", 0);
	if (more && r->len > 0)
		write_line(r, r->line, r->len);
	while (more && read_line(r) && !is_last(r))
		write_line(r, r->line, r->len);
}

/* A message that is sent again goes to the recipients in its Resent- fields,
 * not to the first ones (RFC 5322, 3.6.6). */
static void
choose_recipients(struct reader *r)
{
	struct text_list first = r->m->rcpts, bad = r->m->bad;

	if (r->resent.count + r->resent_bad.count == 0)
		return;
	r->m->rcpts = r->resent;
	r->resent = first;
	r->m->bad = r->resent_bad;
	r->resent_bad = bad;
}

/* A file without a name in DIRECTORY, or NULL. */
static FILE *
open_in(const char *directory)
{
	char path[1024];
	FILE *file;
	int fd;

	if (directory == NULL || *directory != '/' ||
	    snprintf(path, sizeof(path),
		"%s/sendmail.XX"
		"XX"
		"XX",
		directory) >= (int)sizeof(path))
		return NULL;
	fd = mkstemp(path);
	if (fd == -1)
		return NULL;
	unlink(path);
	file = fdopen(fd, "w+");
	if (file == NULL)
		close(fd);
	return file;
}

/* A file that keeps the message for a while: wherever there is room. */
static FILE *
open_temporary(void)
{
	FILE *file = open_in(getenv("TMPDIR"));
	int fd;

	if (file == NULL)
		file = tmpfile();
	if (file == NULL)
		file = open_in(getenv("HOME"));
	if (file != NULL)
		return file;
	fd = memfd_create("message", MFD_CLOEXEC);
	return fd == -1 ? NULL : fdopen(fd, "w+");
}

int
message_read(struct message *m, FILE *in, const struct message_wants *wants)
{
	struct reader r = { .m = m, .in = in, .wants = wants };

	*m = (struct message){ .file = open_temporary() };
	if (m->file == NULL) {
		fail_message(&r, EX_TEMPFAIL, "cannot make a temporary file",
		    strerror(errno));
		return r.status;
	}
	copy_message(&r);
	if (ferror(in))
		fail_message(&r, EX_IOERR, "cannot read the message", "");
	if (fflush(m->file) == EOF)
		fail_message(&r, EX_TEMPFAIL, "cannot copy the message",
		    strerror(errno));
	choose_recipients(&r);
	text_list_finish(&r.resent);
	text_list_finish(&r.resent_bad);
	free(r.line);
	free(r.field);
	return r.status;
}

void
message_finish(struct message *m)
{
	if (m->file != NULL)
		fclose(m->file);
	text_list_finish(&m->rcpts);
	text_list_finish(&m->bad);
}
