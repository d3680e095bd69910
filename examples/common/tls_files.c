/* SPDX-License-Identifier: MIT */
#include "tls_files.h"

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

/* Note the state of the files; return whether one has changed. */
static bool
note_files(struct tls_files *t)
{
	size_t n = t->certs->count;
	bool changed = false;

	for (size_t i = 0; i < 2 * n; i++)
		changed |= file_stamp_update(&t->stamps[i],
		    i < n ? t->certs->items[i] : t->keys->items[i - n]);
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

/* Add pair I to TLS.  LENIENT: it may be out of its time, or missing.  Return 0
 * or an exit status. */
static int
add_pair(struct tls_files *t, struct smtpd_tls *tls, size_t i, bool lenient)
{
	const char *cert = t->certs->items[i];
	const char *key = t->keys->items[i];

	if (smtpd_tls_add_files(tls, cert, key) == 0) {
		if (*smtpd_tls_error(tls) != '\0')
			log_line(t->log, SMTPD_LOG_ERROR,
			    "%s: it is used nevertheless: renew it",
			    smtpd_tls_error(tls));
		return 0;
	}
	if (access(cert, R_OK) == 0 && access(key, R_OK) == 0)
		return EX_CONFIG;
	if (!lenient)
		return EX_NOINPUT;
	t->partial = true;
	log_line(t->log, SMTPD_LOG_ERROR,
	    "%s: going on without this certificate", smtpd_tls_error(tls));
	return 0;
}

/* Add all pairs to TLS, and find which certificate expires first; NULL when
 * there is none. */
static int
add_pairs(struct tls_files *t, struct smtpd_tls *tls, bool lenient,
    const char **first)
{
	time_t expires = 0;

	t->partial = false;
	for (size_t i = 0; i < t->certs->count; i++) {
		int status = add_pair(t, tls, i, lenient);

		if (status != 0)
			return status;
		if (smtpd_tls_expires_s(tls) != expires &&
		    (*first == NULL || smtpd_tls_expires_s(tls) < expires))
			*first = t->certs->items[i];
		expires = smtpd_tls_expires_s(tls);
	}
	return 0;
}

/* Use TLS, whose reference is taken over, from now on. */
static int
use_context(struct tls_files *t, struct smtpd_tls *tls, const char *first)
{
	char date[32];

	if (first == NULL) {
		log_line(t->log, SMTPD_LOG_ERROR,
		    "no certificate can be used: clients are offered no TLS");
		smtpd_tls_unref(tls);
		return 0;
	}
	if (smtpd_server_set_tls(t->server, tls) == -1)
		return EX_OSERR;
	smtpd_tls_unref(t->tls);
	t->tls = tls;
	t->first = first;
	t->expires = smtpd_tls_expires_s(tls);
	/* That it has expired was said. */
	t->warned = t->expires <= time(NULL) ? WARNINGS : 0;
	log_line(t->log, SMTPD_LOG_INFO,
	    "read %zu certificate%s; that in %s expires first, %s",
	    t->certs->count, t->certs->count == 1 ? "" : "s", first,
	    format_date(t->expires, date, sizeof(date)));
	return 0;
}

/* Read all and use them; LENIENT: those that can be used. */
static int
load_files(struct tls_files *t, bool lenient, char *why, size_t size)
{
	const struct smtpd_tls_settings settings = { SMTPD_TLS_SETTINGS_INIT,
		.tickets_of = t->tls, .any_date = lenient,
		.cbc_suites = t->cbc_suites, .no_tickets = t->no_tickets };
	struct smtpd_tls *tls;
	const char *first = NULL;
	int status;

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
	status = add_pairs(t, tls, lenient, &first);
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

int
tls_files_load(struct tls_files *t, char *why, size_t size)
{
	if (t->certs->count == 0)
		return 0;
	if (!smtpd_tls_supported()) {
		snprintf(why, size, "%s: this program was built without TLS",
		    t->certs->items[0]);
		return EX_UNAVAILABLE;
	}
	return load_files(t, true, why, size);
}

int
tls_files_status(const struct tls_files *t)
{
	return t->partial ? EX_CONFIG : 0;
}

void
tls_files_reload(struct tls_files *t)
{
	bool lenient = t->partial || t->tls == NULL;
	char why[1024];

	if (t->certs->count == 0 ||
	    load_files(t, lenient, why, sizeof(why)) == 0)
		return;
	/* What is in use is no better than before. */
	t->partial = lenient;
	log_line(t->log, SMTPD_LOG_WARNING,
	    "the old certificates stay in use: %s", why);
}

static bool
are_readable(const struct tls_files *t)
{
	for (size_t i = 0; i < t->certs->count; i++)
		if (access(t->certs->items[i], R_OK) == -1 ||
		    access(t->keys->items[i], R_OK) == -1)
			return false;
	return true;
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
	if (t->stamps == NULL)
		return;
	if (note_files(t) || (t->partial && are_readable(t)))
		tls_files_reload(t);
	if (t->tls != NULL)
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
