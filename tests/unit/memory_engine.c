/* SPDX-License-Identifier: MIT */
#include "memory_engine.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "journal/content.h"

#define ITEMS_MAX 4096

/* Segments do not exist here; but when more is dead than this and what lives,
 * the older half is to be relocated. */
#define SLACK 400000

/* Bytes under a name: a record, a content, something set aside. */
struct item {
	char *bytes; /* NULL: this one is free */
	size_t len;
	uint64_t id;   /* of a content; of a record: its sequence */
	char name[64]; /* of what is set aside */

	/* Of a record: */
	size_t head_len;
	uint64_t subject;
	uint8_t type;
	bool live;
	bool durable;
};

static struct {
	pthread_mutex_t lock;
	bool open;                  /* to be written */
	bool breaks, commits_first; /* the next commit */
	bool cut;                   /* no commit succeeds any more */
	uint64_t sequence;
	struct item records[ITEMS_MAX]; /* that of sequence N at N - 1 */
	struct item contents[ITEMS_MAX];
	struct item kept[ITEMS_MAX];
} store = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct memory_journal {
	struct smtpd_journal journal;
	bool read_only;
	uint64_t due; /* records up to this sequence are */
	struct smtpd_journal_stats stats;
};

struct memory_writer {
	struct smtpd_content_writer base;
	char *bytes;
	size_t len;
};

struct memory_reader {
	struct smtpd_content_reader base;
	char *bytes;
};

static struct memory_journal *
journal_of(struct smtpd_journal *j)
{
	return SMTPD_CONTAINER_OF(j, struct memory_journal, journal);
}

static void
free_item(struct item *item)
{
	free(item->bytes);
	memset(item, 0, sizeof(*item));
}

void
memory_engine_reset(void)
{
	for (size_t i = 0; i < ITEMS_MAX; i++) {
		free_item(&store.records[i]);
		free_item(&store.contents[i]);
		free_item(&store.kept[i]);
	}
	store.sequence = 0;
	store.breaks = false;
	store.cut = false;
}

void
memory_engine_break(bool committed)
{
	store.breaks = true;
	store.commits_first = committed;
}

void
memory_engine_cut(void)
{
	store.cut = true;
}

static struct smtpd_journal_record
record_of(const struct item *item)
{
	return (struct smtpd_journal_record){
		.subject = item->subject,
		.type = item->type,
		.head = item->bytes,
		.head_len = item->head_len,
		.ref = { item->id },
		.sequence = item->id,
		.size = (uint32_t)item->len,
		.body_len = (uint32_t)(item->len - item->head_len),
	};
}

static int
replay_all(struct smtpd_journal *j, smtpd_journal_replay_fn *fn, void *user,
    char *error, size_t size)
{
	struct memory_journal *m = journal_of(j);

	for (uint64_t n = 0; n < store.sequence; n++) {
		struct item *item = &store.records[n];
		struct smtpd_journal_record record = record_of(item);
		int live;

		if (item->bytes == NULL)
			continue;
		live = fn(user, &record);
		if (live == -1) {
			snprintf(error, size, "%s", strerror(errno));
			return -1;
		}
		item->live = live == 1;
		m->stats.live_records += item->live;
		m->stats.live_bytes += item->live ? item->len : 0;
	}
	return 0;
}

static uint64_t
size_of(const struct smtpd_journal_record *r)
{
	uint64_t size = r->head_len;

	for (size_t i = 0; i < r->body_count; i++)
		size += r->body[i].iov_len;
	return size;
}

/* The lock is held. */
static void
store_record(struct memory_journal *m, struct smtpd_journal_record *r)
{
	struct item *item = &store.records[store.sequence];
	char *at;

	item->len = (size_t)size_of(r);
	item->bytes = malloc(item->len + 1);
	item->head_len = r->head_len;
	item->subject = r->subject;
	item->type = r->type;
	item->live = r->live;
	item->durable = false;
	item->id = ++store.sequence;
	memcpy(item->bytes, r->head, r->head_len);
	at = item->bytes + r->head_len;
	for (size_t i = 0; i < r->body_count; i++) {
		if (r->body[i].iov_len > 0)
			memcpy(at, r->body[i].iov_base, r->body[i].iov_len);
		at += r->body[i].iov_len;
	}
	r->ref.value = item->id;
	r->sequence = item->id;
	r->size = (uint32_t)item->len;
	r->body_len = (uint32_t)(item->len - item->head_len);
	m->stats.live_records += r->live;
	m->stats.live_bytes += r->live ? item->len : 0;
}

static int
append_begin(struct smtpd_journal *j, struct smtpd_journal_record *records,
    size_t n, unsigned flags, struct smtpd_journal_promise *promise)
{
	struct memory_journal *m = journal_of(j);
	uint64_t sum = 0;

	(void)flags;
	for (size_t i = 0; i < n; i++) {
		sum += size_of(&records[i]) + SMTPD_JOURNAL_OVERHEAD;
		if (records[i].head_len > SMTPD_JOURNAL_HEAD_MAX ||
		    sum > j->group_max) {
			errno = EFBIG;
			return -1;
		}
	}
	if (m->read_only) {
		errno = EROFS;
		return -1;
	}
	pthread_mutex_lock(&store.lock);
	if (store.sequence + n > ITEMS_MAX)
		abort();
	for (size_t i = 0; i < n; i++)
		store_record(m, &records[i]);
	pthread_mutex_unlock(&store.lock);
	*promise =
	    (struct smtpd_journal_promise){ .records = records, .count = n };
	return 0;
}

/* The lock is held. */
static void
lose_record(struct memory_journal *m, struct item *item)
{
	m->stats.live_records -= item->live;
	m->stats.live_bytes -= item->live ? item->len : 0;
	free_item(item);
}

static int
append_end(struct smtpd_journal *j, struct smtpd_journal_promise *promise)
{
	struct memory_journal *m = journal_of(j);
	bool broken, lost;

	if (store.cut) {
		errno = EIO;
		return -1;
	}
	if (promise->done) {
		errno = promise->error;
		return promise->error == 0 ? 0 : -1;
	}
	pthread_mutex_lock(&store.lock);
	broken = store.breaks;
	lost = broken && !store.commits_first;
	store.breaks = false;
	for (size_t i = 0; i < promise->count; i++) {
		struct item *item =
		    &store.records[promise->records[i].sequence - 1];

		if (lost)
			lose_record(m, item);
		item->durable = !lost;
	}
	m->stats.records += lost ? 0 : promise->count;
	m->stats.syncs++;
	promise->done = true;
	promise->error = broken ? ECONNABORTED : 0;
	pthread_mutex_unlock(&store.lock);
	errno = ECONNABORTED;
	return broken ? -1 : 0;
}

static int
append_records(struct smtpd_journal *j, struct smtpd_journal_record *records,
    size_t n, unsigned flags)
{
	struct smtpd_journal_promise promise;

	if (append_begin(j, records, n, flags, &promise) == -1)
		return -1;
	return append_end(j, &promise);
}

/* The lock is held.  NULL: there is none. */
static struct item *
find_record(struct smtpd_record_ref ref)
{
	if (ref.value == 0 || ref.value > store.sequence ||
	    store.records[ref.value - 1].bytes == NULL)
		return NULL;
	return &store.records[ref.value - 1];
}

/* The memory of a copy, which ends with a NUL. */
static char *
copy_bytes(const struct item *item)
{
	char *copy = malloc(item->len + 1);

	if (copy == NULL)
		return NULL;
	memcpy(copy, item->bytes, item->len);
	copy[item->len] = '\0';
	return copy;
}

static void *
read_record(struct smtpd_journal *j, struct smtpd_record_ref ref,
    size_t body_max, struct smtpd_journal_record *record, const void **body)
{
	const struct item *item;
	char *copy = NULL;

	(void)j, (void)body_max;
	errno = ENOENT;
	pthread_mutex_lock(&store.lock);
	item = find_record(ref);
	if (item != NULL) {
		copy = copy_bytes(item);
		*record = record_of(item);
		record->head = copy;
		*body = copy + item->head_len;
	}
	pthread_mutex_unlock(&store.lock);
	return copy;
}

static void *
read_raw(struct smtpd_journal *j, struct smtpd_record_ref ref, uint32_t size,
    struct smtpd_journal_raw *raw)
{
	*raw = (struct smtpd_journal_raw){ .sound = size };
	return read_record(j, ref, SIZE_MAX, &raw->record, &raw->body);
}

static void
release_record(struct smtpd_journal *j, uint64_t subject,
    struct smtpd_record_ref ref, uint32_t size)
{
	struct memory_journal *m = journal_of(j);
	struct item *item;

	pthread_mutex_lock(&store.lock);
	item = find_record(ref);
	if (item == NULL || !item->live || item->subject != subject ||
	    item->len != size)
		abort();
	item->live = false;
	m->stats.live_records--;
	m->stats.live_bytes -= size;
	pthread_mutex_unlock(&store.lock);
}

static bool
is_due(struct smtpd_journal *j, struct smtpd_record_ref ref)
{
	return ref.value != 0 && ref.value <= journal_of(j)->due;
}

/* Remove the oldest records as long as they are dead.  Return how many bytes
 * are dead after that. */
static uint64_t
remove_oldest(void)
{
	bool first = true;
	uint64_t dead = 0;

	for (uint64_t n = 0; n < store.sequence; n++) {
		struct item *item = &store.records[n];

		if (item->bytes == NULL)
			continue;
		if (item->live)
			first = false;
		else if (first)
			free_item(item);
		else
			dead += item->len;
	}
	return dead;
}

static int
keep_house(struct smtpd_journal *j)
{
	struct memory_journal *m = journal_of(j);

	if (m->read_only)
		return 0;
	pthread_mutex_lock(&store.lock);
	for (uint64_t n = 0; n < store.sequence; n++)
		store.records[n].durable = true;
	m->due = 0;
	if (remove_oldest() > m->stats.live_bytes + SLACK)
		for (uint64_t n = 0; n < store.sequence / 2; n++)
			if (store.records[n].live)
				m->due = store.sequence / 2;
	pthread_mutex_unlock(&store.lock);
	return m->due != 0 ? SMTPD_JOURNAL_DUE : 0;
}

static int
no_directory(struct smtpd_journal *j)
{
	(void)j;
	return -1;
}

static void
read_stats(struct smtpd_journal *j, struct smtpd_journal_stats *out)
{
	*out = journal_of(j)->stats;
}

static void
close_journal(struct smtpd_journal *j)
{
	struct memory_journal *m = journal_of(j);

	for (uint64_t n = 0; n < store.sequence && !m->read_only; n++)
		if (!store.records[n].durable)
			free_item(&store.records[n]);
	if (!m->read_only)
		store.open = store.cut = false;
	free(m);
}

static struct smtpd_content_writer *
begin_content(struct smtpd_journal *j)
{
	struct memory_writer *w = calloc(1, sizeof(*w));

	w->base.journal = j;
	return &w->base;
}

static int
write_content(struct smtpd_content_writer *writer, const void *data, size_t len)
{
	struct memory_writer *w =
	    SMTPD_CONTAINER_OF(writer, struct memory_writer, base);

	w->bytes = realloc(w->bytes, w->len + len + 1);
	memcpy(w->bytes + w->len, data, len);
	w->len += len;
	return 0;
}

static int
overwrite_content(
    struct smtpd_content_writer *writer, const void *data, size_t len)
{
	struct memory_writer *w =
	    SMTPD_CONTAINER_OF(writer, struct memory_writer, base);

	if (len > w->len) {
		errno = EINVAL;
		return -1;
	}
	memcpy(w->bytes, data, len);
	return 0;
}

static ssize_t
read_back(const struct smtpd_content_writer *writer, uint64_t offset, void *buf,
    size_t len)
{
	const struct memory_writer *w = (const struct memory_writer *)writer;

	if (offset >= w->len)
		return 0;
	if (len > w->len - offset)
		len = (size_t)(w->len - offset);
	memcpy(buf, w->bytes + offset, len);
	return (ssize_t)len;
}

/* The item of ITEMS with ID, or one that is free. */
static struct item *
find_item(struct item *items, uint64_t id)
{
	struct item *unused = NULL;

	for (size_t i = 0; i < ITEMS_MAX; i++) {
		if (items[i].bytes != NULL && items[i].id == id)
			return &items[i];
		if (items[i].bytes == NULL && unused == NULL)
			unused = &items[i];
	}
	return unused;
}

static int
publish_content(struct smtpd_content_writer *writer, uint64_t id)
{
	struct memory_writer *w =
	    SMTPD_CONTAINER_OF(writer, struct memory_writer, base);
	struct item *item;

	pthread_mutex_lock(&store.lock);
	item = find_item(store.contents, id);
	item->bytes = w->bytes != NULL ? w->bytes : calloc(1, 1);
	item->len = w->len;
	item->id = id;
	pthread_mutex_unlock(&store.lock);
	free(w);
	return 0;
}

static void
abandon_content(struct smtpd_content_writer *writer)
{
	struct memory_writer *w =
	    SMTPD_CONTAINER_OF(writer, struct memory_writer, base);

	free(w->bytes);
	free(w);
}

static struct smtpd_content_reader *
open_content(struct smtpd_journal *j, uint64_t id)
{
	struct memory_reader *r = calloc(1, sizeof(*r));
	const struct item *item;

	r->base.journal = j;
	pthread_mutex_lock(&store.lock);
	item = find_item(store.contents, id);
	if (item->bytes != NULL) {
		r->bytes = copy_bytes(item);
		r->base.size = item->len;
	}
	pthread_mutex_unlock(&store.lock);
	if (r->bytes != NULL)
		return &r->base;
	free(r);
	errno = EBADMSG;
	return NULL;
}

static ssize_t
read_content(const struct smtpd_content_reader *reader, uint64_t offset,
    void *buf, size_t len)
{
	const struct memory_reader *r = (const struct memory_reader *)reader;

	if (offset >= r->base.size)
		return 0;
	if (len > r->base.size - offset)
		len = (size_t)(r->base.size - offset);
	memcpy(buf, r->bytes + offset, len);
	return (ssize_t)len;
}

static void
close_content(struct smtpd_content_reader *reader)
{
	struct memory_reader *r =
	    SMTPD_CONTAINER_OF(reader, struct memory_reader, base);

	free(r->bytes);
	free(r);
}

static void
remove_content(struct smtpd_journal *j, uint64_t id)
{
	(void)j;
	pthread_mutex_lock(&store.lock);
	free_item(find_item(store.contents, id));
	pthread_mutex_unlock(&store.lock);
}

static int
each_content(
    struct smtpd_journal *j, int (*fn)(void *user, uint64_t id), void *user)
{
	int status = 0;

	(void)j;
	for (size_t i = 0; i < ITEMS_MAX && status == 0; i++)
		if (store.contents[i].bytes != NULL)
			status = fn(user, store.contents[i].id);
	return status;
}

/* What is set aside as NAME; if there is nothing, it is added, without
 * bytes. */
static int
set_aside(const char *kind, const char *name, const char *why)
{
	char full[64];
	size_t i = 0;

	snprintf(full, sizeof(full), "%s/%s", kind, name);
	while (store.kept[i].bytes != NULL &&
	    strcmp(store.kept[i].name, full) != 0)
		i++;
	if (store.kept[i].bytes != NULL)
		return 0;
	store.kept[i].bytes = strdup(why);
	memcpy(store.kept[i].name, full, sizeof(full));
	return 0;
}

static int
keep_bytes(struct smtpd_journal *j, const struct smtpd_content_kept *kept)
{
	char buf[1000];
	uint64_t done = 0;
	ssize_t n = 0;

	(void)j;
	while (kept->read != NULL &&
	    (n = kept->read(kept->user, done, buf, sizeof(buf))) > 0)
		done += (uint64_t)n;
	if (n == -1)
		return -1;
	return set_aside(
	    kept->kind == SMTPD_CONTENT_QUARANTINE ? "quarantine" : "dead",
	    kept->name, kept->why);
}

static int
keep_large(struct smtpd_journal *j, uint64_t id, const char *why)
{
	char name[32];

	(void)j;
	snprintf(name, sizeof(name), "%llu.large", (unsigned long long)id);
	return set_aside("quarantine", name, why != NULL ? why : "");
}

static uint64_t
count_kept(struct smtpd_journal *j, enum smtpd_content_kind kind)
{
	uint64_t count = 0;

	(void)j;
	for (size_t i = 0; i < ITEMS_MAX; i++)
		count += store.kept[i].bytes != NULL &&
		    (strncmp(store.kept[i].name, "quarantine/", 11) == 0) ==
			(kind == SMTPD_CONTENT_QUARANTINE);
	return count;
}

static const struct smtpd_journal_ops journal_ops = {
	.replay = replay_all,
	.append = append_records,
	.append_begin = append_begin,
	.append_end = append_end,
	.read = read_record,
	.read_raw = read_raw,
	.release = release_record,
	.is_due_for_relocation = is_due,
	.housekeep = keep_house,
	.directory = no_directory,
	.stats = read_stats,
	.close = close_journal,
};

static const struct smtpd_content_ops content_ops = {
	.begin = begin_content,
	.write = write_content,
	.overwrite = overwrite_content,
	.read_back = read_back,
	.publish = publish_content,
	.abandon = abandon_content,
	.open = open_content,
	.read_at = read_content,
	.close = close_content,
	.remove = remove_content,
	.each = each_content,
	.keep = keep_bytes,
	.keep_large = keep_large,
	.count_kept = count_kept,
};

static struct smtpd_journal *
open_journal(const char *location,
    const struct smtpd_journal_settings *settings, char *error, size_t size)
{
	struct memory_journal *m;

	(void)location;
	if (store.open && !settings->read_only) {
		snprintf(error, size, "it is open");
		errno = EBUSY;
		return NULL;
	}
	m = calloc(1, sizeof(*m));
	m->journal.ops = &journal_ops;
	m->journal.contents = &content_ops;
	m->journal.group_max = SMTPD_JOURNAL_GROUP_MAX / 8;
	m->read_only = settings->read_only;
	if (!settings->read_only)
		store.open = true;
	return &m->journal;
}

const struct smtpd_journal_engine memory_engine = {
	.open = open_journal,
};
