/* SPDX-License-Identifier: MIT */
#include "grammar/line_scan.h"

#include <string.h>

/* Octets of a line with its CRLF that all hosts take (RFC 5321, 4.5.3.1.6). */
#define LINE_MAX_COMMON 1000

void
smtpd__line_scan_init(struct smtpd_line_scan *l, uint32_t max_line)
{
	*l = (struct smtpd_line_scan){
		.state = SMTPD_LINE_SCAN_AT_START,
		.max_line = max_line,
	};
}

static void
put(struct smtpd_line_piece *p, const char *s, size_t n)
{
	if (p->out == NULL)
		return;
	memcpy(p->out, s, n);
	p->out += n;
	p->left -= n;
}

/* N more octets of the present line, as they were sent. */
static void
count_octets(struct smtpd_line_scan *l, size_t n)
{
	uint64_t line = l->line + (uint64_t)n;

	l->line = line > UINT32_MAX ? UINT32_MAX : (uint32_t)line;
	if (line > LINE_MAX_COMMON)
		l->found |= SMTPD_LINE_SCAN_OVER_1000;
	if (line > l->max_line)
		l->found |= SMTPD_LINE_SCAN_LONG_LINE;
}

/* The next C at or after p->in, where AT was the last answer. */
static const char *
next_special(const struct smtpd_line_piece *p, const char *at, char c)
{
	if (at != NULL && at >= p->in)
		return at;
	at = memchr(p->in, c, (size_t)(p->end - p->in));
	return at != NULL ? at : p->end;
}

/* How many bytes go through as they are, CRLF included if it comes next. */
static size_t
plain_run(struct smtpd_line_piece *p)
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
copy_run(struct smtpd_line_scan *l, struct smtpd_line_piece *p, size_t n)
{
	n = n < p->left ? n : p->left;
	/* A CR waits for its LF. */
	if (p->in[n - 1] == '\r')
		n--;
	put(p, p->in, n);
	count_octets(l, n);
	p->in += n;
	l->state = SMTPD_LINE_SCAN_IN_LINE;
	if (p->in[-1] == '\n') {
		l->state = SMTPD_LINE_SCAN_AT_START;
		l->line = 0;
	}
}

/* A CR, LF or NUL that stands where a line goes on. */
static void
take_special(struct smtpd_line_scan *l, struct smtpd_line_piece *p)
{
	char c = *p->in++;

	l->state = SMTPD_LINE_SCAN_IN_LINE;
	count_octets(l, 1);
	if (c == '\r') {
		l->state = SMTPD_LINE_SCAN_AFTER_CR;
		return;
	}
	if (c == '\0') {
		l->found |= SMTPD_LINE_SCAN_NUL;
		return;
	}
	/* The line ends, but a dot behind it is neither an end nor stuffed:
	 * the sender may have passed it on as text (SMTP smuggling). */
	l->found |= SMTPD_LINE_SCAN_BARE_LF;
	put(p, "\r\n", 2);
	l->line = 0;
}

static void
take_after_cr(struct smtpd_line_scan *l, struct smtpd_line_piece *p)
{
	if (*p->in != '\n') {
		l->found |= SMTPD_LINE_SCAN_BARE_CR;
		if (*p->in == '\r') {
			p->in++;
			count_octets(l, 1);
			return;
		}
		put(p, " ", 1);
		l->state = SMTPD_LINE_SCAN_IN_LINE;
		return;
	}
	p->in++;
	put(p, "\r\n", 2);
	count_octets(l, 1);
	l->line = 0;
	l->state = SMTPD_LINE_SCAN_AT_START;
}

void
smtpd__line_scan_window(struct smtpd_line_piece *p, const char *end)
{
	p->end = (size_t)(end - p->in) < p->left ? end : p->in + p->left;
	p->cr = p->lf = p->nul = NULL;
}

void
smtpd__line_scan_step(struct smtpd_line_scan *l, struct smtpd_line_piece *p)
{
	size_t n;

	if (l->state == SMTPD_LINE_SCAN_AFTER_CR) {
		take_after_cr(l, p);
		return;
	}
	n = plain_run(p);
	if (n > 0)
		copy_run(l, p, n);
	else
		take_special(l, p);
}

void
smtpd__line_scan_bare_cr(struct smtpd_line_scan *l)
{
	count_octets(l, 1);
	l->state = SMTPD_LINE_SCAN_AFTER_CR;
}

size_t
smtpd__line_scan_block(struct smtpd_line_scan *l, const char **in, size_t *len,
    char *out, size_t size)
{
	struct smtpd_line_piece p = {
		.in = *in,
		.out = out,
		.left = out != NULL ? size : SIZE_MAX,
	};
	const char *end = *in + *len;

	while (p.in < end && p.left >= SMTPD_LINE_SCAN_STEP_MAX) {
		smtpd__line_scan_window(&p, end);
		while (p.in < p.end && p.left >= SMTPD_LINE_SCAN_STEP_MAX)
			smtpd__line_scan_step(l, &p);
	}
	*len = (size_t)(end - p.in);
	*in = p.in;
	return out != NULL ? size - p.left : 0;
}

size_t
smtpd__line_scan_end(struct smtpd_line_scan *l, char *out)
{
	if (l->state == SMTPD_LINE_SCAN_AFTER_CR)
		l->found |= SMTPD_LINE_SCAN_BARE_CR;
	l->state = SMTPD_LINE_SCAN_AT_START;
	if (l->line == 0)
		return 0;
	l->line = 0;
	memcpy(out, "\r\n", 2);
	return 2;
}
