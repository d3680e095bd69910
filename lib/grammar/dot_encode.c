/* SPDX-License-Identifier: MIT */
#include "grammar/dot_encode.h"

#include <string.h>

/* What the next byte is: the first of a line, one within it, or perhaps the LF
 * of a CR that went out as CRLF. */
enum encode_state {
	AT_START,
	IN_LINE,
	AFTER_CR,
};

/* Where the next CR and LF of the input stand (its end if there is none);
 * NULL: not looked for yet. */
struct ends {
	const char *cr;
	const char *lf;
};

static const char *
next_byte(const char *known, const char *at, const char *end, char c)
{
	if (known != NULL && known >= at)
		return known;
	known = memchr(at, c, (size_t)(end - at));
	return known != NULL ? known : end;
}

/* The first CR or LF of what stands between AT and END, or END. */
static const char *
end_of_line(struct ends *e, const char *at, const char *end)
{
	e->cr = next_byte(e->cr, at, end, '\r');
	e->lf = next_byte(e->lf, at, end, '\n');
	return e->cr < e->lf ? e->cr : e->lf;
}

/*
 * Copy of the line at AT, which STOP ends, what fits into ROOM bytes, and its
 * end as CRLF if that was reached before END.  Return how much was written.
 */
static size_t
copy_line(struct smtpd_dot_encoder *e, const char **at, const char *stop,
    const char *end, char *out, size_t room)
{
	size_t n = (size_t)(stop - *at);

	e->state = IN_LINE;
	if (n > room - 2)
		n = room - 2;
	memcpy(out, *at, n);
	*at += n;
	if (*at < stop || stop == end)
		return n;
	memcpy(out + n, "\r\n", 2);
	e->state = *stop == '\r' ? AFTER_CR : AT_START;
	*at += 1;
	return n + 2;
}

size_t
smtpd__dot_encode(struct smtpd_dot_encoder *e, const char **in, size_t *len,
    char *out, size_t size)
{
	struct ends ends = { NULL, NULL };
	const char *end = *in + *len;
	const char *at = *in;
	size_t used = 0;

	while (at < end && size - used >= SMTPD_DOT_ROOM_MIN) {
		if (e->state == AFTER_CR) {
			e->state = AT_START;
			if (*at == '\n') {
				at++;
				continue;
			}
		}
		if (e->state == AT_START && *at == '.' && !e->no_dots)
			out[used++] = '.';
		used += copy_line(e, &at, end_of_line(&ends, at, end), end,
		    out + used, size - used);
	}
	*len = (size_t)(end - at);
	*in = at;
	return used;
}

size_t
smtpd__dot_encode_end(struct smtpd_dot_encoder *e, char *out)
{
	size_t n = 0;

	if (e->state == IN_LINE) {
		memcpy(out, "\r\n", 2);
		n = 2;
	}
	e->state = AT_START;
	if (e->no_dots)
		return n;
	memcpy(out + n, ".\r\n", 3);
	return n + 3;
}
