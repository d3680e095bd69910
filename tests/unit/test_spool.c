/* SPDX-License-Identifier: MIT */
#include "spool_fixture.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/id.h"
#include "grammar/idn.h"

#include "test.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static void
test_add(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "a@Example.COM", "Subject: x\r\n\r\n");
	struct smtpd_queued_message *e;

	for (int round = 0; round < 2; round++) {
		e = fixture_find(f, id);
		assert_int_equal(smtpd__spool_count(f->spool), 1);
		assert_int_equal(e->njobs, 1);
		assert_int_equal(e->unfinished, 1);
		assert_int_equal(e->flags, 0);
		assert_int_equal(e->jobs[0].count, 1);
		assert_string_equal(
		    fixture_name(e->jobs[0].destination), "example.com");
		assert_true(e->jobs[0].due <= smtpd__spool_clock_now(f->spool));
		smtpd__spool_unpin(f->spool, e);
		fixture_assert_content(f, id, "Subject: x\r\n\r\n", 14);
		fixture_reopen(f);
	}
}

static void
test_envelope(void **state)
{
	static const struct smtpd_outgoing_rcpt rcpts[] = {
		{ .address = "a@x", .notify = "NEVER", .orcpt = "rfc822;b" },
		{ .address = "\"c@d\"@x" },
	};
	struct fixture *f = *state;
	struct smtpd_spool_mail mail = {
		.id = 12345,
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "",
			.ret = "FULL",
			.envid = "QQ314159",
			.utf8 = true,
			.rcpts = rcpts,
			.nrcpts = 2,
		},
		.flags = SMTPD_MESSAGE_HELD | SMTPD_MESSAGE_REMOVED |
		    SMTPD_MESSAGE_LARGE,
		.content = smtpd__spool_content_create(f->spool),
	};
	struct smtpd_loaded_message loaded;
	struct smtpd_queued_message *e;

	assert_int_equal(smtpd__spool_add(f->spool, &mail, &e), 0);
	smtpd__spool_unpin(f->spool, e);
	fixture_reopen(f);
	e = fixture_find(f, 12345);
	assert_int_equal(e->flags,
	    SMTPD_MESSAGE_HELD | SMTPD_MESSAGE_UTF8 |
		SMTPD_MESSAGE_NULL_SENDER);
	assert_int_equal(smtpd__spool_load(f->spool, e, &loaded), 0);
	assert_int_equal(loaded.id, 12345);
	assert_int_equal(loaded.size, 0);
	assert_string_equal(loaded.envelope.sender, "");
	assert_string_equal(loaded.envelope.ret, "FULL");
	assert_string_equal(loaded.envelope.envid, "QQ314159");
	assert_int_equal(loaded.envelope.nrcpts, 2);
	assert_string_equal(loaded.envelope.rcpts[0].address, "a@x");
	assert_string_equal(loaded.envelope.rcpts[0].notify, "NEVER");
	assert_string_equal(loaded.envelope.rcpts[0].orcpt, "rfc822;b");
	assert_string_equal(loaded.envelope.rcpts[1].address, "\"c@d\"@x");
	smtpd__loaded_message_finish(&loaded);
	smtpd__spool_unpin(f->spool, e);
	/* The id is taken. */
	mail.content = smtpd__spool_content_create(f->spool);
	assert_int_equal(smtpd__spool_add(f->spool, &mail, &e), -1);
	assert_int_equal(errno, EEXIST);
	e = fixture_find(f, 12345);
	smtpd__spool_unpin(f->spool, e);
}

/* U-labels and A-labels of a name are one destination. */
static void
test_grouping_of_labels(void **state)
{
	static const char *const rcpts[] = {
		"1@b\303\274cher.example",
		"2@xn--bcher-kva.example",
		"3@B\303\234CHER.example",
		"4@a.example",
	};
	struct fixture *f = *state;
	struct smtpd_queued_message *e;

	if (!smtpd__idn_is_available())
		skip();
	assert_int_equal(
	    fixture_try_add(f, rcpts, LENGTH(rcpts), "", 0, &e), 0);
	assert_int_equal(e->njobs, 2);
	assert_int_equal(e->jobs[1].count, 3);
	smtpd__spool_unpin(f->spool, e);
}

static void
test_grouping(void **state)
{
	static const char *const rcpts[] = { "1@b.example", "2@A.example",
		"3@[127.0.0.1]", "4@a.example", "5@B.EXAMPLE", "6@a.exampl" };
	static const char *const sorted[] = { "6@a.exampl", "2@A.example",
		"4@a.example", "1@b.example", "5@B.EXAMPLE", "3@[127.0.0.1]" };
	struct fixture *f = *state;
	struct smtpd_loaded_message loaded;
	struct smtpd_queued_message *e;
	size_t found = 0;

	assert_int_equal(
	    fixture_try_add(f, rcpts, LENGTH(rcpts), "", 0, &e), 0);
	assert_int_equal(e->njobs, 4);
	assert_int_equal(smtpd__spool_load(f->spool, e, &loaded), 0);
	for (uint32_t i = 0; i < e->njobs; i++) {
		const struct smtpd_delivery_job *job = &e->jobs[i];

		assert_ptr_equal(job->message, e);
		assert_int_equal(job->first, found);
		for (uint32_t k = 0; k < job->count; k++) {
			const char *a =
			    loaded.envelope.rcpts[job->first + k].address;

			found++;
			for (size_t n = 0; n < LENGTH(sorted); n++)
				if (strcmp(a, sorted[n]) == 0)
					a = "";
			assert_string_equal(a, "");
		}
	}
	assert_int_equal(found, LENGTH(rcpts));
	assert_string_equal(loaded.envelope.rcpts[0].address, "3@[127.0.0.1]");
	assert_string_equal(loaded.envelope.rcpts[1].address, "6@a.exampl");
	assert_string_equal(loaded.envelope.rcpts[2].address, "2@A.example");
	assert_string_equal(loaded.envelope.rcpts[3].address, "4@a.example");
	smtpd__loaded_message_finish(&loaded);
	smtpd__spool_unpin(f->spool, e);
}

static void
test_bad_addresses(void **state)
{
	static const char *const bad[] = { "", "postmaster", "a@", "a@b\n",
		"a@b c", "a\r@b" };
	struct fixture *f = *state;
	struct smtpd_queued_message *e;

	for (size_t i = 0; i < LENGTH(bad); i++) {
		const char *both[2] = { "good@example", bad[i] };

		assert_int_equal(fixture_try_add(f, both, 2, "x", 1, &e), -1);
		assert_int_equal(errno, EINVAL);
		assert_null(e);
	}
	assert_int_equal(fixture_try_add(f, bad, 0, "x", 1, &e), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(smtpd__spool_count(f->spool), 0);
	assert_int_equal(f->references, 0);
}

static void
test_progress(void **state)
{
	static const char *const rcpts[] = { "1@a", "2@a", "3@b" };
	struct fixture *f = *state;
	struct smtpd_rcpt_progress *results;
	struct smtpd_queued_message *e;
	char history[256];
	size_t count;
	uint64_t id;

	assert_int_equal(fixture_try_add(f, rcpts, 3, "x", 1, &e), 0);
	id = e->id;
	smtpd__spool_unpin(f->spool, e);
	assert_int_equal(fixture_progress(f, id, 0, false, 500, "one\n"), 0);
	assert_int_equal(fixture_progress(f, id, 0, false, 600, "two\n"), 0);
	assert_int_equal(fixture_progress(f, id, 1, true, 0, "done\n"), 0);
	for (int round = 0; round < 2; round++) {
		e = fixture_find(f, id);
		assert_int_equal(e->unfinished, 1);
		assert_false(e->jobs[0].finished);
		assert_true(e->jobs[1].finished);
		assert_int_equal(e->jobs[0].due, fixture_due(f, 600));
		assert_int_equal(e->jobs[0].attempts, 2);
		assert_int_equal(smtpd__spool_history_results(
				     f->spool, &e->jobs[0], &results, &count),
		    0);
		assert_int_equal(count, 2);
		assert_int_equal(results[1].rcpt, 1);
		assert_string_equal(results[1].host, "mx.example.com");
		assert_int_equal(results[1].result.code, 451);
		free(results);
		smtpd__spool_unpin(f->spool, e);
		fixture_trail(f, id, 0, history, sizeof(history));
		assert_string_equal(history, "one\ntwo\n");
		fixture_trail(f, id, 1, history, sizeof(history));
		assert_string_equal(history, "done\n");
		fixture_reopen(f);
	}
	/* The end of the last one is that of the message. */
	assert_int_equal(fixture_progress(f, id, 0, true, 0, ""), 0);
	assert_false(fixture_has(f, id));
	assert_int_equal(smtpd__spool_count(f->spool), 0);
	fixture_reopen(f);
	assert_false(fixture_has(f, id));
}

/* One of three finishes, then another one, with a reopen in between. */
static void
test_some_recipients(void **state)
{
	static const char *const rcpts[] = { "1@a", "2@a", "3@a", "4@b" };
	struct fixture *f = *state;
	struct smtpd_rcpt_progress one = { .finished = true };
	struct smtpd_progress p = {
		.rcpts = &one, .nrcpts = 1, .due = 1, .history = ""
	};
	struct smtpd_queued_message *e, *report;
	uint64_t id;

	assert_int_equal(fixture_try_add(f, rcpts, 4, "x", 1, &e), 0);
	id = e->id;
	smtpd__spool_unpin(f->spool, e);
	for (uint32_t i = 0; i < 3; i++) {
		e = fixture_find(f, id);
		for (uint32_t k = 0; k < 4; k++)
			assert_int_equal(smtpd__queued_message_is_finished(
					     e, &e->jobs[k == 3], k),
			    k < i);
		p.job = &e->jobs[0];
		one.rcpt = i;
		assert_int_equal(
		    smtpd__spool_progress(f->spool, &p, &report), 0);
		assert_int_equal(e->jobs[0].finished, i == 2);
		smtpd__spool_unpin(f->spool, e);
		fixture_reopen(f);
	}
	e = fixture_find(f, id);
	assert_true(e->jobs[0].finished);
	assert_int_equal(e->unfinished, 1);
	p.job = &e->jobs[1];
	one.rcpt = 2;
	assert_int_equal(smtpd__spool_progress(f->spool, &p, &report), -1);
	assert_int_equal(errno, EINVAL);
	smtpd__spool_unpin(f->spool, e);
}

/* Whether the message is gone, or both it and its report are there. */
static void
test_report(void **state)
{
	static const struct smtpd_outgoing_rcpt back = { .address = "s@c" };
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "a@b", "lost");
	struct smtpd_queued_message *e = fixture_find(f, id), *report;
	struct smtpd_rcpt_progress failed = { .finished = true };
	struct smtpd_spool_mail mail = {
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "",
			.rcpts = &back,
			.nrcpts = 1,
		},
		.content = smtpd__spool_content_create(f->spool),
	};
	struct smtpd_progress p = { .job = &e->jobs[0],
		.rcpts = &failed,
		.nrcpts = 1,
		.history = "",
		.report = &mail };

	assert_int_equal(
	    smtpd__spool_content_write(mail.content, "sorry", 5), 0);
	assert_int_equal(smtpd__spool_progress(f->spool, &p, &report), 0);
	assert_non_null(report);
	id = report->id;
	assert_true((e->flags & SMTPD_MESSAGE_ENDED) != 0);
	smtpd__spool_unpin(f->spool, e);
	smtpd__spool_unpin(f->spool, report);
	fixture_reopen(f);
	assert_int_equal(smtpd__spool_count(f->spool), 1);
	fixture_assert_content(f, id, "sorry", 5);
}

/* What comes after a removal is dropped, and so is its report. */
static void
test_progress_of_removed(void **state)
{
	static const struct smtpd_outgoing_rcpt back = { .address = "s@c" };
	struct fixture *f = *state;
	struct smtpd_queued_message *e =
	    fixture_find(f, fixture_add(f, "a@b", "x"));
	struct smtpd_queued_message *report = e;
	struct smtpd_rcpt_progress failed = { .finished = true };
	struct smtpd_spool_mail mail = {
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "",
			.rcpts = &back,
			.nrcpts = 1,
		},
		.content = smtpd__spool_content_create(f->spool),
	};
	struct smtpd_progress p = { .job = &e->jobs[0],
		.rcpts = &failed,
		.nrcpts = 1,
		.history = "",
		.report = &mail };

	assert_int_equal(smtpd__state_change_end(f->spool, e, NULL), 0);
	assert_int_equal(smtpd__state_change_end(f->spool, e, NULL), 0);
	assert_true((e->flags & SMTPD_MESSAGE_REMOVED) != 0);
	assert_int_equal(smtpd__state_change_hold(f->spool, e, true), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(smtpd__spool_progress(f->spool, &p, &report), 0);
	assert_null(report);
	smtpd__spool_unpin(f->spool, e);
	assert_int_equal(smtpd__spool_count(f->spool), 0);
	fixture_reopen(f);
	assert_int_equal(smtpd__spool_count(f->spool), 0);
}

static void
test_hold(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "a@b", "x");

	for (int hold = 1; hold >= 0; hold--) {
		struct smtpd_queued_message *e = fixture_find(f, id);

		assert_int_equal(
		    smtpd__state_change_hold(f->spool, e, hold), 0);
		assert_int_equal(e->flags, hold ? SMTPD_MESSAGE_HELD : 0);
		smtpd__spool_unpin(f->spool, e);
		fixture_reopen(f);
		e = fixture_find(f, id);
		assert_int_equal(e->flags, hold ? SMTPD_MESSAGE_HELD : 0);
		smtpd__spool_unpin(f->spool, e);
	}
}

/* One recipient at each of a thousand domains. */
static void
test_thousand_domains(void **state)
{
	enum {
		COUNT = 1000
	};
	struct fixture *f = *state;
	char(*names)[32] = calloc(COUNT, sizeof(*names));
	const char **rcpts = calloc(COUNT, sizeof(*rcpts));
	struct smtpd_queued_message *e;
	uint64_t id;

	assert_true(names != NULL && rcpts != NULL);
	for (int i = 0; i < COUNT; i++) {
		snprintf(
		    names[i], sizeof(names[i]), "u@d%d.example", i * 7 % COUNT);
		rcpts[i] = names[i];
	}
	assert_int_equal(fixture_try_add(f, rcpts, COUNT, "x", 1, &e), 0);
	assert_int_equal(e->njobs, COUNT);
	assert_int_equal(f->references, COUNT);
	id = e->id;
	smtpd__spool_unpin(f->spool, e);
	for (uint32_t i = 0; i < COUNT; i += 2)
		assert_int_equal(fixture_progress(f, id, i, true, 0, "x"), 0);
	fixture_reopen(f);
	e = fixture_find(f, id);
	assert_int_equal(e->unfinished, COUNT / 2);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(e->jobs[i].finished, i % 2 == 0);
	smtpd__spool_unpin(f->spool, e);
	free(names);
	free(rcpts);
}

/* Sizes about what is kept in the log. */
static void
test_sizes(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 65535, 65536,
		65537, 131072, 1000000 };
	static const char *const rcpt = "a@b";
	struct fixture *f = *state;
	uint64_t ids[LENGTH(sizes)];
	char *data = malloc(1000000);
	size_t large = 0;

	assert_non_null(data);
	for (size_t i = 0; i < 1000000; i++)
		data[i] = (char)(i * 31 + i / 255);
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		struct smtpd_queued_message *e;

		assert_int_equal(
		    fixture_try_add(f, &rcpt, 1, data, sizes[i], &e), 0);
		assert_int_equal(
		    (e->flags & SMTPD_MESSAGE_LARGE) != 0, sizes[i] > 65536);
		large += sizes[i] > 65536;
		ids[i] = e->id;
		smtpd__spool_unpin(f->spool, e);
	}
	fixture_reopen(f);
	for (size_t i = 0; i < LENGTH(sizes); i++)
		fixture_assert_content(f, ids[i], data, sizes[i]);
	assert_int_equal(fixture_count_files(f, "large"), large);
	for (size_t i = 0; i < LENGTH(sizes); i++)
		assert_int_equal(
		    fixture_progress(f, ids[i], 0, true, 0, ""), 0);
	assert_int_equal(fixture_count_files(f, "large"), 0);
	assert_int_equal(fixture_count_files(f, "tmp"), 0);
	free(data);
}

static void
put_file(struct fixture *f, const char *name)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("what is left", file);
	fclose(file);
}

/* Only contents of no message go, and only by our names. */
static void
test_orphans(void **state)
{
	struct fixture *f = *state;
	char *data = calloc(100000, 1), name[64], id[SMTPD_ID_SIZE];
	const char *rcpt = "a@b";
	struct smtpd_queued_message *e;
	uint64_t kept;

	assert_non_null(data);
	assert_int_equal(fixture_try_add(f, &rcpt, 1, data, 100000, &e), 0);
	kept = e->id;
	smtpd__spool_unpin(f->spool, e);
	smtpd__id_write(kept - 1, id);
	snprintf(name, sizeof(name), "large/%s", id);
	put_file(f, name);
	put_file(f, "large/README");
	put_file(f, "large/0000000000000x");
	put_file(f, "tmp/0");
	put_file(f, "tmp/whatever");
	fixture_reopen(f);
	assert_int_equal(fixture_count_files(f, "large"), 3);
	assert_int_equal(fixture_count_files(f, "tmp"), 0);
	assert_int_equal(fixture_count_files(f, "quarantine"), 0);
	fixture_assert_content(f, kept, data, 100000);
	free(data);
}

static void
test_forgotten_content(void **state)
{
	struct fixture *f = *state;
	struct smtpd_spool_content *c = smtpd__spool_content_create(f->spool);
	char *data = calloc(100000, 1);

	assert_true(c != NULL && data != NULL);
	assert_int_equal(smtpd__spool_content_write(c, data, 100000), 0);
	assert_int_equal(c->size, 100000);
	assert_int_equal(fixture_count_files(f, "tmp"), 1);
	smtpd__spool_content_destroy(c);
	smtpd__spool_content_destroy(NULL);
	assert_int_equal(fixture_count_files(f, "tmp"), 0);
	free(data);
}

static void
test_next(void **state)
{
	struct fixture *f = *state;
	uint64_t ids[5], last = 0;
	struct smtpd_queued_message *e;
	size_t n = 0;

	assert_null(smtpd__spool_next(f->spool, 0));
	for (size_t i = 0; i < LENGTH(ids); i++) {
		ids[i] = fixture_add(f, "a@b", "x");
		assert_true(i == 0 || ids[i] > ids[i - 1]);
	}
	while ((e = smtpd__spool_next(f->spool, last)) != NULL) {
		assert_int_equal(e->id, ids[n++]);
		last = e->id;
		smtpd__spool_unpin(f->spool, e);
	}
	assert_int_equal(n, LENGTH(ids));
	assert_null(smtpd__spool_next(f->spool, UINT64_MAX));
}

/* Ids rise, also when all messages of before have left. */
static void
test_ids_rise(void **state)
{
	struct fixture *f = *state;
	uint64_t id = smtpd__spool_choose_id(f->spool, 0), next;

	for (int i = 0; i < 3; i++) {
		fixture_reopen(f);
		next = smtpd__spool_choose_id(f->spool, 0);
		assert_true(next > id);
		id = next;
	}
}

/* E12: It says which process has it. */
static void
test_second_opener(void **state)
{
	struct fixture *f = *state;
	struct smtpd_spool *other;
	char error[256], expected[256];

	other = smtpd__spool_open(
	    &smtpd__disk_engine, f->path, &f->settings, error, sizeof(error));
	assert_null(other);
	assert_int_equal(errno, EBUSY);
	snprintf(expected, sizeof(expected),
	    "this process has the queue %s open", f->path);
	assert_string_equal(error, expected);
}

static void
test_modes(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
	} rows[] = { { "lock", 0600 }, { "log", 0700 }, { "tmp", 0700 },
		{ "large", 0700 }, { "quarantine", 0700 }, { "dead", 0700 } };
	struct fixture *f = *state;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		char path[128];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", f->path, rows[i].name);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, rows[i].mode);
	}
}

static void
test_not_there(void **state)
{
	struct fixture *f = *state;
	struct smtpd_spool_settings settings = f->settings;
	char path[128], error[256] = "";

	snprintf(path, sizeof(path), "%s/none", f->path);
	settings.read_only = true;
	assert_null(smtpd__spool_open(
	    &smtpd__disk_engine, path, &settings, error, sizeof(error)));
	assert_int_equal(errno, ENOTDIR);
	assert_string_not_equal(error, "");
	/* A directory, but no spool. */
	snprintf(path, sizeof(path), "%s/tmp", f->path);
	assert_null(smtpd__spool_open(
	    &smtpd__disk_engine, path, &settings, error, sizeof(error)));
	assert_int_equal(errno, ENOTDIR);
	settings.read_only = false;
	snprintf(path, sizeof(path), "%s/lock", f->path);
	assert_null(smtpd__spool_open(
	    &smtpd__disk_engine, path, &settings, error, sizeof(error)));
	assert_int_equal(errno, ENOTDIR);
}

static void
test_bury(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_add(f, "a@b", "a bounce");
	struct smtpd_queued_message *e = fixture_find(f, id);
	struct smtpd_loaded_message loaded;
	char path[128], name[SMTPD_ID_SIZE], text[64] = "";
	uint64_t count = 0;
	FILE *file;

	assert_int_equal(smtpd__spool_load(f->spool, e, &loaded), 0);
	/* A second time, as after a crash, is fine. */
	assert_int_equal(smtpd__spool_quarantine_dead_letter(
			     f->spool, &loaded, "no use", &count),
	    0);
	assert_int_equal(smtpd__spool_quarantine_dead_letter(
			     f->spool, &loaded, "no use", &count),
	    0);
	assert_int_equal(count, 1);
	smtpd__loaded_message_finish(&loaded);
	smtpd__spool_unpin(f->spool, e);
	assert_int_equal(fixture_count_files(f, "dead"), 2);
	assert_int_equal(fixture_count_files(f, "tmp"), 0);
	smtpd__id_write(id, name);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/dead/%s.%s", f->path, name,
		    i == 0 ? "eml" : "why");
		file = fopen(path, "r");
		assert_non_null(file);
		assert_non_null(fgets(text, sizeof(text), file));
		fclose(file);
		assert_string_equal(text, i == 0 ? "a bounce" : "no use\n");
	}
}

static void
test_copy(void **state)
{
	static const char *const rcpts[] = { "1@a", "2@a", "3@b" };
	struct fixture *f = *state;
	struct smtpd_queued_message *e, *copy;

	assert_int_equal(fixture_try_add(f, rcpts, 3, "x", 1, &e), 0);
	assert_int_equal(fixture_progress(f, e->id, 1, true, 9, ""), 0);
	copy = smtpd__spool_copy(f->spool, e);
	assert_non_null(copy);
	assert_int_equal(copy->id, e->id);
	assert_int_equal(copy->unfinished, 1);
	assert_int_equal(copy->jobs[0].count, 2);
	assert_int_equal(copy->jobs[0].state, SMTPD_JOB_OUT);
	assert_int_equal(copy->jobs[0].due, SMTPD_TIME_NONE);
	assert_ptr_equal(copy->jobs[1].message, copy);
	assert_true(copy->jobs[1].finished);
	assert_int_equal(copy->jobs[1].attempts, 1);
	assert_false(
	    smtpd__queued_message_is_finished(copy, &copy->jobs[0], 1));
	free(copy->finished);
	free(copy);
	smtpd__spool_unpin(f->spool, e);
}

static int
count_lines(void *user, const void *data, size_t len)
{
	(void)data;
	*(int *)user += len > 0;
	return 0;
}

static int
refuse(void *user, const void *data, size_t len)
{
	(void)user, (void)data, (void)len;
	return -1;
}

static void
test_check(void **state)
{
	struct fixture *f = *state;
	struct smtpd_spool_damage damage;
	int lines = 0;

	fixture_add(f, "a@b", "x");
	fixture_add(f, "a@b", "y");
	assert_int_equal(
	    smtpd__spool_check(f->spool, &damage, count_lines, &lines), 0);
	assert_int_equal(damage.messages, 2);
	assert_int_equal(damage.damaged, 0);
	assert_int_equal(damage.quarantine, 0);
	assert_int_equal(lines, 0);

	/* S37: it ends before the next message, though all are intact. */
	assert_int_equal(
	    smtpd__spool_check(f->spool, &damage, refuse, NULL), -1);
	assert_int_equal(damage.messages, 0);
}

int
main(void)
{
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_add),
		CASE(test_envelope),
		CASE(test_grouping),
		CASE(test_grouping_of_labels),
		CASE(test_bad_addresses),
		CASE(test_progress),
		CASE(test_some_recipients),
		CASE(test_report),
		CASE(test_progress_of_removed),
		CASE(test_hold),
		CASE(test_thousand_domains),
		CASE(test_sizes),
		CASE(test_orphans),
		CASE(test_forgotten_content),
		CASE(test_next),
		CASE(test_ids_rise),
		CASE(test_second_opener),
		CASE(test_modes),
		CASE(test_not_there),
		CASE(test_bury),
		CASE(test_copy),
		CASE(test_check),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
