/* SPDX-License-Identifier: MIT */
#include "queue/delivery/history.h"

/* The longest line; what is beyond is cut off. */
#define TRAIL_LINE_MAX 2048

void
smtpd_trail_add(struct smtpd_text *trail, const char *format, ...)
{
	char line[TRAIL_LINE_MAX];
	struct smtpd_text t;
	va_list ap;

	smtpd_text_init(&t, line, sizeof(line));
	va_start(ap, format);
	smtpd_text_vformat(&t, format, ap);
	va_end(ap);
	if (trail->size - trail->len < t.len + 2) {
		trail->cut = true;
		return;
	}
	smtpd_text_filtered(trail, line, t.len);
	smtpd_text_byte(trail, '\n');
}
