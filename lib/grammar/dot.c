/* SPDX-License-Identifier: MIT */
#include "grammar/dot.h"

void
smtpd__dot_init(struct smtpd_dot *d, uint32_t max_line)
{
	d->state = SMTPD_DOT_IN_TEXT;
	d->done = false;
	smtpd__line_scan_init(&d->lines, max_line);
}

/* The dot was stuffed, or it begins a line that goes on: leave it out. */
static void
continue_line(struct smtpd_dot *d)
{
	d->state = SMTPD_DOT_IN_TEXT;
	d->lines.state = SMTPD_LINE_SCAN_IN_LINE;
}

static void
step(struct smtpd_dot *d, struct smtpd_line_piece *p)
{
	switch (d->state) {
	case SMTPD_DOT_IN_TEXT:
		if (d->lines.state != SMTPD_LINE_SCAN_AT_START ||
		    *p->in != '.') {
			smtpd__line_scan_step(&d->lines, p);
			return;
		}
		d->state = SMTPD_DOT_AFTER_DOT;
		p->in++;
		break;
	case SMTPD_DOT_AFTER_DOT:
		if (*p->in != '\r') {
			continue_line(d);
			return;
		}
		d->state = SMTPD_DOT_AFTER_CR;
		p->in++;
		break;
	case SMTPD_DOT_AFTER_CR:
		if (*p->in != '\n') {
			continue_line(d);
			smtpd__line_scan_bare_cr(&d->lines);
			return;
		}
		d->done = true;
		p->in++;
		break;
	}
}

size_t
smtpd__dot_decode(
    struct smtpd_dot *d, const char **in, size_t *len, char *out, size_t size)
{
	struct smtpd_line_piece p = {
		.in = *in,
		.out = out,
		.left = out != NULL ? size : SIZE_MAX,
	};
	const char *end = *in + *len;

	while (p.in < end && !d->done && p.left >= SMTPD_LINE_SCAN_STEP_MAX) {
		smtpd__line_scan_window(&p, end);
		while (p.in < p.end && !d->done &&
		    p.left >= SMTPD_LINE_SCAN_STEP_MAX)
			step(d, &p);
	}
	*len = (size_t)(end - p.in);
	*in = p.in;
	return out != NULL ? size - p.left : 0;
}
