/* SPDX-License-Identifier: MIT */
#include "grammar/hops.h"

#include <string.h>

#include "base/text.h"

static const char name[] = "received";

/* Columns: as many letters of the name as were read, and besides: */
#define NAME_READ ((uint8_t)(sizeof(name) - 1))
#define CR_READ   ((uint8_t)(NAME_READ + 1)) /* and nothing before it */

void
smtpd__hops_init(struct smtpd_hops *h)
{
	*h = (struct smtpd_hops){ 0 };
}

static void
end_line(struct smtpd_hops *h)
{
	bool empty = h->column == 0 || h->column == CR_READ;

	h->done = empty && !h->other;
	h->other = false;
	h->column = 0;
}

/* A byte of a line that may still be a Received: field or empty. */
static void
match(struct smtpd_hops *h, char c)
{
	if (h->column == NAME_READ && (c == ' ' || c == '\t'))
		return;
	if (h->column < NAME_READ &&
	    smtpd__text_to_lower(c) == name[h->column]) {
		h->column++;
		return;
	}
	if (h->column == 0 && c == '\r') {
		h->column = CR_READ;
		return;
	}
	if (h->column == NAME_READ && c == ':')
		h->count++;
	h->other = true;
}

void
smtpd__hops_feed(struct smtpd_hops *h, const char *data, size_t len)
{
	const char *end = data + len;

	while (data < end && !h->done) {
		const char *at = data;

		if (h->other)
			at = memchr(data, '\n', (size_t)(end - data));
		if (at == NULL)
			return;
		if (*at == '\n')
			end_line(h);
		else
			match(h, *at);
		data = at + 1;
	}
}
