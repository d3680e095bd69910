/* SPDX-License-Identifier: MIT */
#include "queue/spool/record.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static const struct smtpd_stamp stamp = { .clock = 7, .wall_ms = 1234567 };

static void
put_some_message(struct smtpd_pack *p)
{
	static const unsigned char bits[] = { 0x05, 0x01 };
	const struct smtpd_record_message m = {
		.stamp = stamp,
		.id = 99,
		.arrived_ms = 1234000,
		.size = 5000000000,
		.arrived = 5,
		.envelope_len = 77,
		.crc = 0xdeadbeef,
		.flags = SMTPD_MESSAGE_HELD | SMTPD_MESSAGE_LARGE,
		.njobs = 2,
	};
	const struct smtpd_record_job one = { .domain = "a.example",
		.domain_len = 9,
		.count = 1,
		.due = 8,
		.flags = SMTPD_RECORD_FINISHED };
	const struct smtpd_record_job many = { .domain = "[ipv6:::1]",
		.domain_len = 10,
		.count = 9,
		.due = 300,
		.attempts = 65535,
		.flags = SMTPD_RECORD_BITS | SMTPD_RECORD_UNSURE |
		    SMTPD_RECORD_NOTICE_GIVEN,
		.bits = bits };

	smtpd__record_put_message(p, &m);
	smtpd__record_put_job(p, &one);
	smtpd__record_put_job(p, &many);
	assert_false(p->failed);
}

static void
test_message(void **state)
{
	struct smtpd_record_message m;
	struct smtpd_record_job job;
	struct smtpd_pack p = { 0 };

	(void)state;
	put_some_message(&p);
	assert_true(smtpd__record_get_message(p.data, p.len, &m));
	assert_int_equal(m.stamp.clock, 7);
	assert_int_equal(m.stamp.wall_ms, 1234567);
	assert_int_equal(m.id, 99);
	assert_int_equal(m.arrived_ms, 1234000);
	assert_int_equal(m.size, 5000000000);
	assert_int_equal(m.arrived, 5);
	assert_int_equal(m.envelope_len, 77);
	assert_int_equal(m.crc, 0xdeadbeef);
	assert_int_equal(m.flags, SMTPD_MESSAGE_HELD | SMTPD_MESSAGE_LARGE);
	assert_int_equal(m.njobs, 2);
	assert_int_equal(m.nrcpts, 10);
	assert_true(smtpd__record_get_job(&m.jobs, &job));
	assert_int_equal(job.domain_len, 9);
	assert_memory_equal(job.domain, "a.example", 9);
	assert_int_equal(job.flags, SMTPD_RECORD_FINISHED);
	assert_null(job.bits);
	assert_true(smtpd__record_get_job(&m.jobs, &job));
	assert_int_equal(job.count, 9);
	assert_int_equal(job.due, 300);
	assert_int_equal(job.attempts, 65535);
	assert_memory_equal(job.bits, "\x05\x01", 2);
	smtpd__pack_free(&p);
}

/* No shorter head is one, nor a longer one. */
static void
test_message_cut(void **state)
{
	struct smtpd_record_message m;
	struct smtpd_pack p = { 0 };

	(void)state;
	put_some_message(&p);
	for (size_t len = 0; len < p.len; len++) {
		void *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy, p.data, len);
		assert_false(smtpd__record_get_message(copy, len, &m));
		free(copy);
	}
	smtpd__pack_u8(&p, 0);
	assert_false(smtpd__record_get_message(p.data, p.len, &m));
	smtpd__pack_free(&p);
}

/* What one byte of the head makes nonsense of it. */
static void
test_message_nonsense(void **state)
{
	static const struct {
		size_t at;
		unsigned char byte;
	} rows[] = {
		{ 0, 2 },     /* version */
		{ 3, 1 },     /* reserved */
		{ 7, 0x80 },  /* the clock */
		{ 15, 0x80 }, /* the wall clock */
		{ 16, 0 },    /* id 0 */
		{ 23, 0x80 }, /* the id */
		{ 31, 0x80 }, /* the arrival */
		{ 39, 0x80 }, /* the size */
		{ 43, 0x80 }, /* the arrival */
		{ 53, 0x80 }, /* flags */
		{ 52, 0x04 }, /* removed */
		{ 54, 0 },    /* no jobs */
		{ 54, 1 },    /* too few */
		{ 54, 3 },    /* too many */
		{ 56, 0 },    /* no recipients */
		{ 58, 0xff }, /* too many */
		{ 66, 0x10 }, /* flags of the job */
		{ 67, 0 },    /* no domain */
		{ 68, 'A' },  /* in upper case */
		{ 68, ' ' }, { 68, '\n' }, { 68, 0x7f },
		{ 100, 0x03 }, /* a bit too many */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smtpd_record_message m;
		struct smtpd_pack p = { 0 };

		put_some_message(&p);
		assert_true(rows[i].at < p.len);
		p.data[rows[i].at] = rows[i].byte;
		if (smtpd__record_get_message(p.data, p.len, &m))
			fail_msg("row %zu", i);
		smtpd__pack_free(&p);
	}
}

static void
test_envelope(void **state)
{
	const struct smtpd_outgoing_rcpt rcpts[] = {
		{ .address = "x@b", .notify = "NEVER" },
		{ .address = "y@a", .orcpt = "rfc822;y@a" },
	};
	const size_t order[] = { 1, 0 };
	const struct smtpd_outgoing_envelope in = {
		.sender = "", .ret = "HDRS", .rcpts = rcpts, .nrcpts = 2
	};
	struct smtpd_outgoing_rcpt out[2];
	struct smtpd_outgoing_envelope e = { .nrcpts = 2 };
	struct smtpd_pack p = { 0 };

	(void)state;
	smtpd__record_put_envelope(&p, &in, order);
	assert_true(smtpd__record_get_envelope(p.data, p.len, &e, out));
	assert_string_equal(e.sender, "");
	assert_string_equal(e.ret, "HDRS");
	assert_null(e.envid);
	assert_string_equal(out[0].address, "y@a");
	assert_null(out[0].notify);
	assert_string_equal(out[0].orcpt, "rfc822;y@a");
	assert_string_equal(out[1].address, "x@b");
	assert_string_equal(out[1].notify, "NEVER");
	for (size_t len = 0; len < p.len; len++)
		assert_false(smtpd__record_get_envelope(p.data, len, &e, out));
	e.nrcpts = 1;
	assert_false(smtpd__record_get_envelope(p.data, p.len, &e, out));
	smtpd__pack_free(&p);
}

/* Nothing that could end a line, or a string, comes out. */
static void
test_envelope_controls(void **state)
{
	static const char bad[] = { '\0', '\r', '\n', '\t', 0x7f };
	const struct smtpd_outgoing_rcpt rcpt = { .address = "x@b" };
	const size_t order[] = { 0 };
	const struct smtpd_outgoing_envelope in = {
		.sender = "s@c", .rcpts = &rcpt, .nrcpts = 1
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad); i++) {
		struct smtpd_outgoing_rcpt out[1];
		struct smtpd_outgoing_envelope e = { .nrcpts = 1 };
		struct smtpd_pack p = { 0 };

		smtpd__record_put_envelope(&p, &in, order);
		assert_true(smtpd__record_get_envelope(p.data, p.len, &e, out));
		p.data[3] = (unsigned char)bad[i];
		assert_false(
		    smtpd__record_get_envelope(p.data, p.len, &e, out));
		smtpd__pack_free(&p);
	}
	assert_false(smtpd__record_is_text("a\nb"));
	assert_true(smtpd__record_is_text("\xc3\xa4"));
	assert_true(smtpd__record_is_text(NULL));
}

static void
test_progress(void **state)
{
	const struct smtpd_record_progress in = {
		.stamp = stamp,
		.id = 99,
		.due = 400,
		.previous = { UINT64_C(4096) << 32 | 3 },
		.results_len = 50,
		.nfinished = 2,
		.job = 1,
		.attempts = 3,
		.flags = SMTPD_RECORD_UNSURE,
	};
	struct smtpd_record_progress out;
	struct smtpd_pack p = { 0 };

	(void)state;
	smtpd__record_put_progress(&p, &in);
	smtpd__pack_u32(&p, 5);
	smtpd__pack_u32(&p, 70000);
	assert_true(smtpd__record_get_progress(p.data, p.len, &out));
	assert_int_equal(out.id, 99);
	assert_int_equal(out.due, 400);
	assert_int_equal(out.previous.value, in.previous.value);
	assert_int_equal(out.results_len, 50);
	assert_int_equal(out.nfinished, 2);
	assert_int_equal(out.job, 1);
	assert_int_equal(out.attempts, 3);
	assert_int_equal(out.flags, SMTPD_RECORD_UNSURE);
	assert_int_equal(smtpd__pack_get_u32(&out.finished), 5);
	assert_int_equal(smtpd__pack_get_u32(&out.finished), 70000);
	for (size_t len = 0; len < p.len; len++)
		assert_false(smtpd__record_get_progress(p.data, len, &out));
	smtpd__pack_free(&p);
}

static void
test_result(void **state)
{
	struct smtpd_rcpt_progress in = { .rcpt = 4,
		.finished = true,
		.host = "mx.example.com",
		.result = { .outcome = SMTPD_OUTCOME_PERMANENT,
		    .phase = SMTPD_PHASE_RCPT,
		    .code = 550,
		    .status = "5.1.1",
		    .text = "no\nsuch user" } };
	struct smtpd_rcpt_progress out;
	struct smtpd_unpack u;
	struct smtpd_pack p = { 0 };

	(void)state;
	smtpd__record_put_result(&p, &in);
	u = (struct smtpd_unpack){ .at = p.data, .left = p.len };
	assert_true(smtpd__record_get_result(&u, &out));
	assert_int_equal(out.rcpt, 4);
	assert_true(out.finished);
	assert_string_equal(out.host, "mx.example.com");
	assert_int_equal(out.result.outcome, SMTPD_OUTCOME_PERMANENT);
	assert_int_equal(out.result.phase, SMTPD_PHASE_RCPT);
	assert_int_equal(out.result.code, 550);
	assert_string_equal(out.result.status, "5.1.1");
	assert_string_equal(out.result.text, "no?such user");
	assert_false(smtpd__record_get_result(&u, &out));
	assert_false(u.failed);
	for (size_t len = 1; len < p.len; len++) {
		u = (struct smtpd_unpack){ .at = p.data, .left = len };
		assert_false(smtpd__record_get_result(&u, &out));
		assert_true(u.failed);
	}
	smtpd__pack_free(&p);
}

static void
test_state_and_clock(void **state)
{
	const struct smtpd_record_state in = {
		.stamp = stamp, .id = 99, .change = SMTPD_RECORD_REMOVED
	};
	const struct smtpd_record_clock clock = { .stamp = stamp,
		.last_id = 1000 };
	struct smtpd_record_state out;
	struct smtpd_record_clock clock_out;
	struct smtpd_pack p = { 0 };

	(void)state;
	smtpd__record_put_state(&p, &in);
	assert_true(smtpd__record_get_state(p.data, p.len, &out));
	assert_int_equal(out.id, 99);
	assert_int_equal(out.change, SMTPD_RECORD_REMOVED);
	p.data[24] = 5;
	assert_false(smtpd__record_get_state(p.data, p.len, &out));
	smtpd__pack_free(&p);
	smtpd__record_put_clock(&p, &clock);
	assert_true(smtpd__record_get_clock(p.data, p.len, &clock_out));
	assert_int_equal(clock_out.stamp.clock, 7);
	assert_int_equal(clock_out.last_id, 1000);
	assert_false(smtpd__record_get_clock(p.data, p.len - 1, &clock_out));
	smtpd__pack_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_message_cut),
		cmocka_unit_test(test_message_nonsense),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_envelope_controls),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_result),
		cmocka_unit_test(test_state_and_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
