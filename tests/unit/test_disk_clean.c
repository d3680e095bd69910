/* SPDX-License-Identifier: MIT */
/* A log that is cleaned while it is used, by a caller that keeps messages in
 * it: what is there is what a model says. */
#include <sys/types.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_fixture.h"
#include "journal/disk/format.h"

#include "test.h"

#define KEYS     4000
#define BODY_MAX 40000

enum type {
	MESSAGE = 1,
	END,
};

/* The caller: where each message is that has not ended. */
struct maintenance {
	struct smtpd_disk *log;
	struct {
		struct smtpd_record_ref ref;
		uint32_t size;
	} messages[KEYS];
	uint64_t copied; /* bytes */
	unsigned cleanings;
};

static size_t
length_of(unsigned key)
{
	return key * 2654435761u % BODY_MAX;
}

static void
forget(struct maintenance *k, struct smtpd_disk *log, unsigned key)
{
	if (k->messages[key].ref.value != 0)
		smtpd__disk_release(
		    log, k->messages[key].ref, k->messages[key].size);
	k->messages[key].ref.value = 0;
}

static int
replay(void *user, struct smtpd_disk *log, const struct smtpd_journal_record *r)
{
	struct maintenance *k = user;
	unsigned key;

	assert_int_equal(r->head_len, sizeof(key));
	memcpy(&key, r->head, sizeof(key));
	assert_true(key < KEYS);
	forget(k, log, key);
	if (r->type == END)
		return 0;
	k->messages[key].ref = r->ref;
	k->messages[key].size = r->size;
	return 1;
}

static void
append(struct maintenance *k, enum type type, unsigned key)
{
	static _Thread_local char bytes[BODY_MAX];
	struct iovec body = { bytes, length_of(key) };
	struct smtpd_journal_record e = {
		.type = type,
		.live = type == MESSAGE,
		.head = &key,
		.head_len = sizeof(key),
		.body = &body,
		.body_count = type == MESSAGE,
	};

	disk_fixture_body(key, bytes, body.iov_len);
	assert_int_equal(smtpd__disk_append(k->log, &e, 1, 0), 0);
	forget(k, k->log, key);
	if (type == END)
		return;
	k->messages[key].ref = e.ref;
	k->messages[key].size = e.size;
}

static int
move(void *user, const struct smtpd_journal_record *r)
{
	struct maintenance *k = user;
	unsigned key;

	memcpy(&key, r->head, sizeof(key));
	if (r->type != MESSAGE || k->messages[key].ref.value != r->ref.value)
		return 0;
	append(k, MESSAGE, key);
	k->copied += r->size;
	return 0;
}

static void
clean(struct maintenance *k)
{
	uint32_t due;

	while ((due = smtpd__disk_recycle_due(k->log)) != 0) {
		assert_int_equal(disk_fixture_walk(k->log, due, move, k), 0);
		assert_true(smtpd__disk_recycle(k->log) >= 1);
		assert_true(smtpd__disk_recycle_due(k->log) != due);
		k->cleanings++;
	}
}

/* All messages that MODEL has, and no others, can be read. */
static void
expect(struct maintenance *k, const bool *model)
{
	char *bytes = malloc(BODY_MAX);
	struct smtpd_journal_stats stats;
	uint32_t live = 0;

	assert_non_null(bytes);
	for (unsigned key = 0; key < KEYS; key++) {
		struct smtpd_journal_record r;
		const void *body;
		void *memory;

		assert_int_equal(k->messages[key].ref.value != 0, model[key]);
		if (!model[key])
			continue;
		memory = smtpd__disk_read(
		    k->log, k->messages[key].ref, SIZE_MAX, &r, &body);
		assert_non_null(memory);
		assert_int_equal(r.body_len, length_of(key));
		disk_fixture_body(key, bytes, r.body_len);
		assert_int_equal(memcmp(bytes, body, r.body_len), 0);
		free(memory);
		live++;
	}
	free(bytes);
	smtpd__disk_stats(k->log, &stats);
	assert_int_equal(stats.live_records, live);
}

static void
reopen(struct disk_fixture *d, struct maintenance *k)
{
	memset(k->messages, 0, sizeof(k->messages));
	disk_fixture_close(d);
	d->settings.replay = replay;
	d->settings.user = k;
	d->settings.damaged = NULL;
	disk_fixture_open(d);
	k->log = d->log;
}

/* How many segments there are is bound by what is live. */
static void
expect_few_segments(struct maintenance *k)
{
	struct smtpd_journal_stats stats;

	smtpd__disk_stats(k->log, &stats);
	assert_true((uint64_t)stats.segments * SEGMENT <=
	    2 * stats.live_bytes + 6 * SEGMENT);
}

static void
test_model(void **state)
{
	static struct maintenance k;
	static bool model[KEYS];
	struct disk_fixture *d = *state;
	uint64_t appended = 0;
	uint32_t seed = 1;

	reopen(d, &k);
	for (unsigned step = 0; step < 12000; step++) {
		unsigned key;

		seed = seed * 1103515245 + 12345;
		/* Some messages stay for long, most go soon. */
		key = seed >> 8 & 1 ? seed >> 16 & 63 : (seed >> 16) % KEYS;
		if (step % 5000 > 3500 && !model[key])
			continue;
		model[key] = !model[key];
		append(&k, model[key] ? MESSAGE : END, key);
		appended +=
		    smtpd__disk_format_size(4, model[key] ? length_of(key) : 0);
		if (step % 16 == 0)
			clean(&k);
		if (step % 16 == 0)
			expect_few_segments(&k);
		if (step % 1499 == 0) {
			expect(&k, model);
			reopen(d, &k);
			expect(&k, model);
		}
	}
	assert_true(k.cleanings > 50);
	assert_true(k.copied > 0 && k.copied < appended);
}

/* What a reader beside the writer sees. */
struct reading {
	struct disk_fixture *d;
	atomic_uint kept; /* messages below this never end */
	atomic_bool done;
	bool seen[KEYS];
	unsigned damaged, opened, again, wrong;
};

static int
see(void *user, struct smtpd_disk *log, const struct smtpd_journal_record *r)
{
	struct reading *reading = user;
	unsigned key;

	(void)log;
	memcpy(&key, r->head, sizeof(key));
	reading->seen[key] = true;
	return 1;
}

static int
see_damage(void *user, const char *name, uint64_t offset, const void *data,
    size_t len, const char *why)
{
	struct reading *reading = user;

	(void)name, (void)offset, (void)data, (void)len, (void)why;
	reading->damaged++;
	return 0;
}

static void *
read_on(void *user)
{
	struct reading *r = user;
	const struct smtpd_disk_settings settings = {
		.read_only = true,
		.replay = see,
		.damaged = see_damage,
		.user = r,
	};
	char error[128];

	while (!r->done) {
		unsigned kept = r->kept;
		struct smtpd_disk *log;

		memset(r->seen, 0, sizeof(r->seen));
		log = smtpd__disk_open(
		    r->d->dir, &settings, error, sizeof(error));
		if (log == NULL) {
			r->wrong += errno != EAGAIN;
			r->again++;
			continue;
		}
		r->opened++;
		for (unsigned key = 0; key < kept; key++)
			r->wrong += !r->seen[key];
		smtpd__disk_close(log);
	}
	return NULL;
}

static void
test_reader_beside(void **state)
{
	static struct maintenance k;
	static struct reading reading;
	pthread_t thread;

	reading.d = *state;
	reopen(reading.d, &k);
	assert_int_equal(pthread_create(&thread, NULL, read_on, &reading), 0);
	for (unsigned i = 0; i < 4000; i++) {
		unsigned key = 500 + i % 100;

		append(&k, MESSAGE, key);
		append(&k, END, key);
		if (i % 20 == 0) {
			append(&k, MESSAGE, i / 20);
			reading.kept = i / 20 + 1;
		}
		if (i % 8 == 0) {
			clean(&k);
			assert_true(smtpd__disk_prepare(k.log) != -1);
		}
	}
	reading.done = true;
	pthread_join(thread, NULL);
	assert_true(reading.opened > 0);
	assert_int_equal(reading.wrong, 0);
	assert_int_equal(reading.damaged, 0);
	assert_true(k.cleanings > 10);
}

int
main(void)
{
#define CASE(name)                       \
	cmocka_unit_test_setup_teardown( \
	    name, disk_fixture_setup, disk_fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_model),
		CASE(test_reader_beside),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
