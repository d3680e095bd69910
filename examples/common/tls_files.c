/* SPDX-License-Identifier: MIT */
#include "tls_files.h"

#include <sys/stat.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define DAY 86400

/* So many days before the end there is a warning. */
static const int days_left[] = { 14, 7, 1, 0 };
#define WARNINGS (sizeof(days_left) / sizeof(days_left[0]))

static struct tls_stamp
stamp_of(const char *path)
{
	struct tls_stamp stamp;
	struct stat st;

	/* Padding is compared too. */
	memset(&stamp, 0, sizeof(stamp));
	if (stat(path, &st) == -1)
		return stamp;
	stamp.device = st.st_dev;
	stamp.inode = st.st_ino;
	stamp.size = st.st_size;
	stamp.modified = st.st_mtim;
	stamp.changed = st.st_ctim;
	return stamp;
}

/* Note the state of the files; return whether one has changed. */
static bool
note_files(struct tls_files *t)
{
	size_t n = t->certs->count;
	bool changed = false;

	for (size_t i = 0; i < 2 * n; i++) {
		struct tls_stamp stamp = stamp_of(
		    i < n ? t->certs->items[i] : t->keys->items[i - n]);

		changed |= memcmp(&stamp, &t->stamps[i], sizeof(stamp)) != 0;
		memcpy(&t->stamps[i], &stamp, sizeof(stamp));
	}
	return changed;
}

static const char *
format_date(time_t when, char *buf, size_t size)
{
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(buf, size, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		buf[0] = '\0';
	return buf;
}

/* Add all pairs to TLS, and find which certificate expires first. */
static int
add_pairs(struct tls_files *t, struct smtpd_tls *tls, const char **first)
{
	time_t expires = 0;

	for (size_t i = 0; i < t->certs->count; i++) {
		const char *cert = t->certs->items[i];
		const char *key = t->keys->items[i];

		if (smtpd_tls_add_files(tls, cert, key) == -1)
			return access(cert, R_OK) == -1 ||
				access(key, R_OK) == -1
			    ? EX_NOINPUT
			    : EX_CONFIG;
		if (i == 0 || smtpd_tls_expires_s(tls) < expires)
			*first = cert;
		expires = smtpd_tls_expires_s(tls);
	}
	return 0;
}

/* Use TLS, whose reference is taken over, from now on. */
static int
use_context(struct tls_files *t, struct smtpd_tls *tls, const char *first)
{
	char date[32];

	if (smtpd_server_set_tls(t->server, tls) == -1)
		return EX_OSERR;
	smtpd_tls_unref(t->tls);
	t->tls = tls;
	t->first = first;
	t->expires = smtpd_tls_expires_s(tls);
	t->warned = 0;
	log_line(t->log, SMTPD_LOG_INFO,
	    "read %zu certificates; that in %s expires first, %s",
	    t->certs->count, first,
	    format_date(t->expires, date, sizeof(date)));
	return 0;
}

int
tls_files_load(struct tls_files *t, char *why, size_t size)
{
	const struct smtpd_tls_settings settings = { SMTPD_TLS_SETTINGS_INIT,
		.tickets_of = t->tls };
	struct smtpd_tls *tls;
	const char *first = NULL;
	int status;

	if (t->certs->count == 0)
		return 0;
	if (!smtpd_tls_supported()) {
		snprintf(why, size, "%s: this program was built without TLS",
		    t->certs->items[0]);
		return EX_UNAVAILABLE;
	}
	if (t->stamps == NULL)
		t->stamps = calloc(2 * t->certs->count, sizeof(*t->stamps));
	tls = smtpd_tls_create(&settings);
	if (tls == NULL || t->stamps == NULL) {
		smtpd_tls_unref(tls);
		snprintf(why, size, "no memory");
		return EX_OSERR;
	}
	/* Before they are read: a change meanwhile is seen next time. */
	note_files(t);
	status = add_pairs(t, tls, &first);
	if (status == 0)
		status = use_context(t, tls, first);
	if (status != 0) {
		snprintf(why, size, "%s",
		    status == EX_OSERR ? smtpd_server_error(t->server)
				       : smtpd_tls_error(tls));
		smtpd_tls_unref(tls);
	}
	return status;
}

void
tls_files_reload(struct tls_files *t)
{
	char why[1024];

	if (tls_files_load(t, why, sizeof(why)) != 0)
		log_line(t->log, SMTPD_LOG_WARNING,
		    "the old certificates stay in use: %s", why);
}

static void
warn_expiry(struct tls_files *t, time_t now)
{
	size_t due = 0;
	char date[32];

	while (
	    due < WARNINGS && t->expires - now <= (time_t)days_left[due] * DAY)
		due++;
	if (due <= t->warned)
		return;
	t->warned = due;
	format_date(t->expires, date, sizeof(date));
	if (t->expires <= now)
		log_line(t->log, SMTPD_LOG_ERROR,
		    "the certificate in %s has expired, %s", t->first, date);
	else
		log_line(t->log, SMTPD_LOG_WARNING,
		    "the certificate in %s expires within %ld days, %s",
		    t->first, (long)((t->expires - now + DAY - 1) / DAY), date);
}

void
tls_files_look(struct tls_files *t, time_t now)
{
	if (t->tls == NULL)
		return;
	if (note_files(t))
		tls_files_reload(t);
	warn_expiry(t, now);
}

void
tls_files_finish(struct tls_files *t)
{
	smtpd_tls_unref(t->tls);
	free(t->stamps);
	t->tls = NULL;
	t->stamps = NULL;
}
