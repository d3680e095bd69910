/* SPDX-License-Identifier: MIT */
#include "grammar/date.h"

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
