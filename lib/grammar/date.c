/* SPDX-License-Identifier: MIT */
#include "grammar/date.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* The year may not fit its type. */
static void
split_time(time_t when, struct tm *tm)
{
	time_t epoch = 0;

	if (gmtime_r(&when, tm) == NULL)
		gmtime_r(&epoch, tm);
}

void
smtpd__date_write(time_t when, char *buf)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct smtpd_text t;
	struct tm tm;

	split_time(when, &tm);
	smtpd__text_init(&t, buf, SMTPD_DATE_MAX);
	smtpd__text_format(&t, "%s, %02d %s %04lld %02d:%02d:%02d +0000",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    (long long)tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void
smtpd__date_write_stamp(time_t when, char *buf)
{
	struct smtpd_text t;
	struct tm tm;

	split_time(when, &tm);
	smtpd__text_init(&t, buf, SMTPD_DATE_STAMP_MAX);
	smtpd__text_format(&t, "%04lld-%02d-%02dT%02d:%02d:%02dZ",
	    (long long)tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
}

/* Read what PATTERN wants at *S, which moves behind it: digits for "0", which
 * are put together in NUMBERS, one for each run of them; else the same
 * character, its case ignored. */
static int
read_pattern(const char **s, const char *pattern, int *numbers)
{
	for (; *pattern != '\0'; pattern++, *s += 1) {
		if (*pattern != '0') {
			if (smtpd__text_to_upper((unsigned char)**s) !=
			    *pattern)
				return -1;
			numbers++;
			continue;
		}
		if (!smtpd__text_is_digit((unsigned char)**s))
			return -1;
		*numbers = *numbers * 10 + **s - '0';
	}
	return 0;
}

static int
days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* The days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t
days_since_epoch(int year, int month, int day)
{
	/* The year begins with March, so that a leap day is its last. */
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year =
	    (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

/* time-offset = "Z" / ("+" / "-") time-hour ":" time-minute: its seconds into
 * *OFFSET. */
static int
read_offset(const char *s, int *offset)
{
	const bool west = *s == '-';
	int n[3] = { 0 };

	*offset = 0;
	if (*s == 'Z' || *s == 'z')
		return s[1] == '\0' ? 0 : -1;
	if (*s != '+' && !west)
		return -1;
	s++;
	if (read_pattern(&s, "00:00", n) == -1 || *s != '\0' || n[0] > 23 ||
	    n[1] > 59)
		return -1;
	*offset = (n[0] * 60 + n[1]) * 60;
	*offset = west ? -*offset : *offset;
	return 0;
}

int
smtpd__date_read_stamp(const char *text, int64_t *when)
{
	/* year, month, day, hour, minute, second */
	int n[6] = { 0 }, offset;

	if (read_pattern(&text, "0000-00-00T00:00:00", n) == -1)
		return -1;
	if (n[1] < 1 || n[1] > 12 || n[2] < 1 ||
	    n[2] > days_of_month(n[0], n[1]) || n[3] > 23 || n[4] > 59 ||
	    n[5] > 60)
		return -1;
	if (*text == '.') {
		size_t digits = strspn(text + 1, "0123456789");

		if (digits == 0)
			return -1;
		text += 1 + digits;
	}
	if (read_offset(text, &offset) == -1)
		return -1;
	*when = days_since_epoch(n[0], n[1], n[2]) * 86400 + n[3] * 3600 +
	    n[4] * 60 + n[5] - offset;
	return 0;
}
