/* SPDX-License-Identifier: MIT */
#include "policy/tlsrpt.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "base/text.h"
#include "grammar/date.h"
#include "grammar/tlsrpt_record.h"
#include "os/clock.h"
#include "os/commit.h"
#include "os/file.h"
#include "os/random.h"

#define DAY_S 86400

/* "2026-11-30", and no day. */
#define NAME_SIZE    32
#define HALF_WRITTEN "new"

/* What is larger was not written here. */
#define FILE_MAX 134217728

struct smtpd_tlsrpt {
	struct smtpd_tlsrpt_settings set;
	int directory;
	uint32_t delay;       /* of this process, in seconds */
	uint64_t again_s;     /* reports are not tried before */
	pthread_mutex_t lock; /* for all below */
	struct smtpd_tlsrpt_day today;
	bool changed;
	struct smtpd_pack over; /* the day before, while it is not written */
	uint32_t over_day;
};

static void
write_name(uint32_t day, char name[NAME_SIZE])
{
	char text[SMTPD_DATE_STAMP_MAX];

	smtpd__date_write_stamp((time_t)day * DAY_S, text);
	snprintf(name, NAME_SIZE, "%.10s", text);
}

/* The day that NAME is about.  Return 0, or -1 if it is no file of a day. */
static int
read_name(const char *name, uint32_t *day)
{
	char text[SMTPD_DATE_STAMP_MAX];
	int64_t when;

	snprintf(text, sizeof(text), "%.20sT00:00:00Z", name);
	if (strlen(name) != 10 || smtpd__date_read_stamp(text, &when) == -1 ||
	    when < 0)
		return -1;
	*day = (uint32_t)(when / DAY_S);
	return 0;
}

/* Add to D what its file has, if there is one. */
static void
load_day(struct smtpd_tlsrpt *t, struct smtpd_tlsrpt_day *d)
{
	char name[NAME_SIZE], *text = NULL;
	struct stat st;
	int fd;

	write_name(d->day, name);
	fd = smtpd__file_open_regular(t->directory, name, &st);
	if (fd == -1)
		return;
	if (st.st_size < FILE_MAX)
		text = malloc((size_t)st.st_size + 1);
	if (text != NULL &&
	    smtpd__file_read_at(fd, text, (size_t)st.st_size, 0) == 0) {
		text[st.st_size] = '\0';
		smtpd__tlsrpt_day_read(d, text, (size_t)st.st_size);
	}
	free(text);
	close(fd);
}

/* Write LEN bytes at DATA as the file of DAY; none: it is over.  Return 0, or
 * -1 with errno. */
static int
write_file(struct smtpd_tlsrpt *t, uint32_t day, const void *data, size_t len)
{
	char name[NAME_SIZE];

	write_name(day, name);
	if (len == 0)
		return unlinkat(t->directory, name, 0) == 0 || errno == ENOENT
		    ? 0
		    : -1;
	return smtpd__commit_replace(
	    t->directory, name, HALF_WRITTEN, data, len);
}

static void
store_day(struct smtpd_tlsrpt *t, uint32_t day, struct smtpd_pack *text)
{
	if (text->failed || write_file(t, day, text->data, text->len) == -1)
		smtpd__logger_write(&t->set.logger, SMTPD_LOG_ERROR,
		    "counts of TLS sessions cannot be kept: %s",
		    text->failed ? "no memory" : strerror(errno));
	smtpd__pack_free(text);
}

/* Begin DAY, if the present one is over; what that had is for the next step to
 * write.  The lock is held. */
static void
begin_day(struct smtpd_tlsrpt *t, uint32_t day)
{
	if (day <= t->today.day || t->over.len > 0)
		return;
	if (t->changed)
		smtpd__tlsrpt_day_write(&t->today, &t->over);
	t->over_day = t->today.day;
	t->changed = false;
	smtpd__tlsrpt_day_finish(&t->today);
	/* Without memory nothing is counted. */
	if (smtpd__tlsrpt_day_begin(&t->today, day) == -1)
		t->today.day = UINT32_MAX;
}

/* Write what has changed of the present day at NOW_S, and of the one before.
 * One thread at a time. */
static void
store_days(struct smtpd_tlsrpt *t, uint64_t now_s)
{
	struct smtpd_pack text = { .data = NULL }, over;
	uint32_t day, over_day;
	bool changed;

	pthread_mutex_lock(&t->lock);
	begin_day(t, (uint32_t)(now_s / DAY_S));
	over = t->over;
	over_day = t->over_day;
	t->over = text;
	changed = t->changed;
	day = t->today.day;
	if (changed)
		smtpd__tlsrpt_day_write(&t->today, &text);
	t->changed = false;
	pthread_mutex_unlock(&t->lock);
	if (over.len > 0)
		store_day(t, over_day, &over);
	if (changed)
		store_day(t, day, &text);
}

struct smtpd_tlsrpt *
smtpd__tlsrpt_create(
    const struct smtpd_tlsrpt_settings *settings, uint64_t now_s)
{
	struct smtpd_tlsrpt *t = calloc(1, sizeof(*t));
	int code;

	if (t == NULL)
		return NULL;
	t->set = *settings;
	t->delay = smtpd__random_below(SMTPD_TLSRPT_SPREAD_S);
	pthread_mutex_init(&t->lock, NULL);
	t->directory = -1;
	if (smtpd__tlsrpt_day_begin(&t->today, (uint32_t)(now_s / DAY_S)) ==
		0 &&
	    (mkdir(settings->directory, 0700) == 0 || errno == EEXIST))
		t->directory = open(
		    settings->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->directory != -1) {
		load_day(t, &t->today);
		return t;
	}
	code = errno;
	smtpd__tlsrpt_destroy(t);
	errno = code;
	return NULL;
}

void
smtpd__tlsrpt_destroy(struct smtpd_tlsrpt *t)
{
	if (t == NULL)
		return;
	if (t->directory != -1) {
		store_days(t, 0);
		close(t->directory);
	}
	if (t->today.table.buckets != NULL)
		smtpd__tlsrpt_day_finish(&t->today);
	smtpd__pack_free(&t->over);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void
smtpd__tlsrpt_count(struct smtpd_tlsrpt *t,
    const struct smtpd_tlsrpt_session *session, uint64_t now_s)
{
	pthread_mutex_lock(&t->lock);
	begin_day(t, (uint32_t)(now_s / DAY_S));
	if (t->today.day != UINT32_MAX) {
		smtpd__tlsrpt_day_count(&t->today, session);
		t->changed = true;
	}
	pthread_mutex_unlock(&t->lock);
}

void
smtpd__tlsrpt_show(struct smtpd_tlsrpt *t, struct smtpd_pack *out)
{
	pthread_mutex_lock(&t->lock);
	smtpd__tlsrpt_day_write(&t->today, out);
	pthread_mutex_unlock(&t->lock);
}

/* Have the program send the report about DOMAIN to the destinations of RECORD.
 * Return true when that is done. */
static bool
send_report(struct smtpd_tlsrpt *t, const struct smtpd_tlsrpt_day *d,
    const char *domain, const struct smtpd_tlsrpt_record *record,
    const struct smtpd_cancel *cancel)
{
	char texts[SMTPD_TLSRPT_RUA_MAX][SMTPD_TLSRPT_RUA_SIZE + 8];
	char id[SMTPD_TLSRPT_ID_SIZE];
	const char *rua[SMTPD_TLSRPT_RUA_MAX];
	struct smtpd_pack json = { .data = NULL };
	struct smtpd_tls_report report = {
		.domain = domain,
		.id = id,
		.begin_s = (int64_t)d->day * DAY_S,
		.end_s = (int64_t)d->day * DAY_S + DAY_S - 1,
		.contact = t->set.who.contact,
		.rua = rua,
		.nrua = record->count,
		.cancel = cancel,
	};
	bool done;

	for (size_t i = 0; i < record->count; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%s%s",
		    record->rua[i].https ? "" : "mailto:", record->rua[i].to);
		rua[i] = texts[i];
	}
	smtpd__tlsrpt_json_id(&t->set.who, d, domain, id);
	smtpd__tlsrpt_json_write(&t->set.who, d, domain, &json);
	report.json = (const char *)json.data;
	report.json_len = json.len;
	done = !json.failed && t->set.report(&report, t->set.report_user) == 0;
	smtpd__pack_free(&json);
	return done;
}

/* Report what D has about DOMAIN, if that asks for it: *SENT says whether it
 * did.  Return true when there is nothing left to do. */
static bool
report_domain(struct smtpd_tlsrpt *t, const struct smtpd_tlsrpt_day *d,
    const char *domain, const struct smtpd_cancel *cancel, bool *sent)
{
	struct smtpd_tlsrpt_record *record = malloc(sizeof(*record));
	struct smtpd_txt *txt = malloc(sizeof(*txt));
	bool done = false;

	*sent = false;
	if (record != NULL && txt != NULL) {
		t->set.txt(t->set.txt_user, domain, cancel, txt);
		done = txt->status == SMTPD_TXT_NONE ||
		    (txt->status == SMTPD_TXT_FOUND &&
			smtpd__tlsrpt_record_read(
			    txt->text, txt->len, record) == -1);
		if (!done && txt->status == SMTPD_TXT_FOUND)
			done = *sent =
			    send_report(t, d, domain, record, cancel);
	}
	free(record);
	free(txt);
	return done;
}

/* A copy of the domain of summary number SKIP; NULL: there are no more, or
 * there is no memory. */
static char *
copy_domain(const struct smtpd_tlsrpt_day *d, size_t skip)
{
	struct smtpd_ring *link = d->all.next;

	while (skip-- > 0 && link != &d->all)
		link = link->next;
	if (link == &d->all)
		return NULL;
	return strdup(
	    SMTPD_CONTAINER_OF(link, struct smtpd_tlsrpt_summary, ring)
		->domain);
}

/* Write what is left of D, which is over. */
static void
keep_rest(struct smtpd_tlsrpt *t, const struct smtpd_tlsrpt_day *d)
{
	struct smtpd_pack text = { .data = NULL };

	smtpd__tlsrpt_day_write(d, &text);
	store_day(t, d->day, &text);
}

/* Report DAY, which is over; what was reported is taken out of its file, at
 * once, so that nobody gets a report twice. */
static void
report_day(struct smtpd_tlsrpt *t, uint32_t day, uint64_t now_s,
    const struct smtpd_cancel *cancel)
{
	struct smtpd_tlsrpt_day d;
	bool sent, changed = false;
	size_t kept = 0;
	char *domain;

	if (now_s >= (uint64_t)(day + 1) * DAY_S + SMTPD_TLSRPT_END_S) {
		write_file(t, day, NULL, 0);
		return;
	}
	if (smtpd__tlsrpt_day_begin(&d, day) == -1)
		return;
	load_day(t, &d);
	while (!smtpd_cancel_is_triggered(cancel) &&
	    (domain = copy_domain(&d, kept)) != NULL) {
		if (report_domain(t, &d, domain, cancel, &sent)) {
			smtpd__tlsrpt_day_forget(&d, domain);
			changed = !sent;
		} else {
			kept++;
		}
		if (sent)
			keep_rest(t, &d);
		free(domain);
	}
	if (changed)
		keep_rest(t, &d);
	/* A file in which nothing can be read is over as well. */
	if (smtpd__ring_is_empty(&d.all))
		write_file(t, day, NULL, 0);
	smtpd__tlsrpt_day_finish(&d);
}

void
smtpd__tlsrpt_step(
    struct smtpd_tlsrpt *t, uint64_t now_s, const struct smtpd_cancel *cancel)
{
	int copy = openat(t->directory, ".", O_RDONLY | O_CLOEXEC);
	DIR *dir = copy != -1 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	uint32_t day;
	bool tried = false;

	store_days(t, now_s);
	if (dir == NULL && copy != -1)
		close(copy);
	while (dir != NULL && now_s >= t->again_s &&
	    (entry = readdir(dir)) != NULL) {
		if (read_name(entry->d_name, &day) == -1 ||
		    now_s < (uint64_t)(day + 1) * DAY_S + t->delay)
			continue;
		report_day(t, day, now_s, cancel);
		tried = true;
	}
	if (tried)
		t->again_s = now_s + SMTPD_TLSRPT_AGAIN_S;
	if (dir != NULL)
		closedir(dir);
}
