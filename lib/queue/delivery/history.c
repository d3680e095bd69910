/* SPDX-License-Identifier: MIT */
#include "queue/delivery/history.h"

/* The size of a line; a longer one is cut off. */
#define LINE_SIZE 2048

void
smtpd__history_add(struct smtpd_text *history, const char *format, ...)
{
	char line[LINE_SIZE];
	struct smtpd_text t;
	va_list ap;

	smtpd__text_init(&t, line, sizeof(line));
	va_start(ap, format);
	smtpd__text_vformat(&t, format, ap);
	va_end(ap);
	if (history->size - history->len < t.len + 2) {
		history->cut = true;
		return;
	}
	smtpd__text_filtered(history, line, t.len);
	smtpd__text_byte(history, '\n');
}
