/* SPDX-License-Identifier: MIT */
/* Files that are damaged, and readers that must not touch them. */
/* For nftw(). */
#define _XOPEN_SOURCE 700
#include "spool_fixture.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bad_sector.h"
#include "base/id.h"
#include "queue/spool/core.h"
#include "queue/spool/record.h"

#include "test.h"

#define MESSAGES 120

/* A spool with some segments, and what is in it. */
struct world {
	struct fixture *f;
	uint64_t ids[MESSAGES];
	bool ended[MESSAGES];
	char content[30000];
	size_t count;
};

static size_t
make_content(struct world *w, size_t i)
{
	size_t len = 100 + i * 7919 % (sizeof(w->content) - 100);

	for (size_t k = 0; k < len; k++)
		w->content[k] = (char)('A' + (i + k * k) % 50);
	return len;
}

static void
fill(struct world *w)
{
	static const char *const rcpt = "a@b.example";

	for (size_t i = 0; i < MESSAGES; i++) {
		size_t len = make_content(w, i);
		struct smtpd_queued_message *e;

		assert_int_equal(
		    fixture_try_add(w->f, &rcpt, 1, w->content, len, &e), 0);
		w->ids[i] = e->id;
		smtpd__spool_unpin(w->f->spool, e);
		w->ended[i] = i % 5 == 4;
		assert_int_equal(fixture_progress(w->f, w->ids[i], 0,
				     w->ended[i], 5, "tried\n"),
		    0);
		w->count += !w->ended[i];
	}
}

/* How many messages are there and whole.  What is there but not whole must say
 * so. */
static size_t
count_whole(struct world *w)
{
	size_t whole = 0;

	for (size_t i = 0; i < MESSAGES; i++) {
		struct smtpd_queued_message *e =
		    smtpd__spool_find(w->f->spool, w->ids[i]);
		struct smtpd_loaded_message loaded;

		if (e == NULL)
			continue;
		if (smtpd__spool_load(w->f->spool, e, &loaded) == 0) {
			assert_int_equal(loaded.size, make_content(w, i));
			assert_memory_equal(
			    loaded.content, w->content, loaded.size);
			smtpd__loaded_message_finish(&loaded);
			whole += !w->ended[i];
		} else {
			assert_int_equal(errno, EBADMSG);
		}
		smtpd__spool_unpin(w->f->spool, e);
	}
	return whole;
}

/* The I-th file of log/ whose name has SUFFIX. */
static bool
find_log_file(
    struct fixture *f, const char *suffix, size_t i, char *path, size_t size)
{
	char dir_path[128];
	struct dirent *d;
	bool found = false;
	DIR *dir;

	snprintf(dir_path, sizeof(dir_path), "%s/log", f->path);
	dir = opendir(dir_path);
	assert_non_null(dir);
	while (!found && (d = readdir(dir)) != NULL)
		if (strstr(d->d_name, suffix) != NULL && i-- == 0) {
			snprintf(path, size, "%s/%s", dir_path, d->d_name);
			found = true;
		}
	closedir(dir);
	return found;
}

static void
write_at(const char *path, off_t offset, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, offset), len);
	close(fd);
}

static void
read_at(const char *path, off_t offset, void *data, size_t len)
{
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, data, len, offset), len);
	close(fd);
}

/* One byte at random: one message at most is not whole. */
static void
test_bytes(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	uint64_t seed = 5;
	char path[512];

	assert_non_null(w);
	w->f = *state;
	fill(w);
	for (int round = 0; round < 120; round++) {
		off_t offset = (off_t)fixture_random(&seed, 1048576);
		unsigned char was, is;
		struct smtpd_spool_settings keep = w->f->settings;

		fixture_close(w->f);
		assert_true(find_log_file(w->f, ".log",
		    fixture_random(&seed, 2), path, sizeof(path)));
		read_at(path, offset, &was, 1);
		is = was ^ (unsigned char)(1 + fixture_random(&seed, 255));
		write_at(path, offset, &is, 1);
		/* Reading alone, so that it can be mended. */
		w->f->settings.read_only = true;
		fixture_open(w->f);
		assert_true(count_whole(w) >= w->count - 1);
		fixture_close(w->f);
		write_at(path, offset, &was, 1);
		w->f->settings = keep;
		fixture_open(w->f);
		assert_int_equal(count_whole(w), w->count);
	}
	free(w);
}

/* A page at a time, for good: the others live on, and it is kept. */
static void
test_pages(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char zeros[4096] = { 0 }, path[512];
	uint64_t seed = 17;
	size_t whole;

	assert_non_null(w);
	w->f = *state;
	fill(w);
	whole = w->count;
	for (int round = 0; round < 20; round++) {
		off_t page = 1 + (off_t)fixture_random(&seed, 250);
		size_t now;

		fixture_close(w->f);
		assert_true(
		    find_log_file(w->f, "1.log", 0, path, sizeof(path)));
		write_at(path, page * 4096, zeros, sizeof(zeros));
		fixture_open(w->f);
		now = count_whole(w);
		/* A page has parts of few messages. */
		assert_true(now <= whole && now + 6 >= whole);
		whole = now;
		fixture_clean(w->f);
	}
	assert_true(whole < w->count);
	free(w);
}

static int
refuse(void *user, const void *data, size_t len)
{
	(void)user;
	(void)data;
	(void)len;
	return -1;
}

static int
count_lines(void *user, const void *data, size_t len)
{
	const char *text = data;

	if (len == 0)
		return 0;
	assert_int_equal(text[len - 1], '\n');
	++*(int *)user;
	return 0;
}

/* The head is intact, the body is not: found when it is read. */
static void
test_body(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "a@b", "the marked content");
	uint64_t other = fixture_add(f, "a@b", "another");
	struct smtpd_spool_damage damage;
	struct smtpd_queued_message *e = fixture_find(f, id);
	struct smtpd_loaded_message loaded;
	char path[512], name[SMTPD_ID_SIZE];
	char data[8192];
	size_t at = 0;
	int lines = 0;

	assert_true(find_log_file(f, ".log", 0, path, sizeof(path)));
	read_at(path, 4096, data, sizeof(data));
	while (memcmp(data + at, "marked", 6) != 0)
		at++;
	write_at(path, (off_t)(4096 + at), "MARKED", 6);
	assert_int_equal(smtpd__spool_load(f->spool, e, &loaded), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(
	    smtpd__spool_check(f->spool, &damage, count_lines, &lines), 0);
	assert_int_equal(damage.damaged, 1);
	assert_int_equal(damage.messages, 1);
	assert_int_equal(smtpd__state_change_end(f->spool, e, "damaged"), 0);
	smtpd__spool_unpin(f->spool, e);
	assert_false(fixture_has(f, id));
	fixture_assert_content(f, other, "another", 7);
	assert_int_equal(fixture_count_files(f, "quarantine"), 2);
	smtpd__id_write(id, name);
	snprintf(path, sizeof(path), "%s/quarantine/%s.why", f->path, name);
	read_at(path, 0, data, 8);
	assert_memory_equal(data, "damaged\n", 8);
	snprintf(path, sizeof(path), "%s/quarantine/%s.bin", f->path, name);
	read_at(path, 0, data, 100);
	fixture_reopen(f);
	assert_false(fixture_has(f, id));
	assert_int_equal(smtpd__spool_count(f->spool), 1);
}

/* A large one whose file is missing, cut, or changed. */
static void
test_large(void **state)
{
	static const char *const rcpt = "a@b";
	struct fixture *f = *state;
	struct smtpd_spool_damage damage;
	struct smtpd_loaded_message loaded;
	char *data = calloc(100000, 1), path[128], name[SMTPD_ID_SIZE];
	int lines = 0;

	assert_non_null(data);
	for (int how = 0; how < 3; how++) {
		struct smtpd_queued_message *e;

		assert_int_equal(
		    fixture_try_add(f, &rcpt, 1, data, 100000, &e), 0);
		smtpd__id_write(e->id, name);
		snprintf(path, sizeof(path), "%s/large/%s", f->path, name);
		if (how == 0)
			write_at(path, 500, "x", 1);
		else
			assert_int_equal(
			    how == 1 ? truncate(path, 99999) : unlink(path), 0);
		assert_int_equal(
		    smtpd__spool_load(f->spool, e, &loaded), how == 0 ? 0 : -1);
		assert_true(how == 0 || errno == EBADMSG);
		if (how == 0) {
			assert_int_equal(
			    smtpd__loaded_message_check(&loaded), -1);
			assert_int_equal(errno, EBADMSG);
			smtpd__loaded_message_finish(&loaded);
		}
		smtpd__spool_unpin(f->spool, e);
	}
	assert_int_equal(
	    smtpd__spool_check(f->spool, &damage, refuse, NULL), -1);
	assert_int_equal(
	    smtpd__spool_check(f->spool, &damage, count_lines, &lines), 0);
	assert_int_equal(damage.damaged, 3);
	assert_int_equal(lines, 3);
	for (uint64_t id = 0; smtpd__spool_count(f->spool) > 0;) {
		struct smtpd_queued_message *e =
		    smtpd__spool_next(f->spool, id);

		id = e->id;
		assert_int_equal(
		    smtpd__state_change_end(f->spool, e, "bad"), 0);
		smtpd__spool_unpin(f->spool, e);
	}
	/* Three records, three reasons, two files. */
	assert_int_equal(fixture_count_files(f, "quarantine"), 8);
	assert_int_equal(fixture_count_files(f, "large"), 0);
	free(data);
}

/* What an operator keeps for good is moved; what is damaged by then is lost,
 * and who schedules is told. */
static void
test_found_by_cleaning(void **state)
{
	struct fixture *f = *state;
	uint64_t bad = fixture_add(f, "a@b", "the marked content");
	uint64_t good = fixture_add(f, "a@b", "good");
	char path[512], data[8192], *body = malloc(60001);
	size_t at = 0;

	assert_non_null(body);
	memset(body, 'x', 60000);
	body[60000] = '\0';
	assert_true(find_log_file(f, "1.log", 0, path, sizeof(path)));
	read_at(path, 4096, data, sizeof(data));
	while (memcmp(data + at, "marked", 6) != 0)
		at++;
	write_at(path, (off_t)(4096 + at), "MARKED", 6);
	for (int i = 0; i < 150; i++) {
		uint64_t id = fixture_add(f, "goes@b", body);

		assert_int_equal(fixture_progress(f, id, 0, true, 0, ""), 0);
		fixture_clean(f);
	}
	free(body);
	assert_int_equal(f->lost, 1);
	assert_false(fixture_has(f, bad));
	fixture_assert_content(f, good, "good", 4);
	assert_true(fixture_count_files(f, "quarantine") >= 2);
}

/* S3: A bad sector under one message: the others are moved, it is tried again,
 * and in the end what can be read of it is kept and its segment recycled. */
static void
test_bad_sector(void **state)
{
	struct fixture *f = *state;
	char *body = calloc(60001, 1), path[128], name[SMTPD_ID_SIZE];
	struct smtpd_loaded_message loaded;
	struct smtpd_queued_message *e;
	uint64_t bad, good;
	struct stat st;
	int passes = 0;

	assert_non_null(body);
	memset(body, 'x', 60000);
	bad = fixture_add(f, "a@b", body);
	good = fixture_add(f, "a@b", "good");
	for (int i = 0; i < 150; i++)
		assert_int_equal(
		    fixture_progress(
			f, fixture_add(f, "goes@b", body), 0, true, 0, ""),
		    0);
	free(body);
	bad_sector_set(4096 + 8192, 4096 + 8192 + 512);
	for (; fixture_has(f, bad); passes++) {
		assert_true(passes < 20);
		f->spool->cleaning.rest = 0;
		fixture_clean(f);
	}
	assert_in_range(passes, 5, 10);
	bad_sector_set(0, 0);
	assert_int_equal(f->lost, 1);
	fixture_assert_content(f, good, "good", 4);
	snprintf(path, sizeof(path), "%s/log/00000001.log", f->path);
	assert_int_equal(access(path, F_OK), -1);
	smtpd__id_write(bad, name);
	snprintf(path, sizeof(path), "%s/quarantine/%s.bin", f->path, name);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 60000);
	/* What can be read again is tried from the start. */
	e = fixture_find(f, good);
	for (int i = 0; i < 9; i++)
		assert_false(smtpd__spool_load_failed(f->spool, e, EIO, false));
	assert_int_equal(smtpd__spool_load(f->spool, e, &loaded), 0);
	smtpd__loaded_message_finish(&loaded);
	smtpd__spool_load_worked(f->spool, e);
	assert_false(smtpd__spool_load_failed(f->spool, e, EIO, false));
	/* O19: A file of another user is not given up in its lifetime. */
	for (int i = 0; i < 20; i++)
		assert_false(
		    smtpd__spool_load_failed(f->spool, e, EACCES, false));
	assert_true(smtpd__spool_load_failed(f->spool, e, EACCES, true));
	/* Want of memory or descriptors says nothing of a message. */
	assert_false(smtpd__spool_load_failed(f->spool, e, ENOMEM, true));
	assert_false(smtpd__spool_load_failed(f->spool, e, EMFILE, true));
	assert_true(smtpd__spool_load_failed(f->spool, e, EBADMSG, false));
	smtpd__spool_unpin(f->spool, e);
}

static void
put_record(struct fixture *f, uint8_t type, const void *head, size_t len)
{
	struct smtpd_journal_record record = {
		.type = type, .live = true, .head = head, .head_len = len
	};

	assert_int_equal(
	    smtpd__journal_append(f->spool->journal, &record, 1, 0), 0);
}

/* Records of a later version, and nonsense, are put aside; those about unknown
 * messages, or beyond what there is, are nothing. */
static void
test_foreign(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "a@b", "x");
	struct smtpd_record_progress p = { .id = 1,
		.flags = SMTPD_RECORD_FINISHED };
	struct smtpd_record_state st = { .id = 1,
		.change = SMTPD_RECORD_REMOVED };
	struct smtpd_pack head = { 0 };
	char junk[500];

	memset(junk, 0x5a, sizeof(junk));
	put_record(f, 99, junk, sizeof(junk));
	put_record(f, SMTPD_RECORD_MESSAGE, junk, sizeof(junk));
	put_record(f, SMTPD_RECORD_PROGRESS, junk, sizeof(junk));
	put_record(f, SMTPD_RECORD_STATE, "", 0);
	put_record(f, SMTPD_RECORD_CLOCK, junk, 24);
	smtpd__record_put_progress(&head, &p);
	put_record(f, SMTPD_RECORD_PROGRESS, head.data, head.len);
	smtpd__pack_free(&head);
	p.id = id;
	p.job = 1;
	smtpd__record_put_progress(&head, &p);
	put_record(f, SMTPD_RECORD_PROGRESS, head.data, head.len);
	smtpd__pack_free(&head);
	p.job = 0;
	p.flags = 0;
	p.nfinished = 1;
	smtpd__record_put_progress(&head, &p);
	smtpd__pack_u32(&head, 4000000000u);
	put_record(f, SMTPD_RECORD_PROGRESS, head.data, head.len);
	smtpd__pack_free(&head);
	smtpd__record_put_state(&head, &st);
	put_record(f, SMTPD_RECORD_STATE, head.data, head.len);
	smtpd__pack_free(&head);
	for (int round = 0; round < 2; round++) {
		fixture_reopen(f);
		fixture_assert_content(f, id, "x", 1);
		assert_int_equal(smtpd__spool_count(f->spool), 1);
		assert_int_equal(fixture_count_files(f, "quarantine"), 10);
	}
}

/* While quarantine/ cannot be written nothing is lost. */
static void
test_no_quarantine(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "a@b", "x");
	struct smtpd_queued_message *e;
	char path[128];

	put_record(f, 99, "junk", 4);
	fixture_close(f);
	snprintf(path, sizeof(path), "%s/tmp", f->path);
	fixture_open(f);
	assert_int_equal(rmdir(path), 0);
	e = fixture_find(f, id);
	assert_int_equal(smtpd__state_change_end(f->spool, e, "why"), -1);
	assert_int_equal(e->flags, 0);
	smtpd__spool_unpin(f->spool, e);
	fixture_assert_content(f, id, "x", 1);
	fixture_reopen(f);
	fixture_assert_content(f, id, "x", 1);
}

/* Orphans are kept where their message may have been damaged. */
static void
test_orphan_of_damaged(void **state)
{
	static const char *const rcpt = "a@b";
	struct fixture *f = *state;
	char *data = calloc(100000, 1), path[512], zeros[64] = { 0 };
	struct smtpd_queued_message *e;

	assert_non_null(data);
	assert_int_equal(fixture_try_add(f, &rcpt, 1, data, 100000, &e), 0);
	smtpd__spool_unpin(f->spool, e);
	fixture_add(f, "a@b", "behind it");
	fixture_close(f);
	assert_true(find_log_file(f, ".log", 0, path, sizeof(path)));
	write_at(path, 4096, zeros, sizeof(zeros));
	fixture_open(f);
	assert_int_equal(smtpd__spool_count(f->spool), 1);
	assert_int_equal(fixture_count_files(f, "large"), 0);
	assert_true(fixture_count_files(f, "quarantine") >= 4);
	free(data);
}

static void
keep_damage(enum smtpd_log_level level, const char *line, void *user)
{
	(void)level;
	if (strstr(line, "is damaged at") != NULL)
		snprintf(user, 512, "%s", line);
}

/* S2: Once the queue is idle, a record behind the last message vouches for it:
 * a bit that it loses then is damage, and no end of the log. */
static void
test_idle_queue_vouches(void **state)
{
	static const char *const reasons[] = { "it was not complete, and "
					       "nothing says that it was "
					       "durable",
		"the body does not match its checksum" };
	struct fixture *f = *state;
	char path[512], said[512], crashed[16384];

	f->settings.logger =
	    (struct smtpd_logger){ keep_damage, said, SMTPD_LOG_WARNING };
	for (int idle = 0; idle <= 1; idle++) {
		size_t at = 4096;

		fixture_add(f, "a@b.example", "the marked content");
		if (idle)
			smtpd__spool_clean(f->spool);
		assert_true(find_log_file(f, ".log", 0, path, sizeof(path)));
		read_at(path, 0, crashed, sizeof(crashed));
		fixture_close(f);
		while (memcmp(crashed + at, "marked", 6) != 0)
			at++;
		crashed[at] ^= 1;
		write_at(path, 0, crashed, sizeof(crashed));
		said[0] = '\0';
		fixture_open(f);
		assert_non_null(strstr(said, reasons[idle]));
		assert_int_equal(smtpd__spool_count(f->spool), 0);
	}
}

/* A sum over all names, sizes, times and contents below the spool. */
static uint64_t tree_sum;

static int
sum_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	for (; *path != '\0'; path++)
		tree_sum = tree_sum * 31 + (unsigned char)*path;
	tree_sum = tree_sum * 31 + (uint64_t)type;
	tree_sum = tree_sum * 31 + (uint64_t)st->st_size;
	tree_sum = tree_sum * 31 + (uint64_t)st->st_mtim.tv_nsec;
	tree_sum = tree_sum * 31 + (uint64_t)st->st_ctim.tv_nsec;
	return 0;
}

static uint64_t
sum_tree(struct fixture *f)
{
	tree_sum = 0;
	assert_int_equal(nftw(f->path, sum_one, 16, FTW_PHYS), 0);
	return tree_sum;
}

/* A reader changes nothing, is refused nothing, and sees what is there: beside
 * a writer, and alone. */
static void
test_read_only(void **state)
{
	struct fixture *f = *state, reader = *f;
	uint64_t id = fixture_add(f, "a@b", "x"), sum;
	char path[128];

	assert_int_equal(fixture_progress(f, id, 0, false, 9, "why\n"), 0);
	snprintf(path, sizeof(path), "%s/large/0123456789ABC", f->path);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	snprintf(path, sizeof(path), "%s/tmp/7", f->path);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	reader.settings.read_only = true;
	reader.settings.destination = NULL;
	reader.settings.release = NULL;
	reader.references = 0;
	for (int round = 0; round < 2; round++) {
		struct smtpd_queued_message *e;
		char history[64];

		sum = sum_tree(f);
		fixture_open(&reader);
		e = fixture_find(&reader, id);
		assert_int_equal(e->jobs[0].due, fixture_due(&reader, 9));
		assert_null(e->jobs[0].destination);
		assert_int_equal(
		    smtpd__state_change_end(reader.spool, e, NULL), -1);
		assert_int_equal(errno, EROFS);
		smtpd__spool_unpin(reader.spool, e);
		fixture_assert_content(&reader, id, "x", 1);
		fixture_trail(&reader, id, 0, history, sizeof(history));
		assert_string_equal(history, "why\n");
		fixture_close(&reader);
		assert_int_equal(sum_tree(f), sum);
		if (round == 0)
			fixture_close(f);
	}
	fixture_open(f);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_bytes),
		CASE(test_pages),
		CASE(test_body),
		CASE(test_large),
		CASE(test_found_by_cleaning),
		CASE(test_bad_sector),
		CASE(test_foreign),
		CASE(test_no_quarantine),
		CASE(test_orphan_of_damaged),
		CASE(test_idle_queue_vouches),
		CASE(test_read_only),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
