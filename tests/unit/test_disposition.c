/* SPDX-License-Identifier: MIT */
/* For syscall(). */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bad_sector.h"
#include "os/clock.h"
#include "queue_fixture.h"

#include "test.h"

#define COUNTER(name) offsetof(struct smtpd_queue_counters, name)

static atomic_int disk_error; /* of writes and syncs */
static atomic_int sync_error; /* of syncs alone */

/* In place of the C library's. */
int
fdatasync(int fd)
{
	if (disk_error != 0 || sync_error != 0) {
		errno = disk_error != 0 ? disk_error : sync_error;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t offset)
{
	if (disk_error != 0) {
		errno = disk_error;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, len, offset);
}

static int
teardown(void **state)
{
	disk_error = sync_error = 0;
	bad_sector_set(0, 0);
	return world_teardown(state);
}

/* The report number I that host 2 got. */
static const struct mail_host_message *
report(struct world *w, size_t i)
{
	const struct mail_host_message *m = mail_host_message(&w->hosts[1], i);

	assert_string_equal(m->sender, "");
	assert_int_equal(m->nrcpts, 1);
	assert_string_equal(m->rcpts[0], "s@a2.test");
	return m;
}

static void
has(const struct mail_host_message *m, const char *text)
{
	if (strstr(m->data, text) == NULL)
		fail_msg("no \"%s\" in:\n%s", text, m->data);
}

static void
has_not(const struct mail_host_message *m, const char *text)
{
	if (strstr(m->data, text) != NULL)
		fail_msg("\"%s\" in:\n%s", text, m->data);
}

/* RFC 3461, 5.2.6; RFC 3461, 6.1 */
static void
test_refused(void **state)
{
	struct world *w = *state;

	world_begin(w);
	world_send(w, "s@a2.test", "no@a1.test");
	mail_host_expect(&w->hosts[1], 1, 0);
	has(report(w, 0), "Action: failed\n");
	has(report(w, 0), "Status: 5.1.1\n");
	has(report(w, 0), "Remote-MTA: dns; mx1.test\n");
	has(report(w, 0), "550 5.1.1 no such user");
	world_await(w, 0);
	assert_int_equal(world_counters(w).reports, 1);
	assert_int_equal(world_counters(w).failed, 1);
	assert_int_equal(world_counters(w).dead, 0);
}

/* RFC 5321, 4.5.4.1; RFC 3461, 5.2.8: Out of reach until its time is over. */
static void
test_expires(void **state)
{
	struct world *w = *state;

	w->settings.lifetime_s = 3;
	w->settings.delay_notice_s = SMTPD_NO_TIMEOUT;
	world_begin(w);
	world_send(w, "s@a2.test", "one@a9.test two@a9.test");
	mail_host_expect(&w->hosts[1], 1, 1500);
	has(report(w, 0), "Action: failed\n");
	has(report(w, 0), "Status: 4.4.7\n");
	has(report(w, 0), "one@a9.test");
	has(report(w, 0), "two@a9.test");
	world_await(w, 0);
	assert_int_equal(world_counters(w).failed, 2);
	assert_int_equal(world_counters(w).reports, 1);
}

/* S3: A bad sector under one message: its sender is told in the end, what can
 * be read of it is kept, and others are delivered. */
static void
test_bad_sector(void **state)
{
	struct smtpd_outgoing_rcpt rcpt = { SMTPD_OUTGOING_RCPT_INIT,
		.address = "bad@a1.test" };
	struct world_mail mail = { .envelope = { .sender = "s@a2.test",
				       .rcpts = &rcpt,
				       .nrcpts = 1 } };
	struct world *w = *state;
	char *content = malloc(20001);

	assert_non_null(content);
	memset(content, 'x', 20000);
	for (int i = 69; i < 20000; i += 70)
		content[i] = '\n';
	content[20000] = '\0';
	bad_sector_set(4096 + 8192, 4096 + 8192 + 512);
	w->settings.lifetime_s = 3;
	world_begin(w);
	world_send_mail(w, &mail, content);
	free(content);
	world_send(w, "s@a2.test", "good@a1.test");
	mail_host_expect(&w->hosts[0], 1, 0);
	mail_host_expect(&w->hosts[1], 1, 0);
	has(report(w, 0), "Action: failed\n");
	has(report(w, 0), "Status: 5.3.0\n");
	has(report(w, 0), "bad@a1.test");
	has(report(w, 0), "damaged on the disk of this host");
	world_await(w, 0);
	assert_int_equal(world_count_files(w, "quarantine", ".bin"), 1);
	assert_int_equal(world_count_files(w, "quarantine", ".why"), 1);
}

/* Put off again and again: the host's words are told. */
static void
test_expires_with_a_reply(void **state)
{
	struct world *w = *state;
	char line[128];

	w->settings.lifetime_s = 2;
	world_begin(w);
	world_send(w, "s@a2.test", "later@a1.test");
	mail_host_expect(&w->hosts[1], 1, 1200);
	has(report(w, 0), "Action: failed\n");
	has(report(w, 0), "450 4.2.0 not now");
	/* O21: the log follows the message, and its report. */
	snprintf(line, sizeof(line), " report of id=%s from=<> to=<s@a2.test> ",
	    w->id);
	assert_int_equal(world_logged(w, line), 1);
	snprintf(line, sizeof(line),
	    "id=%s from=<s@a2.test> to=<later@a1.test> attempts=", w->id);
	assert_int_equal(world_logged(w, line), 1);
	assert_true(world_logged(w, " attempt=1 delay=") > 0);
	assert_true(world_logged(w, " attempt=2 delay=") > 0);
	/* S31: how often it was tried, and who helps. */
	has(report(w, 0), "\n    We tried ");
	has(report(w, 0), " times, the last time on ");
	has(report(w, 0), "write to <postmaster@queue.test>");
	has(report(w, 0), "\n    Subject: x\n");
	has_not(report(w, 0), "may have arrived");
	world_await(w, 0);
	assert_int_equal(world_logged(w, " status=done\n"), 2);
}

/* S31: a lost reply to the dot is not told as a failure alone. */
static void
test_expires_in_doubt(void **state)
{
	struct world *w = *state;

	w->settings.lifetime_s = 2;
	w->settings.delay_notice_s = SMTPD_NO_TIMEOUT;
	w->client.dot_ms = 700;
	world_begin(w);
	world_send(w, "s@a2.test", "hang@a1.test");
	mail_host_expect(&w->hosts[1], 1, 0);
	has(report(w, 0), "A copy may have arrived");
	has(report(w, 0), "ask the recipient");
	world_await(w, 0);
}

/* RFC 3461, 5.2.5 */
static void
test_notice_once(void **state)
{
	struct world *w = *state;

	w->settings.delay_notice_s = 1;
	world_begin(w);
	world_send(w, "s@a2.test", "later@a1.test");
	mail_host_expect(&w->hosts[1], 1, 2500);
	has(report(w, 0), "Action: delayed\n");
	has(report(w, 0), "Will-Retry-Until: ");
	/* Nor after a restart. */
	world_close(w, 1000);
	world_begin(w);
	mail_host_expect(&w->hosts[1], 1, 2000);
	world_await(w, 1);
}

/* The site is suspended for longer than the sender may go without news. */
static void
test_notice_of_a_closed_site(void **state)
{
	struct world *w = *state;

	w->settings.delay_notice_s = 2;
	w->settings.retry_min_s = 600;
	w->settings.retry_max_s = 600;
	world_begin(w);
	world_send(w, "s@a2.test", "one@a9.test");
	world_await_counter(w, COUNTER(attempts), 1);
	world_send(w, "s@a2.test", "two@a9.test");
	mail_host_expect(&w->hosts[1], 1, 0);
	has(report(w, 0), "two@a9.test");
	has(report(w, 0), "Action: delayed\n");
}

static void
test_no_notice(void **state)
{
	struct world *w = *state;
	struct smtpd_outgoing_rcpt rcpt = { SMTPD_OUTGOING_RCPT_INIT,
		.address = "later@a1.test" };
	struct world_mail mail = { .envelope.sender = "s@a2.test",
		.envelope.rcpts = &rcpt,
		.envelope.nrcpts = 1 };

	w->settings.delay_notice_s = 1;
	world_begin(w);
	world_send_mail(w, &mail, "Auto-Submitted: auto-replied\r\n\r\nx\r\n");
	world_send(w, "", "later@a1.test");
	world_send_notify(w, "s@a2.test", "later@a1.test", "FAILURE");
	mail_host_expect(&w->hosts[1], 0, 3000);
	assert_int_equal(world_counters(w).messages, 3);
}

/* RFC 5321, 4.5.5 */
static void
test_null_sender_dies(void **state)
{
	struct world *w = *state;

	world_begin(w);
	world_send(w, "", "no@a1.test");
	world_await_counter(w, COUNTER(dead), 1);
	world_await(w, 0);
	assert_int_equal(world_count_files(w, "dead", ".eml"), 1);
	assert_int_equal(world_count_files(w, "dead", ".why"), 1);
	assert_int_equal(world_counters(w).reports, 0);
}

/* RFC 5321, 4.5.5; RFC 5321, 6.1: A report that cannot be delivered. */
static void
test_report_dies(void **state)
{
	struct world *w = *state;

	w->hosts[1].refuse_null = true;
	world_begin(w);
	world_send(w, "s@a2.test", "no@a1.test");
	world_await_counter(w, COUNTER(dead), 1);
	world_await(w, 0);
	assert_int_equal(world_counters(w).reports, 1);
	assert_int_equal(world_count_files(w, "dead", ".eml"), 1);
}

/* O1: a dead letter is seen in the list, the check and the log, and the
 * postmaster is told; not of each, nor of what cannot reach it. */
static void
test_dead_letters_are_seen(void **state)
{
	struct world *w = *state;
	const struct mail_host_message *m;
	char answer[4096], line[256], id[SMTPD_QUEUE_ID_SIZE];

	w->hosts[1].refuse_null = true;
	w->settings.postmaster = "pm@a3.test";
	world_begin(w);
	world_send(w, "s@a2.test", "no@a1.test");
	memcpy(id, w->id, sizeof(id));
	world_await_counter(w, COUNTER(dead), 1);
	mail_host_expect(&w->hosts[2], 1, 0);
	m = mail_host_message(&w->hosts[2], 0);
	assert_string_equal(m->sender, "");
	assert_string_equal(m->rcpts[0], "pm@a3.test");
	has(m, "\nTo: <pm@a3.test>\n");
	has(m, "  <s@a2.test>\n");
	has(m, id);
	snprintf(line, sizeof(line), " report of id=%s to=<s@a2.test> ", id);
	assert_int_equal(world_logged(w, line), 1);
	assert_int_equal(world_logged(w, "status=dead file=dead/"), 1);
	assert_int_equal(world_logged(w, "\"; 1 there\n"), 1);
	world_send(w, "", "no@a1.test");
	world_await_counter(w, COUNTER(dead), 2);
	world_await(w, 0);
	assert_int_equal(world_logged(w, "\"; 2 there\n"), 1);
	mail_host_expect(&w->hosts[2], 1, 300);
	assert_int_equal(world_ask(w, "list", NULL, answer, sizeof(answer)), 0);
	assert_non_null(strstr(answer,
	    "\n0 messages, 0 bytes; 2 reports that nobody took in dead/\n"));
	assert_int_equal(
	    world_ask(w, "check", NULL, answer, sizeof(answer)), 0);
	assert_non_null(strstr(answer, ", 2 in dead\n"));
}

/* O1: no notice about a notice. */
static void
test_postmaster_cannot_be_told(void **state)
{
	struct world *w = *state;

	w->hosts[1].refuse_null = true;
	w->settings.postmaster = "later@a1.test";
	world_begin(w);
	world_send(w, "s@a2.test", "no@a1.test");
	world_await_counter(w, COUNTER(dead), 1);
	world_await(w, 0);
	assert_int_equal(world_logged(w, "<later@a1.test>, cannot be told"), 1);
	assert_int_equal(world_count_files(w, "dead", ".eml"), 1);
	world_send(w, "", "no@a1.test");
	world_await_counter(w, COUNTER(dead), 2);
	world_await(w, 0);
	assert_int_equal(world_logged(w, "<later@a1.test>, cannot be told"), 1);
}

/* S9: What failed beyond the limit is neither lost nor forgotten. */
static void
test_too_many_reports(void **state)
{
	struct world *w = *state;

	char rcpt[128], id[5][SMTPD_QUEUE_ID_SIZE];
	const struct mail_host_message *m;

	w->settings.max_reports = 2;
	world_begin(w);
	for (int i = 0; i < 5; i++) {
		snprintf(rcpt, sizeof(rcpt), "no%d@a1.test one@a3.test", i);
		world_send(w, "s@a2.test", rcpt);
		memcpy(id[i], w->id, sizeof(id[i]));
		world_await_counter(w, COUNTER(failed), (uint64_t)i + 1);
		if (i < 2)
			mail_host_expect(&w->hosts[1], (size_t)i + 1, 0);
	}
	mail_host_expect(&w->hosts[1], 2, 300);
	mail_host_expect(&w->hosts[2], 5, 0);
	world_await(w, 3);
	world_close(w, 1000);
	world_begin(w);
	mail_host_expect(&w->hosts[1], 3, 300);
	m = report(w, 2);
	for (int i = 0; i < 5; i++) {
		snprintf(rcpt, sizeof(rcpt), "rfc822; no%d@a1.test\n", i);
		if (i < 2) {
			has(report(w, (size_t)i), rcpt);
			continue;
		}
		has(m, rcpt);
		snprintf(rcpt, sizeof(rcpt), "\nX-Queue-ID: %s\n", id[i]);
		has(m, rcpt);
	}
	has(m, "It is about 3 messages of yours.\n");
	has(m, "\nSubject: x\n");
	world_await(w, 0);
	assert_int_equal(
	    mail_host_figure(&w->hosts[0], &w->hosts[0].offers), 5);
	assert_int_equal(world_counters(w).dead, 0);
}

/* S9: As many as a report may be about are not waited with. */
static void
test_enough_for_a_report(void **state)
{
	struct world *w = *state;

	w->settings.max_reports = 1;
	world_begin(w);
	for (int i = 0; i < 101; i++)
		world_send(w, "s@a2.test", "no@a1.test");
	mail_host_expect(&w->hosts[1], 2, 0);
	world_await(w, 0);
	assert_int_equal(world_counters(w).reports, 2);
	assert_int_equal(world_counters(w).failed, 101);
	assert_int_equal(world_counters(w).dead, 0);
}

/* S9: An operator may remove or hold what waits for its report. */
static void
test_remove_what_is_gathered(void **state)
{
	struct world *w = *state;
	char answer[256];

	w->settings.max_reports = 1;
	world_begin(w);
	for (int i = 0; i < 3; i++) {
		world_send(w, "s@a2.test", "no@a1.test");
		world_await_counter(w, COUNTER(failed), (uint64_t)i + 1);
		if (i == 1)
			assert_int_equal(world_ask(w, "remove", w->id, answer,
					     sizeof(answer)),
			    0);
		if (i == 2)
			assert_int_equal(
			    world_ask(w, "hold", w->id, answer, sizeof(answer)),
			    0);
	}
	world_close(w, 1000);
	world_begin(w);
	mail_host_expect(&w->hosts[1], 2, 300);
	has(report(w, 1), "It is about this message:\n");
	world_await(w, 0);
}

static void
test_success(void **state)
{
	struct world *w = *state;

	w->hosts[2].dsn = true;
	world_begin(w);
	world_send_notify(w, "s@a2.test", "one@a1.test two@a3.test", "SUCCESS");
	world_send_notify(w, "s@a2.test", "three@a1.test", "FAILURE");
	mail_host_expect(&w->hosts[0], 2, 0);
	mail_host_expect(&w->hosts[2], 1, 0);
	mail_host_expect(&w->hosts[1], 1, 500);
	has(report(w, 0), "Action: relayed\n");
	has(report(w, 0), "one@a1.test");
	has_not(report(w, 0), "two@a3.test");
	world_await(w, 0);
}

/* Three kinds of news in one attempt: none of it gets lost. */
static void
test_all_kinds_at_once(void **state)
{
	struct world *w = *state;
	unsigned kinds = 0;

	w->settings.delay_notice_s = 1;
	w->settings.retry_min_s = 2;
	w->settings.retry_max_s = 2;
	world_open(w);
	world_send_notify(w, "s@a2.test",
	    "one@a1.test no@a1.test later@a1.test", "SUCCESS,FAILURE,DELAY");
	world_sleep(1500);
	world_start(w);
	mail_host_expect(&w->hosts[1], 3, 2500);
	for (size_t i = 0; i < 3; i++) {
		const char *data = report(w, i)->data;

		if (strstr(data, "Action: relayed\n") != NULL)
			kinds |= 1;
		if (strstr(data, "Action: failed\n") != NULL)
			kinds |= 2;
		if (strstr(data, "Action: delayed\n") != NULL)
			kinds |= 4;
	}
	assert_int_equal(kinds, 7);
	world_await(w, 1);
}

/* What was sent is not sent again because it cannot be written down. */
static void
test_disk_trouble(void **state)
{
	struct world *w = *state;

	w->settings.retry_min_s = 1;
	world_begin(w);
	world_send(w, "s@a2.test", "slow@a1.test no@a1.test");
	mail_host_await(&w->hosts[0], &w->hosts[0].offers, 2);
	disk_error = EIO;
	mail_host_expect(&w->hosts[0], 1, 2500);
	assert_int_equal(world_counters(w).messages, 1);
	assert_int_equal(world_logged(w, "cannot record"), 1);
	assert_int_equal(world_counters(w).reports, 0);
	disk_error = 0;
	mail_host_expect(&w->hosts[1], 1, 0);
	world_await(w, 0);
	mail_host_expect(&w->hosts[0], 1, 500);
	assert_int_equal(world_counters(w).reports, 1);
	world_close(w, 0);
	world_begin(w);
	assert_int_equal(world_counters(w).messages, 0);
}

/* S4: The thread that wins space back does not wait for the disk: what is
 * overdue is put off. */
static void
test_disk_trouble_and_overdue(void **state)
{
	struct world *w = *state;

	/* Later than the disk is full, however busy the machine is. */
	w->settings.delay_notice_s = 5;
	w->settings.retry_min_s = 600;
	w->settings.retry_max_s = 600;
	world_begin(w);
	world_send(w, "s@a2.test", "one@a9.test");
	world_await_counter(w, COUNTER(attempts), 1);
	world_send(w, "s@a2.test", "two@a9.test");
	disk_error = ENOSPC;
	world_await_log(w, "cannot record");
	assert_int_equal(world_logged(w, "cannot record"), 1);
	world_sleep(1500);
	/* It is back at its other work, and has no turn for 600 s. */
	disk_error = 0;
	world_send(w, "s@a2.test", "three@a1.test");
	mail_host_expect(&w->hosts[0], 1, 0);
	mail_host_expect(&w->hosts[1], 0, 1500);
}

/* Nobody is to be told: the record is not waited for at once. */
static void
test_disk_trouble_after_success(void **state)
{
	struct world *w = *state;

	world_begin(w);
	world_send(w, "s@a2.test", "slow@a1.test");
	mail_host_await(&w->hosts[0], &w->hosts[0].offers, 1);
	disk_error = EIO;
	mail_host_expect(&w->hosts[0], 1, 2500);
	assert_int_equal(world_logged(w, "cannot record"), 1);
	disk_error = 0;
	world_await(w, 0);
	world_send(w, "s@a2.test", "one@a1.test");
	mail_host_expect(&w->hosts[0], 2, 500);
	world_close(w, 1000);
	world_begin(w);
	assert_int_equal(world_counters(w).messages, 0);
	mail_host_expect(&w->hosts[0], 2, 500);
}

/* A sync fails that nobody waits for: it is logged, no more is sent while what
 * was sent cannot be made durable, and nothing is sent twice. */
static void
test_late_sync_fails(void **state)
{
	struct world *w = *state;
	char rcpt[32];

	w->settings.workers = 1;
	world_open(w);
	for (int i = 0; i < 5; i++) {
		snprintf(rcpt, sizeof(rcpt), "slow%d@a1.test", i);
		world_send(w, "s@a2.test", rcpt);
	}
	sync_error = EIO;
	world_start(w);
	world_await_log(w, "cannot record");
	world_sleep(1500);
	assert_true(mail_host_figure(&w->hosts[0], &w->hosts[0].dots) <= 2);
	/* Each second, but told once; and by the worker, if it came to that. */
	assert_in_range(world_logged(w, "cannot record"), 1, 2);
	assert_int_equal(world_logged(w, "status=done"), 0);
	sync_error = 0;
	mail_host_expect(&w->hosts[0], 5, 0);
	world_await(w, 0);
	world_close(w, 1000);
	assert_int_equal(world_logged(w, "status=done"), 5);
	world_begin(w);
	assert_int_equal(world_counters(w).messages, 0);
	mail_host_expect(&w->hosts[0], 5, 300);
}

/* S4: A worker that waits for the disk keeps no message that has ended: what
 * wins space back could not move that. */
static void
test_disk_trouble_after_one_that_ended(void **state)
{
	struct world *w = *state;
	char done[64];

	w->settings.workers = 1;
	world_open(w);
	world_send(w, "s@a2.test", "one@a1.test");
	snprintf(done, sizeof(done), "id=%s status=done", w->id);
	world_send(w, "s@a2.test", "slow@a1.test no@a1.test");
	world_start(w);
	mail_host_await(&w->hosts[0], &w->hosts[0].offers, 3);
	/* One commit for this and for what was sent. */
	world_send(w, "s@a2.test", "one@a9.test");
	disk_error = ENOSPC;
	world_await_log(w, "cannot record");
	world_await_log(w, done);
	disk_error = 0;
	mail_host_expect(&w->hosts[1], 1, 0);
}

/* What was sent is on the disk soon, also if the next message of the
 * connection takes long. */
static void
test_record_is_soon_durable(void **state)
{
	struct world *w = *state;
	uint64_t syncs;

	w->settings.workers = 1;
	world_begin(w);
	world_send(w, "s@a2.test", "slow@a1.test");
	world_send(w, "s@a2.test", "hang@a1.test");
	syncs = world_counters(w).syncs;
	mail_host_await(&w->hosts[0], &w->hosts[0].hanging, 1);
	world_await_counter(w, COUNTER(syncs), syncs + 1);
}

/* Each second that the trouble lasts is no further report. */
static void
test_disk_trouble_and_reports(void **state)
{
	struct world *w = *state;

	w->settings.max_reports = 1;
	w->settings.min_free = 1;
	world_begin(w);
	world_send(w, "s@a2.test", "slow@a1.test no@a1.test");
	mail_host_await(&w->hosts[0], &w->hosts[0].offers, 2);
	disk_error = ENOSPC;
	mail_host_expect(&w->hosts[0], 1, 3500);
	disk_error = 0;
	mail_host_expect(&w->hosts[1], 1, 300);
	has(report(w, 0), "no@a1.test");
	world_await(w, 0);
	assert_int_equal(world_counters(w).dead, 0);
}

/* A stop does not wait for the disk; the message stays. */
static void
test_stop_in_disk_trouble(void **state)
{
	struct world *w = *state;
	uint64_t begun;

	world_begin(w);
	world_send(w, "s@a2.test", "slow@a1.test");
	mail_host_await(&w->hosts[0], &w->hosts[0].offers, 1);
	disk_error = EIO;
	mail_host_expect(&w->hosts[0], 1, 300);
	begun = smtpd__clock_ms();
	world_close(w, 100);
	assert_true(smtpd__clock_ms() - begun < 5000);
	disk_error = 0;
	world_open(w);
	assert_int_equal(world_counters(w).messages, 1);
}

/* What is broken off after the end of its life gets its last try. */
static void
test_stop_after_the_end_of_life(void **state)
{
	struct world *w = *state;
	struct mail_host *h = &w->hosts[0];

	w->settings.lifetime_s = 2;
	world_begin(w);
	world_send(w, "s@a2.test", "hang@a1.test");
	mail_host_await(h, &h->hanging, 1);
	world_sleep(2500);
	world_close(w, 0);
	world_open(w);
	assert_int_equal(world_counters(w).messages, 1);
	mail_host_expect(&w->hosts[1], 0, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused),
		TEST(test_expires),
		TEST(test_expires_with_a_reply),
		TEST(test_bad_sector),
		TEST(test_expires_in_doubt),
		TEST(test_notice_once),
		TEST(test_notice_of_a_closed_site),
		TEST(test_no_notice),
		TEST(test_null_sender_dies),
		TEST(test_report_dies),
		TEST(test_dead_letters_are_seen),
		TEST(test_postmaster_cannot_be_told),
		TEST(test_too_many_reports),
		TEST(test_enough_for_a_report),
		TEST(test_remove_what_is_gathered),
		TEST(test_success),
		TEST(test_all_kinds_at_once),
		TEST(test_disk_trouble),
		TEST(test_disk_trouble_and_overdue),
		TEST(test_disk_trouble_after_success),
		TEST(test_late_sync_fails),
		TEST(test_disk_trouble_after_one_that_ended),
		TEST(test_record_is_soon_durable),
		TEST(test_disk_trouble_and_reports),
		TEST(test_stop_in_disk_trouble),
		TEST(test_stop_after_the_end_of_life),
	};

	return cmocka_run_group_tests_name("disposition", tests, NULL, NULL);
}
