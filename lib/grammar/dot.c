/* SPDX-License-Identifier: MIT */
#include "grammar/dot.h"

#include <string.h>

/* What was read last.  A CR in a line is sent on at once, that of an end that
 * may come (AFTER_DOT_CR) is not. */
enum dot_state {
	AT_START, /* CRLF, or nothing */
	IN_LINE,
	AFTER_CR,     /* CR within a line */
	AFTER_DOT,    /* CRLF "." */
	AFTER_DOT_CR, /* CRLF "." CR */
};

/* The most that one step makes of one byte. */
#define STEP_MAX 2

/* One call: the input within reach, where the next of each special byte
 * stands in it (its end if there is none), and the room for output. */
struct pass {
	struct smtpd_dot *d;
	const char *in;
	const char *end;
	const char *cr;
	const char *lf;
	const char *nul;
	char *out;
	size_t left;
};

void
smtpd__dot_init(struct smtpd_dot *d, uint32_t max_line)
{
	*d = (struct smtpd_dot){ .state = AT_START, .max_line = max_line };
}

static void
put(struct pass *p, const char *s, size_t n)
{
	p->d->decoded += n;
	if (p->out == NULL)
		return;
	memcpy(p->out, s, n);
	p->out += n;
	p->left -= n;
}

/* N more octets of the present line, as they were sent. */
static void
count_octets(struct smtpd_dot *d, size_t n)
{
	uint64_t line = d->line + (uint64_t)n;

	d->line = line > UINT32_MAX ? UINT32_MAX : (uint32_t)line;
	if (line > d->max_line)
		d->found |= SMTPD_DOT_LONG_LINE;
}

/* The next C at or after p->in, where AT was the last answer. */
static const char *
next_special(const struct pass *p, const char *at, char c)
{
	if (at != NULL && at >= p->in)
		return at;
	at = memchr(p->in, c, (size_t)(p->end - p->in));
	return at != NULL ? at : p->end;
}

/* How many bytes go through as they are, CRLF included if it comes next. */
static size_t
plain_run(struct pass *p)
{
	const char *stop;

	p->lf = next_special(p, p->lf, '\n');
	p->cr = next_special(p, p->cr, '\r');
	p->nul = next_special(p, p->nul, '\0');
	stop = p->cr < p->lf ? p->cr : p->lf;
	stop = p->nul < stop ? p->nul : stop;
	if (stop == p->cr && p->lf == stop + 1 && p->lf < p->end)
		stop += 2;
	return (size_t)(stop - p->in);
}

static void
copy_run(struct pass *p, size_t n)
{
	n = n < p->left ? n : p->left;
	put(p, p->in, n);
	count_octets(p->d, n);
	p->in += n;
	if (p->in[-1] == '\n') {
		p->d->state = AT_START;
		p->d->line = 0;
	} else if (p->in[-1] == '\r') {
		p->d->state = AFTER_CR;
	}
}

/* A CR, LF or NUL that stands where a line goes on. */
static void
take_special(struct pass *p)
{
	struct smtpd_dot *d = p->d;
	char c = *p->in++;

	count_octets(d, 1);
	if (c == '\r') {
		put(p, "\r", 1);
		d->state = AFTER_CR;
		return;
	}
	if (c == '\0') {
		d->found |= SMTPD_DOT_NUL;
		return;
	}
	/* The line ends, but a dot behind it is neither an end nor stuffed:
	 * the sender may have passed it on as text (SMTP smuggling). */
	d->found |= SMTPD_DOT_BARE_LF;
	put(p, "\r\n", 2);
	d->line = 0;
}

static void
go_on_in_line(struct pass *p)
{
	size_t n = plain_run(p);

	if (n > 0)
		copy_run(p, n);
	else
		take_special(p);
}

static void
take_after_cr(struct pass *p)
{
	struct smtpd_dot *d = p->d;

	if (*p->in != '\n') {
		d->found |= SMTPD_DOT_BARE_CR;
		d->state = IN_LINE;
		return;
	}
	p->in++;
	put(p, "\n", 1);
	count_octets(d, 1);
	d->line = 0;
	d->state = AT_START;
}

static void
take_after_dot_cr(struct pass *p)
{
	struct smtpd_dot *d = p->d;

	if (*p->in == '\n') {
		p->in++;
		d->done = true;
		return;
	}
	put(p, "\r", 1);
	count_octets(d, 1);
	d->found |= SMTPD_DOT_BARE_CR;
	d->state = IN_LINE;
}

/* Take WANT and go to state THEN, or go on in the line with what else it is. */
static void
take_wanted(struct pass *p, char want, enum dot_state then)
{
	if (*p->in != want) {
		p->d->state = IN_LINE;
		return;
	}
	p->in++;
	p->d->state = (int)then;
}

static void
step(struct pass *p)
{
	switch ((enum dot_state)p->d->state) {
	case AT_START:
		take_wanted(p, '.', AFTER_DOT);
		break;
	case IN_LINE:
		go_on_in_line(p);
		break;
	case AFTER_CR:
		take_after_cr(p);
		break;
	case AFTER_DOT:
		take_wanted(p, '\r', AFTER_DOT_CR);
		break;
	case AFTER_DOT_CR:
		take_after_dot_cr(p);
		break;
	}
}

size_t
smtpd__dot_decode(
    struct smtpd_dot *d, const char **in, size_t *len, char *out, size_t size)
{
	struct pass p = {
		.d = d,
		.in = *in,
		.out = out,
		.left = out != NULL ? size : SIZE_MAX,
	};
	const char *end = *in + *len;

	while (p.in < end && !d->done && p.left >= STEP_MAX) {
		/* Look no further than what there is room for: the rest will
		 * be looked at again in the next call. */
		p.end = (size_t)(end - p.in) < p.left ? end : p.in + p.left;
		p.cr = p.lf = p.nul = NULL;
		while (p.in < p.end && !d->done && p.left >= STEP_MAX)
			step(&p);
	}
	*len = (size_t)(end - p.in);
	*in = p.in;
	return out != NULL ? size - p.left : 0;
}
