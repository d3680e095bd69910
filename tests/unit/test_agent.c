/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd.h>

#include "certs.h"
#include "file_content.h"
#include "os/clock.h"
#include "queue/delivery/agent_state.h"
#include "scripted.h"

#include "test.h"

#define HOSTS     3
#define RCPTS_MAX 130

#define OPP      SMTPD_SECURITY_OPPORTUNISTIC
#define REQUIRED SMTPD_SECURITY_REQUIRED
#define FINE     SMTPD_SITE_FINE
#define BUSY     SMTPD_SITE_BUSY
#define DOWN     SMTPD_SITE_DOWN

/* Pieces of scripts. */
#define HI      "< 220 x\n> EHLO me\n"
#define HELLO   HI "< 250-x\n< 250 DSN\n"
#define MAIL    "> MAIL\n< 250 x\n"
#define RCPT(x) "> RCPT\n< " x "\n"
#define DATA    "> DATA\n< 354 x\ndata\n"
#define TAKEN   "< 250 2.0.0 taken\n"
#define RSET    "> RSET\n< 250 x\n"
#define QUIT    "> QUIT\n< 221 x\n"
#define SEND    MAIL RCPT("250 x") DATA TAKEN
#define PUTOFF  MAIL RCPT("450 4.2.0 later") RSET
#define OFFER   HI "< 250-x\n< 250 STARTTLS\n> STARTTLS\n"
#define BROKEN  OFFER "< 220 go\n"

/* Agents, what they share, and a loaded of theirs. */
struct world {
	struct smtpd_client_settings client;
	struct smtpd_agent_settings settings;
	struct smtpd_agent *agent;

	struct scripted peers[HOSTS];
	bool up[HOSTS];
	uint16_t port;
	struct smtpd_target list[HOSTS];
	const struct smtpd_target *other; /* instead of it; NULL: none */
	size_t nhosts;
	struct smtpd_route route;

	struct smtpd_outgoing_rcpt rcpts[RCPTS_MAX];
	char addresses[RCPTS_MAX][32];
	struct smtpd_loaded_message loaded;
	struct file_content large;

	struct smtpd_rcpt_progress progress[RCPTS_MAX];
	struct smtpd_delivery_request request;
	struct smtpd_delivery_result end;
	char trail_text[16384];
	struct smtpd_text history;
	char log[8192];
	struct smtpd_text log_text;
};

static char site[] = "mx";

static void
keep_log(enum smtpd_log_level level, const char *text, void *user)
{
	struct world *w = user;

	assert_int_equal(level, SMTPD_LOG_INFO);
	smtpd__text_add(&w->log_text, text);
	smtpd__text_byte(&w->log_text, '\n');
}

static void
make_letter(struct world *w)
{
	static const char content[] = "Subject: x\r\n\r\nhi\r\n";

	for (size_t i = 0; i < RCPTS_MAX; i++) {
		snprintf(w->addresses[i], sizeof(w->addresses[i]),
		    "r%zu@example.org", i);
		w->rcpts[i] =
		    (struct smtpd_outgoing_rcpt){ SMTPD_OUTGOING_RCPT_INIT,
			    .address = w->addresses[i] };
	}
	w->loaded = (struct smtpd_loaded_message){
		.id = 7,
		.arrived_ms = smtpd__clock_wall_ms() - 65000,
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "s@example.net",
			.rcpts = w->rcpts,
			.nrcpts = RCPTS_MAX,
		},
		.content = content,
		.size = strlen(content),
	};
}

static void
set_policy(struct world *w, enum smtpd_security level, bool first)
{
	w->route.policy = (struct smtpd_tls_policy){
		.level = level, .first = first, .reason = "the test"
	};
	smtpd__tls_policy_identify(&w->route.policy);
}

static struct world *
make_world(void)
{
	static const char *const names[] = { "mx1.example", "mx2.example",
		"mx3.example" };
	struct world *w = calloc(1, sizeof(*w));
	char address[32];

	w->client = (struct smtpd_client_settings){
		SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = "me",
		.connect_ms = 5000,
		.greeting_ms = 5000,
		.quit_ms = 2000,
		.tls_ms = 5000,
	};
	w->settings = (struct smtpd_agent_settings){
		.client = &w->client,
		.hosts = smtpd__hoststat_create(),
		.logger = { keep_log, w, SMTPD_LOG_INFO },
	};
	w->agent = smtpd__agent_create(&w->settings);
	for (size_t i = 0; i < HOSTS; i++) {
		snprintf(address, sizeof(address), "127.0.0.%zu", i + 1);
		w->list[i] = scripted_target(address, names[i]);
		w->list[i].preference = (uint16_t)(10 * i);
	}
	w->nhosts = HOSTS;
	w->route.site = site;
	set_policy(w, OPP, false);
	make_letter(w);
	return w;
}

static void
end_world(struct world *w)
{
	smtpd__agent_destroy(w->agent);
	smtpd__hoststat_destroy(w->settings.hosts);
	free(w);
}

/* Let the hosts say SCRIPTS; NULL: that one is dead. */
static void
start(struct world *w, const char *const scripts[HOSTS])
{
	scripted_bind(w->peers, HOSTS);
	w->port = w->peers[0].port;
	for (size_t i = 0; i < HOSTS; i++) {
		w->up[i] = scripts[i] != NULL;
		if (w->up[i])
			scripted_listen(&w->peers[i], scripts[i]);
	}
	w->route.port = w->port;
}

/* End them; CAME is how many connections each had: "1 0 2", "-" for a dead
 * one. */
static void
finish(struct world *w, const char *came, const char *name)
{
	char got[32] = "";
	struct smtpd_text t;

	smtpd__text_init(&t, got, sizeof(got));
	for (size_t i = 0; i < HOSTS; i++) {
		if (i > 0)
			smtpd__text_byte(&t, ' ');
		scripted_finish(&w->peers[i]);
		if (!w->up[i]) {
			smtpd__text_byte(&t, '-');
			continue;
		}
		smtpd__text_number(&t, (uint64_t)w->peers[i].connections);
	}
	if (strcmp(got, came) != 0)
		fail_msg("%s: connections %s, not %s\n%s", name, got, came,
		    w->trail_text);
}

/* Send to COUNT recipients. */
static void
deliver(struct world *w, size_t count, bool plain_allowed)
{
	memset(w->progress, 0x55, sizeof(w->progress));
	for (size_t i = 0; i < count; i++)
		w->progress[i].rcpt = (uint32_t)i;
	smtpd__text_init(&w->history, w->trail_text, sizeof(w->trail_text));
	smtpd__text_init(&w->log_text, w->log, sizeof(w->log));
	w->request = (struct smtpd_delivery_request){
		.loaded = &w->loaded,
		.route = &w->route,
		.plain_allowed = plain_allowed,
		.rcpts = w->progress,
		.nrcpts = count,
		.history = &w->history,
	};
	w->route.targets =
	    scripted_targets(w->other != NULL ? w->other : w->list, w->nhosts);
	smtpd__agent_deliver(w->agent, &w->request, &w->end);
	smtpd_targets_free(w->route.targets);
}

/* What became of the recipients: for each the outcome, the host that said so,
 * and the code or, without one, the status; "!" where FINISHED is wrong. */
static void
write_results(const struct world *w, size_t count, char *buf, size_t size)
{
	static const char letters[] = "STPU";
	struct smtpd_text t;

	smtpd__text_init(&t, buf, size);
	for (size_t i = 0; i < count; i++) {
		const struct smtpd_rcpt_progress *p = &w->progress[i];
		const struct smtpd_result *r = &p->result;

		if (i > 0)
			smtpd__text_byte(&t, ' ');
		smtpd__text_byte(&t, letters[r->outcome]);
		smtpd__text_byte(&t, p->host[0] != '\0' ? p->host[2] : '0');
		smtpd__text_byte(&t, ':');
		if (r->code != 0)
			smtpd__text_number(&t, (uint64_t)r->code);
		else
			smtpd__text_add(&t, r->status);
		if (p->finished !=
		    (r->outcome == SMTPD_OUTCOME_SENT ||
			r->outcome == SMTPD_OUTCOME_PERMANENT))
			smtpd__text_byte(&t, '!');
	}
}

static void
expect(const struct world *w, size_t count, const char *results,
    enum smtpd_site_feedback feedback, const char *name)
{
	char got[4096];

	write_results(w, count, got, sizeof(got));
	if (strcmp(got, results) != 0)
		fail_msg(
		    "%s: %s, not %s\n%s", name, got, results, w->trail_text);
	if (w->end.feedback != feedback)
		fail_msg("%s: the site is %d, not %d\n%s", name,
		    (int)w->end.feedback, (int)feedback, w->trail_text);
	if (feedback != FINE)
		assert_true(w->end.why.outcome == SMTPD_OUTCOME_TEMPORARY &&
		    w->end.why.status[0] == '4' &&
		    strncmp(w->end.why.text, "mx", 2) == 0);
}

/* At most three are talked to, and any number tried to connect to. */
static void
three_hosts_are_talked_to(void **state)
{
	static const char *const names[] = { "mx0", "mx1", "mx2", "mx3", "mx4",
		"mx5", "mx6", "mx7" };
	struct world *w = make_world();
	struct smtpd_target list[8];
	struct scripted peers[8];

	(void)state;
	scripted_bind(peers, 8);
	for (size_t i = 0; i < 8; i++) {
		list[i] = peers[i].target;
		list[i].host = names[i];
		if (i >= 2)
			scripted_listen(
			    &peers[i], i == 3 ? "< 554 x\n" : HELLO "> MAIL\n");
	}
	w->other = list;
	w->nhosts = 8;
	w->route.port = peers[0].port;
	deliver(w, 1, false);
	expect(w, 1, "T5:4.4.2", FINE, "three");
	for (size_t i = 0; i < 8; i++) {
		scripted_finish(&peers[i]);
		assert_int_equal(peers[i].connections, i >= 2 && i <= 5);
	}
	end_world(w);
}

/* The second time the dead one comes last. */
static void
a_dead_host_is_remembered(void **state)
{
	const char *first[HOSTS] = { NULL, HELLO SEND QUIT, "" };
	const char *second[HOSTS] = { "", HELLO SEND QUIT, "" };
	const char *none[HOSTS] = { NULL, NULL, NULL };
	const char *third[HOSTS] = { HELLO SEND QUIT, NULL, NULL };
	struct world *w = make_world();
	struct smtpd_hoststat *hosts = w->settings.hosts;

	(void)state;
	start(w, first);
	deliver(w, 1, false);
	smtpd__agent_quit(w->agent);
	expect(w, 1, "S2:250", FINE, "first");
	finish(w, "- 1 0", "first");
	assert_true(smtpd__hoststat_is(
	    hosts, &w->list[0], SMTPD_HOST_DOWN, smtpd__clock_ms()));
	assert_false(smtpd__hoststat_is(
	    hosts, &w->list[1], SMTPD_HOST_DOWN, smtpd__clock_ms()));

	start(w, second);
	deliver(w, 1, false);
	smtpd__agent_quit(w->agent);
	expect(w, 1, "S2:250", FINE, "second");
	finish(w, "0 1 0", "second");

	/* Last, but not never. */
	start(w, none);
	deliver(w, 1, false);
	expect(w, 1, "T0:4.4.1", DOWN, "none");
	assert_memory_equal(w->progress[0].result.text, "mx1.example: ", 13);
	start(w, third);
	deliver(w, 1, false);
	smtpd__agent_quit(w->agent);
	expect(w, 1, "S1:250", FINE, "third");
	finish(w, "1 - -", "third");
	assert_false(smtpd__hoststat_is(
	    hosts, &w->list[0], SMTPD_HOST_DOWN, smtpd__clock_ms()));
	end_world(w);
}

/* One that connects and says nothing costs its time-out, too; what says no does
 * not. */
static void
a_mute_host_is_remembered(void **state)
{
	const char *scripts[HOSTS] = { "", "< 554 x\n", "< 421 x\n" };
	struct world *w = make_world();
	struct smtpd_hoststat *hosts = w->settings.hosts;
	uint64_t now = smtpd__clock_ms();

	(void)state;
	start(w, scripts);
	deliver(w, 1, false);
	expect(w, 1, "T3:421", BUSY, "mute");
	finish(w, "1 1 1", "mute");
	assert_true(
	    smtpd__hoststat_is(hosts, &w->list[0], SMTPD_HOST_DOWN, now));
	assert_false(
	    smtpd__hoststat_is(hosts, &w->list[1], SMTPD_HOST_DOWN, now));
	assert_false(
	    smtpd__hoststat_is(hosts, &w->list[2], SMTPD_HOST_DOWN, now));
	end_world(w);
}

/* Who was put off by a good host does not wait for a dead one. */
static void
a_bad_host_is_not_worth_it(void **state)
{
	const char *scripts[HOSTS] = { HELLO PUTOFF QUIT, "", "" };
	struct world *w = make_world();

	(void)state;
	start(w, scripts);
	smtpd__hoststat_note(w->settings.hosts, &w->list[1], SMTPD_HOST_SILENT,
	    smtpd__clock_ms());
	smtpd__hoststat_note(w->settings.hosts, &w->list[2], SMTPD_HOST_SILENT,
	    smtpd__clock_ms());
	deliver(w, 1, false);
	smtpd__agent_quit(w->agent);
	expect(w, 1, "T1:450", FINE, "put off");
	finish(w, "1 0 0", "put off");
	end_world(w);
}

/* An address that fails is tried after the others of its host. */
static void
addresses_of_a_host_are_remembered(void **state)
{
	const char *first[HOSTS] = { NULL, HELLO SEND QUIT, "" };
	const char *second[HOSTS] = { "", HELLO SEND QUIT, "" };
	struct world *w = make_world();

	(void)state;
	w->list[1].host = w->list[0].host;
	start(w, first);
	deliver(w, 1, false);
	smtpd__agent_quit(w->agent);
	expect(w, 1, "S1:250", FINE, "first");
	finish(w, "- 1 0", "first");
	start(w, second);
	deliver(w, 1, false);
	smtpd__agent_quit(w->agent);
	expect(w, 1, "S1:250", FINE, "second");
	finish(w, "0 1 0", "second");
	end_world(w);
}

/* What waits for plain text says so. */
static void
a_young_message_knows_why_it_waits(void **state)
{
	const char *scripts[HOSTS] = { "", NULL, NULL };
	struct world *w = make_world();

	(void)state;
	start(w, scripts);
	w->nhosts = 1;
	smtpd__hoststat_note(w->settings.hosts, &w->list[0],
	    SMTPD_HOST_TLS_FAILED, smtpd__clock_ms());
	deliver(w, 1, false);
	expect(w, 1, "T0:4.7.0", FINE, "waits");
	assert_non_null(strstr(w->trail_text, "mx1.example: 4.7.0 TLS failed"));
	finish(w, "0 - -", "waits");
	end_world(w);
}

/* A script of N transactions of the recipients from FIRST on up to END. */
static void
write_transactions(
    struct smtpd_text *t, unsigned first, unsigned end, bool taken)
{
	while (first < end) {
		unsigned stop = first + 50 < end ? first + 50 : end;

		smtpd__text_add(t, MAIL);
		for (; first < stop; first++)
			smtpd__text_format(
			    t, "> RCPT TO:<r%u@example.org>\n< 250 x\n", first);
		smtpd__text_add(t, DATA);
		smtpd__text_add(t, taken ? TAKEN : "");
	}
}

static void
many_recipients_take_turns(void **state)
{
	static char script[32768];
	const char *scripts[HOSTS] = { script, "", "" };
	struct world *w = make_world();
	struct smtpd_text t;

	(void)state;
	smtpd__text_init(&t, script, sizeof(script));
	smtpd__text_add(&t, HELLO);
	write_transactions(&t, 0, 120, true);
	smtpd__text_add(&t, QUIT);
	assert_false(t.cut);
	start(w, scripts);
	deliver(w, 120, false);
	assert_true(smtpd__agent_is_open(w->agent));
	smtpd__agent_quit(w->agent);
	for (size_t i = 0; i < 120; i++)
		assert_int_equal(
		    w->progress[i].result.outcome, SMTPD_OUTCOME_SENT);
	assert_int_equal(w->end.feedback, FINE);
	finish(w, "1 0 0", "many");
	end_world(w);
}

/* The first transaction is taken, the second lost at its dot: what was not sent
 * yet goes to the next host, nothing else does. */
static void
only_what_was_not_sent_goes_on(void **state)
{
	static char one[32768], two[32768];
	const char *scripts[HOSTS] = { one, two, "" };
	struct world *w = make_world();
	struct smtpd_text t;

	(void)state;
	smtpd__text_init(&t, one, sizeof(one));
	smtpd__text_add(&t, HELLO);
	write_transactions(&t, 0, 50, true);
	write_transactions(&t, 50, 100, false);
	smtpd__text_init(&t, two, sizeof(two));
	smtpd__text_add(&t, HELLO);
	write_transactions(&t, 100, 120, true);
	smtpd__text_add(&t, QUIT);
	start(w, scripts);
	deliver(w, 120, false);
	smtpd__agent_quit(w->agent);
	for (size_t i = 0; i < 120; i++) {
		const struct smtpd_rcpt_progress *p = &w->progress[i];

		assert_int_equal(p->result.outcome,
		    i >= 50 && i < 100 ? SMTPD_OUTCOME_IN_DOUBT
				       : SMTPD_OUTCOME_SENT);
		assert_int_equal(p->finished, i < 50 || i >= 100);
		assert_string_equal(
		    p->host, i < 100 ? "mx1.example" : "mx2.example");
	}
	assert_true(w->end.in_doubt);
	finish(w, "1 1 0", "not sent");
	end_world(w);
}

/* RSET that is refused for good says nothing of those who come after. */
static void
an_old_refusal_is_no_new_one(void **state)
{
	static char one[32768], two[32768];
	const char *scripts[HOSTS] = { one, two, "" };
	struct world *w = make_world();
	struct smtpd_text t;

	(void)state;
	smtpd__text_init(&t, one, sizeof(one));
	smtpd__text_add(&t, HELLO MAIL);
	for (unsigned i = 0; i < 50; i++)
		smtpd__text_add(&t, RCPT("550 x"));
	smtpd__text_add(&t, "> RSET\n< 502 x\n");
	smtpd__text_init(&t, two, sizeof(two));
	smtpd__text_add(&t, HELLO);
	write_transactions(&t, 50, 51, true);
	smtpd__text_add(&t, QUIT);
	start(w, scripts);
	deliver(w, 51, false);
	smtpd__agent_quit(w->agent);
	assert_int_equal(
	    w->progress[0].result.outcome, SMTPD_OUTCOME_PERMANENT);
	assert_int_equal(w->progress[50].result.outcome, SMTPD_OUTCOME_SENT);
	finish(w, "1 1 0", "old refusal");
	end_world(w);
}

/* Letters over one connection. */
static void
a_connection_serves_many(void **state)
{
	const char *scripts[HOSTS] = { HELLO SEND SEND PUTOFF QUIT,
		HELLO SEND SEND QUIT, "" };
	struct world *w = make_world();

	(void)state;
	start(w, scripts);
	assert_false(smtpd__agent_is_open(w->agent));
	deliver(w, 1, false);
	assert_true(smtpd__agent_is_open(w->agent));
	deliver(w, 1, false);
	expect(w, 1, "S1:250", FINE, "second");
	assert_true(w->end.dsn);
	assert_non_null(strstr(w->trail_text, "connection kept open"));
	/* Who is put off does not come back to the same host. */
	deliver(w, 1, false);
	expect(w, 1, "S2:250", FINE, "third");
	deliver(w, 1, false);
	expect(w, 1, "S2:250", FINE, "fourth");
	smtpd__agent_quit(w->agent);
	assert_false(smtpd__agent_is_open(w->agent));
	smtpd__agent_quit(w->agent);
	finish(w, "1 1 0", "many letters");
	end_world(w);
}

static void
a_connection_serves_a_hundred(void **state)
{
	static char script[32768];
	const char *scripts[HOSTS] = { script, "", "" };
	struct world *w = make_world();
	struct smtpd_text t;

	(void)state;
	smtpd__text_init(&t, script, sizeof(script));
	smtpd__text_add(&t, HELLO);
	for (int i = 0; i < 100; i++)
		smtpd__text_add(&t, SEND);
	smtpd__text_add(&t, QUIT "next\n" HELLO SEND QUIT);
	assert_false(t.cut);
	start(w, scripts);
	for (int i = 0; i < 100; i++) {
		deliver(w, 1, false);
		assert_int_equal(smtpd__agent_is_open(w->agent), i < 99);
	}
	deliver(w, 1, false);
	expect(w, 1, "S1:250", FINE, "the last");
	smtpd__agent_quit(w->agent);
	finish(w, "2 0 0", "a hundred");
	end_world(w);
}

static void
a_connection_serves_five_minutes(void **state)
{
	const char *scripts[HOSTS] = { HELLO SEND QUIT "next\n" HELLO SEND QUIT,
		"", "" };
	struct world *w = make_world();

	(void)state;
	start(w, scripts);
	deliver(w, 1, false);
	w->agent->opened -= 299000;
	assert_true(smtpd__agent_is_open(w->agent));
	w->agent->opened -= 1000;
	assert_false(smtpd__agent_is_open(w->agent));
	deliver(w, 1, false);
	expect(w, 1, "S1:250", FINE, "late");
	assert_true(smtpd__agent_is_open(w->agent));
	smtpd__agent_quit(w->agent);
	finish(w, "2 0 0", "five minutes");
	end_world(w);
}

static void
a_connection_serves_one_site(void **state)
{
	static char other[] = "mx required";
	const char *scripts[HOSTS] = { HELLO SEND QUIT "next\n" HELLO, HELLO,
		HELLO };
	struct world *w = make_world();

	(void)state;
	start(w, scripts);
	deliver(w, 1, false);
	w->route.site = other;
	set_policy(w, REQUIRED, false);
	deliver(w, 1, true);
	expect(w, 1, "T3:4.7.4", DOWN, "required");
	finish(w, "2 1 1", "one site");
	end_world(w);
}

/* Only a loaded that may go in plain text itself. */
static void
a_connection_without_tls_is_not_for_the_young(void **state)
{
	const char *scripts[HOSTS] = { BROKEN "next\n" HELLO SEND SEND QUIT,
		HELLO SEND QUIT, "" };
	struct world *w;

	(void)state;
	if (!smtpd_tls_supported())
		skip();
	w = make_world();
	start(w, scripts);
	deliver(w, 1, true);
	expect(w, 1, "S1:250", FINE, "old");
	deliver(w, 1, true);
	expect(w, 1, "S1:250", FINE, "as old");
	deliver(w, 1, false);
	expect(w, 1, "S2:250", FINE, "young");
	smtpd__agent_quit(w->agent);
	finish(w, "2 1 0", "young");
	end_world(w);
}

/* How a host ends a connection that was not used for a while. */
static const char *const goodbyes[] = {
	HELLO SEND "next\n" HELLO SEND QUIT,
	HELLO SEND "< 421 4.4.2 idle\nnext\n" HELLO SEND QUIT,
	HELLO SEND "reset\nnext\n" HELLO SEND QUIT,
	HELLO SEND "> MAIL\n< 421 x\nnext\n" HELLO SEND QUIT,
};

static void
a_host_may_tire_of_waiting(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(goodbyes); i++) {
		const char *scripts[HOSTS] = { goodbyes[i], "", "" };
		struct world *w = make_world();

		start(w, scripts);
		deliver(w, 1, false);
		poll(NULL, 0, 50);
		deliver(w, 1, false);
		expect(w, 1, "S1:250", FINE, "tired");
		smtpd__agent_quit(w->agent);
		finish(w, "2 0 0", "tired");
		end_world(w);
	}
}

/* It did not when it had said something to this loaded. */
static void
a_host_that_broke_off_is_not_asked_again(void **state)
{
	static char script[8192];
	const char *at_rcpt[HOSTS] = { HELLO SEND MAIL "> RCPT\n",
		HELLO SEND QUIT, "" };
	const char *between[HOSTS] = { script, HELLO SEND QUIT, "" };
	struct world *w = make_world();
	struct smtpd_text t;

	(void)state;
	start(w, at_rcpt);
	deliver(w, 1, false);
	deliver(w, 1, false);
	expect(w, 1, "S2:250", FINE, "at RCPT");
	smtpd__agent_quit(w->agent);
	finish(w, "1 1 0", "at RCPT");

	smtpd__text_init(&t, script, sizeof(script));
	smtpd__text_add(&t, HELLO SEND);
	write_transactions(&t, 0, 50, true);
	smtpd__text_add(&t, "> MAIL\nnext\n");
	assert_false(t.cut);
	start(w, between);
	deliver(w, 1, false);
	deliver(w, 51, false);
	assert_string_equal(w->progress[49].host, "mx1.example");
	assert_string_equal(w->progress[50].host, "mx2.example");
	assert_int_equal(w->progress[50].result.outcome, SMTPD_OUTCOME_SENT);
	smtpd__agent_quit(w->agent);
	finish(w, "1 1 0", "between");
	end_world(w);
}

/* What was said then was said to this loaded. */
static void
a_lost_reply_over_an_old_connection_stays_lost(void **state)
{
	const char *scripts[HOSTS] = { HELLO SEND MAIL RCPT("250 x") DATA, "",
		"" };
	struct world *w = make_world();

	(void)state;
	start(w, scripts);
	deliver(w, 1, false);
	deliver(w, 1, false);
	expect(w, 1, "U1:4.4.2", FINE, "lost");
	assert_true(w->end.in_doubt);
	assert_false(smtpd__agent_is_open(w->agent));
	finish(w, "1 0 0", "lost");
	end_world(w);
}

static void
a_trail_tells_what_was_done(void **state)
{
	const char *scripts[HOSTS] = { "< 554 5.7.1 no\n",
		HELLO MAIL RCPT("250 x") RCPT("450 4.2.0 try \"later\"")
		    DATA TAKEN QUIT,
		HELLO PUTOFF QUIT };
	struct world *w = make_world();
	char want[2048];

	(void)state;
	w->rcpts[0].address = "\"> status=sent\"@example.org";
	start(w, scripts);
	deliver(w, 2, false);
	smtpd__agent_quit(w->agent);
	expect(w, 2, "S2:250 T3:450", FINE, "history");
	snprintf(want, sizeof(want),
	    "mx1.example: 554 5.7.1 no\n"
	    "mx2.example [127.0.0.2]:%u: not encrypted\n"
	    "rcpt \"> status=sent\"@example.org: 250 2.0.0 taken "
	    "(mx2.example)\n"
	    "rcpt r1@example.org: 450 4.2.0 try \"later\" (mx2.example)\n"
	    "mx3.example [127.0.0.3]:%u: not encrypted\n"
	    "rcpt r1@example.org: 450 4.2.0 later (mx3.example)\n",
	    w->port, w->port);
	assert_string_equal(w->trail_text, want);
	snprintf(want, sizeof(want),
	    "to=<???status=sent?@example.org> "
	    "relay=mx2.example[127.0.0.2]:%u tls=none delay=65 dsn=2.0.0 "
	    "status=sent reply=\"250 taken\"\n",
	    w->port);
	assert_memory_equal(w->log, "id=", 3);
	assert_memory_equal(strchr(w->log, ' ') + 1, want, strlen(want));
	snprintf(want, sizeof(want),
	    "to=<r1@example.org> relay=mx3.example[127.0.0.3]:%u tls=none "
	    "delay=65 dsn=4.2.0 status=deferred reply=\"450 later\"\n",
	    w->port);
	assert_string_equal(strstr(w->log, "to=<r1"), want);
	finish(w, "1 1 1", "history");
	end_world(w);
}

static void
quotes_do_not_end_a_reply_in_the_log(void **state)
{
	const char *scripts[HOSTS] = {
		HELLO MAIL RCPT("550 5.1.1 no\" status=sent x=\"") RSET QUIT,
		"", ""
	};
	struct world *w = make_world();

	(void)state;
	start(w, scripts);
	deliver(w, 1, false);
	smtpd__agent_quit(w->agent);
	assert_non_null(strstr(
	    w->log, "status=bounced reply=\"550 no' status=sent x='\"\n"));
	finish(w, "1 0 0", "quotes");
	w->settings.logger.level = SMTPD_LOG_WARNING;
	start(w, scripts);
	deliver(w, 1, false);
	smtpd__agent_quit(w->agent);
	assert_string_equal(w->log, "");
	finish(w, "1 0 0", "quotes");
	end_world(w);
}

/* Only what fits is in it. */
static void
a_trail_may_be_short(void **state)
{
	const char *scripts[HOSTS] = { HELLO SEND QUIT, "", "" };
	struct world *w = make_world();
	char small[8];
	struct smtpd_text t;

	(void)state;
	start(w, scripts);
	smtpd__text_init(&t, small, sizeof(small));
	smtpd__text_init(&w->log_text, w->log, sizeof(w->log));
	w->request = (struct smtpd_delivery_request){
		.loaded = &w->loaded,
		.route = &w->route,
		.rcpts = w->progress,
		.nrcpts = 1,
		.history = &t,
	};
	w->route.targets =
	    scripted_targets(w->other != NULL ? w->other : w->list, w->nhosts);
	smtpd__agent_deliver(w->agent, &w->request, &w->end);
	smtpd_targets_free(w->route.targets);
	smtpd__agent_quit(w->agent);
	expect(w, 1, "S1:250", FINE, "short");
	assert_string_equal(small, "");
	finish(w, "1 0 0", "short");
	end_world(w);
}

/* What goes out with a message, from memory or a file, twice where it has to
 * be. */
static void
a_letter_goes_out_as_it_is(void **state)
{
	static const char offers[] =
	    HI "< 250-x\n< 250-8BITMIME\n< 250-SMTPUTF8\n< 250 DSN\n"
	       "> MAIL FROM:<s@example.net> BODY=8BITMIME SMTPUTF8 RET=HDRS "
	       "ENVID=e1\n< 250 x\n"
	       "> RCPT TO:<r1@example.org> NOTIFY=NEVER ORCPT=rfc822;o@x\n"
	       "< 250 x\n" DATA "< 451 x\n" QUIT;
	static const char again[] = HI "< 250-x\n< 250 SMTPUTF8\n" SEND QUIT;
	const char *scripts[HOSTS] = { offers, again, NULL };

	(void)state;
	for (int file = 0; file <= 1; file++) {
		struct world *w = make_world();
		FILE *f = tmpfile();

		fputs(w->loaded.content, f);
		fflush(f);
		if (file) {
			file_content_init(&w->large, fileno(f));
			w->loaded.large = &w->large.reader;
			w->loaded.content = NULL;
		}
		w->loaded.envelope.ret = "HDRS";
		w->loaded.envelope.envid = "e1";
		w->loaded.envelope.eight_bit = true;
		w->loaded.envelope.utf8 = true;
		w->rcpts[1].notify = "NEVER";
		w->rcpts[1].orcpt = "rfc822;o@x";
		start(w, scripts);
		smtpd__text_init(
		    &w->history, w->trail_text, sizeof(w->trail_text));
		smtpd__text_init(&w->log_text, w->log, sizeof(w->log));
		w->progress[0].rcpt = 1;
		w->request = (struct smtpd_delivery_request){
			.loaded = &w->loaded,
			.route = &w->route,
			.rcpts = w->progress,
			.nrcpts = 1,
			.history = &w->history,
		};
		w->route.targets = scripted_targets(
		    w->other != NULL ? w->other : w->list, w->nhosts);
		smtpd__agent_deliver(w->agent, &w->request, &w->end);
		smtpd_targets_free(w->route.targets);
		smtpd__agent_quit(w->agent);
		expect(w, 1, "S2:250", FINE, "loaded");
		finish(w, "1 1 -", "loaded");
		for (int i = 0; i < 2; i++)
			assert_memory_equal(w->peers[i].data,
			    "Subject: x\n\nhi\n", w->peers[i].data_len);
		assert_int_equal(w->peers[1].data_len, 15);
		end_world(w);
		fclose(f);
	}
}

static void *
trigger_soon(void *cancel)
{
	poll(NULL, 0, 100);
	smtpd_cancel_trigger(cancel);
	return NULL;
}

/* Where cancelling finds it. */
static const struct {
	const char *name, *script, *results;
} cancelled[] = {
	{ "greeting", "hold\n", "T1:4.3.2 T1:4.3.2" },
	{ "MAIL", HELLO "> MAIL\nhold\n", "T1:4.3.2 T1:4.3.2" },
	{ "RCPT", HELLO MAIL RCPT("550 x") "hold\n", "P1:550 T1:4.3.2" },
	{ "dot", HELLO MAIL RCPT("250 x") RCPT("450 x") DATA "hold\n",
	    "U1:4.4.2 T1:450" },
};

static void
cancelling_blames_nobody(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cancelled); i++) {
		const char *scripts[HOSTS] = { cancelled[i].script, "", "" };
		struct world *w = make_world();
		struct smtpd_cancel *cancel = smtpd_cancel_create();
		pthread_t thread;
		char got[256];

		w->client.cancel = cancel;
		start(w, scripts);
		pthread_create(&thread, NULL, trigger_soon, cancel);
		deliver(w, 2, true);
		pthread_join(thread, NULL);
		write_results(w, 2, got, sizeof(got));
		if (strcmp(got, cancelled[i].results) != 0)
			fail_msg("%s: %s", cancelled[i].name, got);
		assert_int_equal(w->end.feedback, FINE);
		assert_false(smtpd__hoststat_is(w->settings.hosts, &w->list[0],
		    SMTPD_HOST_DOWN, smtpd__clock_ms()));
		finish(w, "1 0 0", cancelled[i].name);

		/* From the beginning. */
		start(w, (const char *[]){ "", "", "" });
		deliver(w, 2, true);
		expect(w, 2, "T0:4.3.2 T0:4.3.2", FINE, "cancelled before");
		finish(w, "0 0 0", "cancelled before");
		end_world(w);
		smtpd_cancel_destroy(cancel);
	}
}

/* Whatever there was before. */
static void
cancelling_closes_no_site(void **state)
{
	const char *scripts[HOSTS] = { NULL, "hold\n", NULL };
	struct world *w = make_world();
	struct smtpd_cancel *cancel = smtpd_cancel_create();
	pthread_t thread;

	(void)state;
	w->client.cancel = cancel;
	start(w, scripts);
	pthread_create(&thread, NULL, trigger_soon, cancel);
	deliver(w, 1, true);
	pthread_join(thread, NULL);
	expect(w, 1, "T2:4.3.2", FINE, "cancelled");
	finish(w, "- 1 -", "cancelled");
	end_world(w);
	smtpd_cancel_destroy(cancel);
}

/* What we cannot read ourselves is no reason to bother other hosts. */
static void
trouble_of_our_own_ends_the_tour(void **state)
{
	const char *scripts[HOSTS] = {
		HELLO MAIL RCPT("250 x") "> DATA\n< 354 x\nhold\n", "", ""
	};
	struct world *w = make_world();
	FILE *f = tmpfile();

	(void)state;
	w->loaded.content = NULL;
	file_content_init(&w->large, fileno(f));
	w->loaded.large = &w->large.reader;
	start(w, scripts);
	deliver(w, 1, false);
	expect(w, 1, "T1:4.3.0", FINE, "unreadable");
	assert_false(smtpd__agent_is_open(w->agent));
	finish(w, "1 0 0", "unreadable");
	w->client.hostname = "no name";
	start(w, (const char *[]){ "", "", "" });
	smtpd__agent_destroy(w->agent);
	w->agent = smtpd__agent_create(&w->settings);
	deliver(w, 1, false);
	expect(w, 1, "T1:4.3.5", FINE, "no name");
	finish(w, "0 0 0", "no name");
	end_world(w);
	fclose(f);
}

/* A smarthost with TLS and AUTH: the library's own server. */
static int
take_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	(void)s, (void)c, (void)user;
	return 0;
}

/* "\0user\0pencil" */
static int
check_auth(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	(void)user;
	if (strcmp(c->argument, "PLAIN AHVzZXIAcGVuY2ls") == 0)
		return smtpd_reply(s, 235, "2.7.0", "welcome");
	return smtpd_reply(s, 535, "5.7.8", "who are you");
}

static int
discard(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	char buf[256];

	(void)s, (void)envelope, (void)user;
	while (smtpd_body_read(body, buf, sizeof(buf)) > 0)
		continue;
	return 0;
}

static struct smtpd_server *
start_server(uint16_t *port, uint16_t *tls_port)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "a.example" };
	struct smtpd_server *server = smtpd_server_create(&settings);
	struct smtpd_tls *tls = smtpd_tls_create(NULL);

	assert_int_equal(
	    smtpd_tls_add_files(tls, certs_at("a.pem"), certs_at("a.key")), 0);
	smtpd_server_set_tls(server, tls);
	smtpd_tls_unref(tls);
	smtpd_server_add_handler(server, "RCPT", take_rcpt, NULL);
	smtpd_server_add_handler(server, "AUTH", check_auth, NULL);
	smtpd_server_add_keyword(server, "AUTH PLAIN");
	smtpd_server_set_deliver(server, discard, NULL);
	assert_int_equal(smtpd_server_listen(server, "127.0.0.1:0", 0), 0);
	assert_int_equal(
	    smtpd_server_listen(server, "127.0.0.1:0", SMTPD_LISTEN_TLS), 0);
	assert_int_equal(smtpd_server_start(server), 0);
	*port = (uint16_t)strtoul(
	    strrchr(smtpd_server_address(server, 0), ':') + 1, NULL, 10);
	*tls_port = (uint16_t)strtoul(
	    strrchr(smtpd_server_address(server, 1), ':') + 1, NULL, 10);
	return server;
}

static const struct {
	const char *name;
	struct smtpd_smarthost smarthost;
	const char *host; /* by which its certificate is judged */
	enum smtpd_security security;
	const char *results;
	enum smtpd_site_feedback feedback;
	const char *tls; /* in the log */
} smart[] = {
	{ "AUTH", { .user = "user", .password = "pencil" }, "a.example",
	    REQUIRED, "Se:250", FINE, "/verified" },
	{ "AUTH, TLS first",
	    { .user = "user", .password = "pencil", .tls_first = true },
	    "a.example", REQUIRED, "Se:250", FINE, "/verified" },
	{ "no AUTH", { .user = NULL }, "a.example", OPP, "Se:250", FINE,
	    "/verified" },
	{ "unverified", { .user = NULL }, "b.example", OPP, "Se:250", FINE,
	    "/unverified" },
	{ "a wrong password", { .user = "user", .password = "pen" },
	    "a.example", REQUIRED, "Te:535", DOWN, NULL },
	{ "a wrong name", { .user = "user", .password = "pencil" }, "b.example",
	    REQUIRED, "Te:4.7.5", DOWN, NULL },
};

static void
a_smarthost_is_told_the_password(void **state)
{
	struct world *w;
	struct smtpd_server *server;
	uint16_t port, tls_port;
	char error[128];

	(void)state;
	if (!smtpd_tls_supported())
		skip();
	w = make_world();
	server = start_server(&port, &tls_port);
	w->client.trust =
	    smtpd_trust_create(certs_at("ca.pem"), error, sizeof(error));
	assert_non_null(w->client.trust);
	/* That of the client is for nobody. */
	w->client.user = "secret";
	w->client.password = "secret";
	w->nhosts = 1;
	for (size_t i = 0; i < COUNT(smart); i++) {
		char got[64];

		w->list[0].host = smart[i].host;
		w->route.smarthost = &smart[i].smarthost;
		set_policy(w, smart[i].security, smart[i].smarthost.tls_first);
		w->route.port = smart[i].smarthost.tls_first ? tls_port : port;
		deliver(w, 1, true);
		smtpd__agent_quit(w->agent);
		write_results(w, 1, got, sizeof(got));
		if (strcmp(got, smart[i].results) != 0 ||
		    w->end.feedback != smart[i].feedback ||
		    (smart[i].tls != NULL &&
			strstr(w->log, smart[i].tls) == NULL))
			fail_msg("%s: %s\n%s%s", smart[i].name, got,
			    w->trail_text, w->log);
		assert_null(strstr(w->trail_text, "pencil"));
	}
	smtpd_server_destroy(server);
	smtpd_trust_unref(w->client.trust);
	end_world(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_hosts_are_talked_to),
		cmocka_unit_test(a_dead_host_is_remembered),
		cmocka_unit_test(a_mute_host_is_remembered),
		cmocka_unit_test(a_bad_host_is_not_worth_it),
		cmocka_unit_test(addresses_of_a_host_are_remembered),
		cmocka_unit_test(a_young_message_knows_why_it_waits),
		cmocka_unit_test(many_recipients_take_turns),
		cmocka_unit_test(only_what_was_not_sent_goes_on),
		cmocka_unit_test(an_old_refusal_is_no_new_one),
		cmocka_unit_test(a_connection_serves_many),
		cmocka_unit_test(a_connection_serves_a_hundred),
		cmocka_unit_test(a_connection_serves_five_minutes),
		cmocka_unit_test(a_connection_serves_one_site),
		cmocka_unit_test(a_connection_without_tls_is_not_for_the_young),
		cmocka_unit_test(a_host_may_tire_of_waiting),
		cmocka_unit_test(a_host_that_broke_off_is_not_asked_again),
		cmocka_unit_test(
		    a_lost_reply_over_an_old_connection_stays_lost),
		cmocka_unit_test(a_trail_tells_what_was_done),
		cmocka_unit_test(quotes_do_not_end_a_reply_in_the_log),
		cmocka_unit_test(a_trail_may_be_short),
		cmocka_unit_test(a_letter_goes_out_as_it_is),
		cmocka_unit_test(cancelling_blames_nobody),
		cmocka_unit_test(cancelling_closes_no_site),
		cmocka_unit_test(trouble_of_our_own_ends_the_tour),
		cmocka_unit_test(a_smarthost_is_told_the_password),
	};

	return cmocka_run_group_tests(tests, certs_make, certs_remove);
}
