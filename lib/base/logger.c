/* SPDX-License-Identifier: MIT */
#include "base/logger.h"

#include <string.h>

#include "base/text.h"

bool
smtpd__logger_wants(const struct smtpd_logger *l, enum smtpd_log_level level)
{
	return l->log != NULL && level <= l->level;
}

void
smtpd__logger_write(const struct smtpd_logger *l, enum smtpd_log_level level,
    const char *format, ...)
{
	char raw[SMTPD_LOGGER_LINE_SIZE], line[SMTPD_LOGGER_LINE_SIZE];
	struct smtpd_text t;
	va_list ap;

	if (!smtpd__logger_wants(l, level))
		return;
	smtpd__text_init(&t, raw, sizeof(raw));
	va_start(ap, format);
	smtpd__text_vformat(&t, format, ap);
	va_end(ap);
	smtpd__text_init(&t, line, sizeof(line));
	smtpd__text_filtered(&t, raw, strlen(raw));
	l->log(level, line, l->user);
}
