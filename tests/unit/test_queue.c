/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "os/clock.h"
#include "queue_fixture.h"

#include "test.h"

#define COUNTER(name) offsetof(struct smtpd_queue_counters, name)

static void
test_delivers(void **state)
{
	struct world *w = *state;
	const struct mail_host_message *m;

	world_begin(w);
	world_send(w, "s@a2.test", "one@a1.test");
	mail_host_expect(&w->hosts[0], 1, 0);
	m = mail_host_message(&w->hosts[0], 0);
	assert_string_equal(m->sender, "s@a2.test");
	assert_string_equal(m->rcpts[0], "one@a1.test");
	assert_string_equal(m->data, "Subject: x\n\nhi\n");
	world_await(w, 0);
	assert_int_equal(world_counters(w).attempts, 1);
	assert_int_equal(world_counters(w).sent, 1);
	assert_int_equal(world_counters(w).reports, 0);
}

/* T9: an address in brackets is a relay of its own. */
static void
a_literal_is_a_relay(void **state)
{
	struct world *w = *state;
	char line[80];

	world_begin(w);
	world_send(w, "s@a2.test", "\"c<d\"@[127.0.0.1]");
	mail_host_expect(&w->hosts[0], 1, 0);
	snprintf(line, sizeof(line),
	    " to=<\"c\\x3cd\"@[127.0.0.1]> relay=[127.0.0.1]:%u tls=none ",
	    (unsigned)w->settings.port);
	world_await_log(w, line);
}

/* What was queued before the start, and by an earlier process. */
static void
test_starts_with_a_backlog(void **state)
{
	struct world *w = *state;

	world_open(w);
	for (int i = 0; i < 5; i++)
		world_send(w, "s@a2.test", "one@a1.test two@a2.test");
	world_close(w, 0);
	assert_int_equal(
	    mail_host_figure(&w->hosts[0], &w->hosts[0].connections), 0);
	world_open(w);
	assert_int_equal(world_counters(w).messages, 5);
	world_start(w);
	mail_host_expect(&w->hosts[0], 5, 0);
	mail_host_expect(&w->hosts[1], 5, 0);
	world_await(w, 0);
	world_close(w, 1000);
	world_open(w);
	assert_int_equal(world_counters(w).messages, 0);
}

static void
test_tries_again(void **state)
{
	struct world *w = *state;
	uint64_t begun = smtpd__clock_ms();

	world_begin(w);
	world_send(w, "s@a2.test", "once@a1.test");
	mail_host_expect(&w->hosts[0], 1, 0);
	assert_true(smtpd__clock_ms() - begun < 4000);
	world_await(w, 0);
	assert_int_equal(world_counters(w).attempts, 2);
	assert_int_equal(world_counters(w).reports, 0);
}

/* Some sent, some refused, some put off: in one transaction. */
static void
test_mixed_recipients(void **state)
{
	struct world *w = *state;
	const struct mail_host_message *m;

	world_begin(w);
	world_send(w, "s@a2.test",
	    "no1@a1.test one@a1.test once@a1.test no2@a1.test two@a1.test");
	mail_host_expect(&w->hosts[0], 2, 300);
	m = mail_host_message(&w->hosts[0], 0);
	assert_int_equal(m->nrcpts, 2);
	assert_int_equal(mail_host_copies(&w->hosts[0], "one@a1.test"), 1);
	assert_int_equal(mail_host_copies(&w->hosts[0], "two@a1.test"), 1);
	assert_int_equal(mail_host_copies(&w->hosts[0], "once@a1.test"), 1);
	mail_host_expect(&w->hosts[1], 1, 300);
	m = mail_host_message(&w->hosts[1], 0);
	assert_string_equal(m->sender, "");
	assert_string_equal(m->rcpts[0], "s@a2.test");
	assert_non_null(strstr(m->data, "no1@a1.test"));
	assert_non_null(strstr(m->data, "no2@a1.test"));
	assert_null(strstr(m->data, "one@a1.test"));
	assert_null(strstr(m->data, "once@a1.test"));
	world_await(w, 0);
	assert_int_equal(world_counters(w).sent, 4);
	assert_int_equal(world_counters(w).failed, 2);
	assert_int_equal(world_counters(w).reports, 1);
}

/* Domains of one message are tried apart, and do not wait for each other. */
static void
test_domains_apart(void **state)
{
	struct world *w = *state;
	char answer[4096];

	world_begin(w);
	world_send(w, "s@a3.test", "one@a1.test later@a2.test two@nx.invalid");
	mail_host_expect(&w->hosts[0], 1, 0);
	mail_host_expect(&w->hosts[2], 1, 0);
	assert_non_null(
	    strstr(mail_host_message(&w->hosts[2], 0)->data, "nx.invalid"));
	world_await(w, 1);
	assert_int_equal(
	    world_ask(w, "show", w->id, answer, sizeof(answer)), 0);
	assert_non_null(strstr(answer, "later@a2.test"));
	assert_int_equal(world_ask(w, "remove", w->id, answer, 4096), 0);
	world_await(w, 0);
}

/* A connection that is kept open serves the next message of its site, also one
 * for another domain of it. */
static void
test_connection_is_used_again(void **state)
{
	struct world *w = *state;
	struct mail_host *h = &w->hosts[0];

	w->settings.idle_ms = 15000;
	world_begin(w);
	for (size_t i = 1; i <= 3; i++) {
		world_send(w, "s@a2.test", "one@a1.test");
		mail_host_expect(h, i, 0);
		world_await(w, 0);
		/* The worker may not be parked yet. */
		world_sleep(50);
	}
	assert_int_equal(mail_host_figure(h, &h->connections), 1);
}

/* The one connection that the site may have is idle, and the domain was not
 * known to be of that site: nobody may wait for the end of its patience. */
static void
test_domain_joins_a_full_site(void **state)
{
	struct world *w = *state;
	struct mail_host *h = &w->hosts[0];
	uint64_t begun;

	w->settings.idle_ms = 8000;
	w->settings.site_connections = 1;
	world_begin(w);
	world_send(w, "s@a2.test", "one@a1.test");
	mail_host_expect(h, 1, 0);
	world_await(w, 0);
	world_sleep(50);
	begun = smtpd__clock_ms();
	world_send(w, "s@a2.test", "two@b1.test");
	mail_host_expect(h, 2, 0);
	assert_true(smtpd__clock_ms() - begun < 3000);
	assert_int_equal(mail_host_figure(h, &h->connections), 1);
}

/* The same for mail that becomes due while the connection is idle. */
static void
test_retry_at_a_full_site(void **state)
{
	struct world *w = *state;
	struct mail_host *h = &w->hosts[0];
	uint64_t begun = smtpd__clock_ms();

	w->settings.idle_ms = 12000;
	w->settings.site_connections = 1;
	world_begin(w);
	world_send(w, "s@a2.test", "once@a1.test");
	mail_host_expect(h, 1, 0);
	assert_true(smtpd__clock_ms() - begun < 6000);
	assert_int_equal(mail_host_figure(h, &h->connections), 1);
}

/* Who only keeps a connection gives up his thread for other sites. */
static void
test_idle_connections_stand_back(void **state)
{
	struct world *w = *state;
	uint64_t begun;

	w->settings.idle_ms = 15000;
	w->settings.workers = 1;
	world_begin(w);
	world_send(w, "s@a3.test", "one@a1.test");
	mail_host_expect(&w->hosts[0], 1, 0);
	world_await(w, 0);
	world_sleep(50);
	begun = smtpd__clock_ms();
	world_send(w, "s@a3.test", "one@a2.test");
	mail_host_expect(&w->hosts[1], 1, 0);
	assert_true(smtpd__clock_ms() - begun < 3000);
}

static void
test_limits_of_workers_and_sites(void **state)
{
	struct world *w = *state;

	w->settings.workers = 4;
	world_begin(w);
	for (int i = 0; i < 8; i++)
		world_send(
		    w, "s@a3.test", "slow@a1.test slow@a2.test slow@a3.test");
	mail_host_expect(&w->hosts[0], 8, 0);
	mail_host_expect(&w->hosts[1], 8, 0);
	mail_host_expect(&w->hosts[2], 8, 0);
	/* A quarter of four. */
	for (int i = 0; i < WORLD_HOSTS; i++)
		assert_int_equal(
		    mail_host_figure(&w->hosts[i], &w->hosts[i].peak), 1);
}

/* More of them than may run: no job is left behind. */
static void
test_no_job_is_left_behind(void **state)
{
	struct world *w = *state;
	char rcpt[64];

	w->settings.workers = 3;
	w->settings.idle_ms = 1;
	world_begin(w);
	for (int i = 0; i < 60; i++) {
		snprintf(rcpt, sizeof(rcpt), "r%d@%c%d.test", i,
		    i % 2 == 0 ? 'a' : 'b', i % 3 + 1);
		world_send(w, "s@a3.test", rcpt);
		if (i % 7 == 0)
			world_sleep(3);
	}
	world_await(w, 0);
	assert_int_equal(world_counters(w).sent, 60);
	for (int i = 0; i < WORLD_HOSTS; i++)
		mail_host_expect(&w->hosts[i], 20, 0);
}

/* A host that is out of reach closes its site, whose mail costs nothing. */
static void
test_dead_site_costs_one_probe(void **state)
{
	struct world *w = *state;
	char answer[8192];

	w->settings.retry_min_s = 600;
	w->settings.retry_max_s = 600;
	world_begin(w);
	world_send(w, "s@a3.test", "one@a9.test");
	world_await_counter(w, COUNTER(attempts), 1);
	for (int i = 0; i < 5; i++)
		world_send(w, "s@a3.test", "one@b9.test");
	world_sleep(500);
	assert_true(world_counters(w).attempts <= 2);
	assert_int_equal(world_counters(w).messages, 6);
	assert_int_equal(world_ask(w, "why", w->id, answer, sizeof(answer)), 0);
	assert_non_null(strstr(answer, "suspended for"));
}

/* O22: what concerns more than one message is a warning when it begins, and
 * told when it is over: a site, all of them. */
static void
trouble_is_told_once(void **state)
{
	static const char nothing[] = "\n2 no mail goes out: ";
	static const char mx8[] = "\n2 mail for site=mx8.test waits: ";
	static const char mx9[] = "\n2 mail for site=mx9.test waits: ";
	struct world *w = *state;

	world_begin(w);
	for (int i = 0; i < 3; i++) {
		world_send(w, "s@a3.test", "one@a9.test");
		world_send(w, "s@a3.test", "one@b9.test");
		world_send(w, "s@a3.test", "one@a8.test");
	}
	world_await_log(w, mx8);
	world_await_log(w, mx9);
	world_await_log(w, nothing);
	world_await_counter(w, COUNTER(attempts), 6);
	assert_int_equal(world_logged(w, mx8), 1);
	assert_int_equal(world_logged(w, mx9), 1);
	mail_host_start(&w->hosts[9 - 1]);
	world_await_log(w, "\n3 mail for site=mx9.test goes out again");
	world_await_log(w, "\n3 mail goes out again");
	assert_int_equal(world_logged(w, nothing), 1);
	world_close(w, 0);
}

/* O22: so is a DNS that does not answer, though it is asked again. */
static void
silent_dns_is_told_once(void **state)
{
	static const char mute[] = "\n2 the DNS does not answer, mail ";
	struct world *w = *state;

	w->resolver.timeout_ms = 500;
	w->resolver.tries = 1;
	world_begin(w);
	world_send(w, "s@a3.test", "one@mute1.test");
	world_send(w, "s@a3.test", "one@mute2.test");
	world_await_log(w, mute);
	world_send(w, "s@a3.test", "one@a1.test");
	world_await_log(w, "\n3 the DNS answers again");
	world_sleep(2000);
	assert_int_equal(world_logged(w, mute), 1);
}

/* Sites that work are forgotten once they have no more mail. */
static void
dead_sites_alone_are_no_outage(void **state)
{
	struct world *w = *state;

	w->settings.retry_min_s = 600;
	w->settings.retry_max_s = 600;
	world_begin(w);
	world_send(w, "s@a2.test", "one@a1.test");
	mail_host_await(&w->hosts[0], &w->hosts[0].offers, 1);
	world_await(w, 0);
	world_send(w, "s@a3.test", "one@a9.test");
	world_send(w, "s@a3.test", "one@a8.test");
	world_await_log(w, "\n2 mail for site=mx9.test waits: ");
	world_await_log(w, "\n2 mail for site=mx8.test waits: ");
	world_sleep(300);
	assert_int_equal(world_logged(w, "no mail goes out"), 0);
}

/* S8: a site that is suspended, with mail that is ready, and beside it an open
 * one with mail that no worker has; closed, neither touches the other's
 * jobs. */
static void
a_backlog_is_closed_in_order(void **state)
{
	struct world *w = *state;

	w->settings.retry_min_s = 600;
	w->settings.retry_max_s = 600;
	world_begin(w);
	world_send(w, "s@a3.test", "one@a9.test");
	world_await_counter(w, COUNTER(attempts), 1);
	smtpd_queue_stop(w->queue, 1000);
	for (int i = 0; i < 3; i++) {
		world_send(w, "s@a3.test", "one@a9.test");
		world_send(w, "s@a3.test", "one@b9.test");
		world_send(w, "s@a3.test", "one@a1.test");
		world_send(w, "s@a3.test", "one@a2.test");
	}
	smtpd_queue_close(w->queue);
	w->queue = NULL;
	world_open(w);
	assert_int_equal(world_counters(w).messages, 13);
}

static double
cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static long
switches(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_nvcsw;
}

/* Empty, with mail for later, and with an idle connection. */
static void
test_idle_queue_sleeps(void **state)
{
	struct world *w = *state;
	double cpu;
	long woken;

	w->settings.retry_min_s = 600;
	w->settings.retry_max_s = 600;
	w->settings.idle_ms = 60000;
	world_begin(w);
	world_send(w, "s@a3.test", "one@a1.test");
	world_send(w, "s@a3.test", "later@a2.test");
	mail_host_expect(&w->hosts[0], 1, 0);
	mail_host_await(&w->hosts[1], &w->hosts[1].offers, 1);
	world_await(w, 1);
	/* The maintenance has its second, and another. */
	world_sleep(2500);
	cpu = cpu_seconds();
	woken = switches();
	world_sleep(1500);
	assert_true(cpu_seconds() - cpu < 0.02);
	assert_true(switches() - woken < 20);
}

static void
test_stop_breaks_off(void **state)
{
	struct world *w = *state;
	struct mail_host *h = &w->hosts[0];
	uint64_t begun;
	char answer[8192];

	world_begin(w);
	world_send(w, "s@a2.test", "hang@a1.test");
	mail_host_await(h, &h->hanging, 1);
	begun = smtpd__clock_ms();
	world_close(w, 300);
	assert_true(smtpd__clock_ms() - begun < 5000);
	assert_true(smtpd__clock_ms() - begun >= 300);
	world_open(w);
	assert_int_equal(world_counters(w).messages, 1);
	assert_int_equal(
	    world_ask(w, "show", w->id, answer, sizeof(answer)), 0);
	assert_non_null(strstr(answer, "hang@a1.test"));
	assert_int_equal(world_ask(w, "why", w->id, answer, sizeof(answer)), 0);
	assert_non_null(strstr(answer, "tried:     0 times"));
}

/* ... and so is a look-up; neither counts as an attempt. */
static void
test_stop_while_looking_up(void **state)
{
	struct world *w = *state;
	char answer[8192];
	uint64_t begun;

	world_begin(w);
	world_send(w, "s@a2.test", "one@mute.test");
	while (dns_server_questions(w->dns) == 0)
		world_sleep(5);
	begun = smtpd__clock_ms();
	world_close(w, 0);
	assert_true(smtpd__clock_ms() - begun < 2000);
	world_open(w);
	assert_int_equal(world_counters(w).messages, 1);
	world_ask(w, "why", w->id, answer, sizeof(answer));
	assert_non_null(strstr(answer, "tried:     0 times"));
}

/* S17: a host that may have the message is heard. */
static void
test_stop_lets_finish(void **state)
{
	struct world *w = *state;
	struct mail_host *h = &w->hosts[0];

	world_begin(w);
	world_send(w, "s@a2.test", "slow@a1.test");
	mail_host_await(h, &h->dots, 1);
	world_close(w, 10000);
	mail_host_expect(h, 1, 0);
	world_open(w);
	assert_int_equal(world_counters(w).messages, 0);
}

static void
test_hold_and_release(void **state)
{
	struct world *w = *state;
	struct smtpd_outgoing_rcpt rcpt = { SMTPD_OUTGOING_RCPT_INIT,
		.address = "one@a1.test" };
	struct world_mail mail = { .envelope.sender = "s@a2.test",
		.envelope.rcpts = &rcpt,
		.envelope.nrcpts = 1,
		.options.hold = true };
	char answer[4096];

	world_begin(w);
	world_send_mail(w, &mail, "Subject: x\r\n\r\nhi\r\n");
	world_sleep(200);
	assert_int_equal(world_counters(w).attempts, 0);
	assert_int_equal(
	    world_ask(w, "release", w->id, answer, sizeof(answer)), 0);
	mail_host_expect(&w->hosts[0], 1, 0);
	world_await(w, 0);
}

/* The maintenance sleeps for minutes: it has to learn of what is due in a
 * second. */
static void
test_release_of_what_waits(void **state)
{
	struct world *w = *state;
	struct mail_host *h = &w->hosts[0];
	char answer[4096];
	uint64_t begun;

	w->settings.retry_min_s = 6;
	w->settings.retry_max_s = 6;
	world_begin(w);
	world_send(w, "s@a2.test", "once@a1.test");
	mail_host_await(h, &h->offers, 1);
	world_sleep(300);
	assert_int_equal(
	    world_ask(w, "hold", w->id, answer, sizeof(answer)), 0);
	/* For the maintenance to go to sleep. */
	world_sleep(2500);
	assert_int_equal(
	    world_ask(w, "release", w->id, answer, sizeof(answer)), 0);
	begun = smtpd__clock_ms();
	mail_host_expect(h, 1, 0);
	assert_true(smtpd__clock_ms() - begun < 8000);
}

static void
test_hold_while_active(void **state)
{
	struct world *w = *state;
	struct mail_host *h = &w->hosts[0];
	char answer[4096];

	world_begin(w);
	world_send(w, "s@a2.test", "slow@a1.test later@a1.test");
	mail_host_await(h, &h->offers, 2);
	assert_int_equal(
	    world_ask(w, "hold", w->id, answer, sizeof(answer)), 0);
	mail_host_expect(h, 1, 0);
	world_sleep(1800);
	assert_int_equal(mail_host_figure(h, &h->offers), 2);
	assert_int_equal(world_counters(w).messages, 1);
	assert_int_equal(
	    world_ask(w, "release", w->id, answer, sizeof(answer)), 0);
	mail_host_await(h, &h->offers, 3);
	assert_int_equal(mail_host_copies(h, "slow@a1.test"), 1);
	assert_int_equal(
	    world_ask(w, "remove", w->id, answer, sizeof(answer)), 0);
	world_await(w, 0);
}

static void
test_remove(void **state)
{
	struct world *w = *state;
	struct mail_host *h = &w->hosts[0];
	char answer[4096];

	world_begin(w);
	/* While it waits, ... */
	world_send(w, "s@a2.test", "later@a1.test");
	mail_host_await(h, &h->offers, 1);
	assert_int_equal(
	    world_ask(w, "remove", w->id, answer, sizeof(answer)), 0);
	world_await(w, 0);
	assert_int_equal(
	    world_ask(w, "remove", w->id, answer, sizeof(answer)), ENOENT);
	/* ... and while it is tried. */
	world_send(w, "s@a2.test", "slow@a1.test later@a1.test");
	mail_host_await(h, &h->offers, 3);
	assert_int_equal(
	    world_ask(w, "remove", w->id, answer, sizeof(answer)), 0);
	world_await(w, 0);
	mail_host_expect(h, 1, 1500);
	assert_int_equal(mail_host_figure(h, &h->offers), 3);
	assert_int_equal(world_counters(w).reports, 0);
}

/* Removals between the moments when a message is taken, tried and put back. */
static void
test_remove_at_any_moment(void **state)
{
	struct world *w = *state;
	char answer[4096];

	world_begin(w);
	for (int i = 0; i < 150; i++) {
		world_send(w, "s@a2.test", "later@a1.test once@a2.test");
		if (i % 3 == 0)
			world_sleep(i % 5);
		if (i % 2 == 0)
			world_ask(w, "hold", w->id, answer, sizeof(answer));
		if (i % 4 == 0)
			world_ask(w, "release", w->id, answer, sizeof(answer));
		world_ask(w, "flush", w->id, answer, sizeof(answer));
		assert_int_equal(
		    world_ask(w, "remove", w->id, answer, sizeof(answer)), 0);
	}
	world_await(w, 0);
	/* Whatever is due by mistake is due by then. */
	world_sleep(1500);
	world_send(w, "s@a2.test", "one@a3.test");
	mail_host_expect(&w->hosts[2], 1, 0);
}

static void
test_flush(void **state)
{
	struct world *w = *state;
	char answer[4096];

	w->settings.retry_min_s = 600;
	w->settings.retry_max_s = 600;
	world_begin(w);
	world_send(w, "s@a2.test", "once@a1.test");
	mail_host_await(&w->hosts[0], &w->hosts[0].offers, 1);
	world_sleep(200);
	/* O25: the list says why it waits. */
	assert_int_equal(world_ask(w, "list", NULL, answer, sizeof(answer)), 0);
	assert_non_null(strstr(answer, "\n              reason: 450 4.2.0 "));
	assert_int_equal(
	    world_ask(w, "flush", "a1.test", answer, sizeof(answer)), 0);
	assert_string_equal(answer, "flushed 1 message\n");
	mail_host_expect(&w->hosts[0], 1, 0);
	/* O21: what the operator does is logged. */
	assert_int_equal(
	    world_logged(w, " 1 message flushed by the operator\n"), 1);
	world_send(w, "s@a2.test", "later@a1.test");
	assert_int_equal(world_ask(w, "hold", w->id, answer, 4096), 0);
	assert_int_equal(world_ask(w, "release", w->id, answer, 4096), 0);
	assert_int_equal(world_ask(w, "remove", w->id, answer, 4096), 0);
	assert_int_equal(world_logged(w, "status=held by the operator\n"), 1);
	assert_int_equal(
	    world_logged(w, "status=released by the operator\n"), 1);
	assert_int_equal(
	    world_logged(w, "status=removed by the operator\n"), 1);
}

/* The id in the Message-ID field behind AT. */
static const char *
message_id_behind(const char *at, char id[SMTPD_QUEUE_ID_SIZE])
{
	at = at != NULL ? strstr(at, "\nMessage-ID: <") : NULL;
	assert_non_null(at);
	at = strchr(at, '<') + 1;
	snprintf(id, SMTPD_QUEUE_ID_SIZE, "%s", at);
	return at;
}

/* S19: the Message-ID of a message and of a report is what the queue calls it,
 * and nothing else. */
static void
message_ids_are_queue_ids(void **state)
{
	struct world *w = *state;
	struct smtpd_outgoing_rcpt rcpt = { SMTPD_OUTGOING_RCPT_INIT,
		.address = "no@a1.test" };
	struct world_mail mail = { .envelope.sender = "s@a2.test",
		.envelope.rcpts = &rcpt,
		.envelope.nrcpts = 1,
		.options.fix = SMTPD_FIX_MESSAGE_ID };
	char ids[50][SMTPD_QUEUE_ID_SIZE];
	const size_t count = sizeof(ids) / sizeof(ids[0]);

	w->settings.max_reports = SMTPD_NO_LIMIT;
	world_begin(w);
	for (size_t i = 0; i < count; i++) {
		world_send_mail(w, &mail, "Subject: x\r\n\r\nhi\r\n");
		memcpy(ids[i], w->id, sizeof(ids[i]));
	}
	mail_host_expect(&w->hosts[1], count, 0);
	world_await(w, 0);
	for (size_t i = 0; i < count; i++) {
		const char *at = mail_host_message(&w->hosts[1], i)->data;
		char id[SMTPD_QUEUE_ID_SIZE], text[64];
		size_t found = 0;

		at = message_id_behind(at, id);
		snprintf(text, sizeof(text), "id=%s to=<s@a2.test>", id);
		assert_int_equal(world_logged(w, text), 1);
		message_id_behind(strstr(at, "X-Queue-ID:"), text);
		for (size_t k = 0; k < count; k++) {
			assert_string_not_equal(ids[k], id);
			found += strcmp(ids[k], text) == 0;
		}
		assert_int_equal(found, 1);
	}
}

static void
test_one_process_at_a_time(void **state)
{
	struct world *w = *state;
	char error[256];

	world_open(w);
	assert_null(
	    smtpd_queue_open(w->path, &w->settings, error, sizeof(error)));
	assert_int_equal(errno, EBUSY);
	assert_true(error[0] != '\0');
}

static void
test_defaults(void **state)
{
	struct world *w = *state;
	char error[256];
	struct smtpd_queue *q =
	    smtpd_queue_open(w->path, NULL, error, sizeof(error));

	if (q == NULL)
		fail_msg("%s", error);
	smtpd_queue_close(q);
	smtpd_queue_close(NULL);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_delivers),
		TEST(a_literal_is_a_relay),
		TEST(test_starts_with_a_backlog),
		TEST(test_tries_again),
		TEST(test_mixed_recipients),
		TEST(test_domains_apart),
		TEST(test_connection_is_used_again),
		TEST(test_domain_joins_a_full_site),
		TEST(test_retry_at_a_full_site),
		TEST(test_idle_connections_stand_back),
		TEST(test_limits_of_workers_and_sites),
		TEST(test_no_job_is_left_behind),
		TEST(test_dead_site_costs_one_probe),
		TEST(trouble_is_told_once),
		TEST(silent_dns_is_told_once),
		TEST(dead_sites_alone_are_no_outage),
		TEST(a_backlog_is_closed_in_order),
		TEST(test_idle_queue_sleeps),
		TEST(test_stop_breaks_off),
		TEST(test_stop_while_looking_up),
		TEST(test_stop_lets_finish),
		TEST(test_hold_and_release),
		TEST(test_release_of_what_waits),
		TEST(test_hold_while_active),
		TEST(test_remove),
		TEST(test_remove_at_any_moment),
		TEST(test_flush),
		TEST(message_ids_are_queue_ids),
		TEST(test_one_process_at_a_time),
		TEST(test_defaults),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
