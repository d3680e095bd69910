/* SPDX-License-Identifier: MIT */
#include "queue/control/output.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "grammar/date.h"

/* Stands for a byte that is part of no character. */
#define NO_POINT UINT32_MAX

void
smtpd__control_output_init(
    struct smtpd_control_output *a, smtpd_write_fn *write, void *user)
{
	a->write = write;
	a->user = user;
	a->failed = false;
	a->total = 0;
	a->len = 0;
}

int
smtpd__control_output_end(struct smtpd_control_output *a)
{
	if (a->len > 0 && !a->failed)
		a->failed = a->write(a->user, a->buf, a->len) != 0;
	a->len = 0;
	return a->failed ? -1 : 0;
}

void
smtpd__control_output_bytes(
    struct smtpd_control_output *a, const void *data, size_t len)
{
	a->total += len;
	if (len > sizeof(a->buf) - a->len)
		smtpd__control_output_end(a);
	if (len <= sizeof(a->buf)) {
		memcpy(a->buf + a->len, data, len);
		a->len += len;
	} else if (!a->failed) {
		a->failed = a->write(a->user, data, len) != 0;
	}
}

void
smtpd__control_output_add(struct smtpd_control_output *a, const char *s)
{
	smtpd__control_output_bytes(a, s, strlen(s));
}

void
smtpd__control_output_format(
    struct smtpd_control_output *a, const char *format, ...)
{
	char line[1001];
	struct smtpd_text t;
	va_list ap;

	smtpd__text_init(&t, line, sizeof(line));
	va_start(ap, format);
	smtpd__text_vformat(&t, format, ap);
	va_end(ap);
	smtpd__control_output_bytes(a, t.at, t.len);
}

/* As smtpd__utf8_decode(), but a byte that is part of no character is NO_POINT,
 * and one byte long. */
static size_t
next_character(const char *s, size_t len, uint32_t *point)
{
	size_t n = smtpd__utf8_decode(s, len, point);

	if (n > 0)
		return n;
	*point = NO_POINT;
	return 1;
}

void
smtpd__control_output_shown(
    struct smtpd_control_output *a, const char *s, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		uint32_t point;

		n = next_character(s + at, len - at, &point);
		/* The rest is invisible, or changes how others are shown. */
		if (smtpd__utf8_is_control(point) || point == 0xad ||
		    point == 0x61c || point == 0xfeff ||
		    (point >= 0x200b && point <= 0x200f) ||
		    (point >= 0x2028 && point <= 0x202e) ||
		    (point >= 0x2060 && point <= 0x206f) || point >= 0xe0000)
			smtpd__control_output_add(a, "?");
		else
			smtpd__control_output_bytes(a, s + at, n);
	}
}

void
smtpd__control_output_lines(struct smtpd_control_output *a, const char *indent,
    const char *s, size_t len)
{
	while (len > 0) {
		const char *end = memchr(s, '\n', len);
		size_t n = end != NULL ? (size_t)(end - s) : len;

		smtpd__control_output_add(a, indent);
		smtpd__control_output_shown(a, s, n);
		smtpd__control_output_add(a, "\n");
		n += end != NULL;
		s += n;
		len -= n;
	}
}

void
smtpd__control_output_json_bytes(
    struct smtpd_control_output *a, const char *s, size_t len)
{
	smtpd__control_output_add(a, "\"");
	for (size_t at = 0, n; at < len; at += n) {
		uint32_t point;

		n = next_character(s + at, len - at, &point);
		if (point == NO_POINT)
			point = (unsigned char)s[at];
		else if (!smtpd__utf8_is_control(point) && point != '"' &&
		    point != '\\') {
			smtpd__control_output_bytes(a, s + at, n);
			continue;
		}
		if (point == '"' || point == '\\')
			smtpd__control_output_format(a, "\\%c", (char)point);
		else
			smtpd__control_output_format(
			    a, "\\u%04x", (unsigned)point);
	}
	smtpd__control_output_add(a, "\"");
}

void
smtpd__control_output_json(struct smtpd_control_output *a, const char *s)
{
	if (s == NULL)
		smtpd__control_output_add(a, "null");
	else
		smtpd__control_output_json_bytes(a, s, strlen(s));
}

void
smtpd__control_output_time(struct smtpd_control_output *a, uint64_t ms)
{
	char text[SMTPD_DATE_STAMP_MAX];

	smtpd__date_write_stamp((time_t)(ms / 1000), text);
	smtpd__control_output_add(a, text);
}

void
smtpd__control_output_span(struct smtpd_control_output *a, uint32_t seconds)
{
	uint32_t minutes = seconds / 60, hours = minutes / 60;

	if (minutes == 0)
		smtpd__control_output_format(a, "%us", seconds);
	else if (hours == 0)
		smtpd__control_output_format(
		    a, "%um%02us", minutes, seconds % 60);
	else if (hours < 48)
		smtpd__control_output_format(
		    a, "%uh%02um", hours, minutes % 60);
	else
		smtpd__control_output_format(
		    a, "%ud%02uh", hours / 24, hours % 24);
}
