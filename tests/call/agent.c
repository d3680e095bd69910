/* SPDX-License-Identifier: MIT */
#include "agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd.h>

#include "../unit/scripted.h"
#include "../unit/test.h"
#include "os/clock.h"
#include "queue/delivery/agent.h"

#define RCPTS_MAX 10

struct world {
	const struct call_script *script;
	struct smtpd_client_settings client;
	struct smtpd_agent_settings settings;
	struct scripted peers[CALL_HOSTS];
	struct smtpd_target list[CALL_HOSTS];
	struct smtpd_targets *targets;
	struct smtpd_route route;
	struct smtpd_outgoing_rcpt rcpts[RCPTS_MAX];
	char addresses[RCPTS_MAX][40];
	struct smtpd_rcpt_progress progress[RCPTS_MAX];
	size_t nrcpts;
	struct smtpd_delivery_result end;
	char history[16384];
};

static enum smtpd_security
read_security(const struct call_script *s)
{
	const char *text = call_script_setting(s, "security");

	if (text != NULL && strcmp(text, "required") == 0)
		return SMTPD_SECURITY_REQUIRED;
	return text != NULL && strcmp(text, "none") == 0
	    ? SMTPD_SECURITY_NONE
	    : SMTPD_SECURITY_OPPORTUNISTIC;
}

static void
start_hosts(struct world *w)
{
	static const char *const names[CALL_HOSTS] = { "mx1.example",
		"mx2.example", "mx3.example" };

	scripted_bind(w->peers, CALL_HOSTS);
	for (size_t i = 0; i < CALL_HOSTS; i++) {
		w->list[i] = w->peers[i].target;
		w->list[i].host = names[i];
		w->list[i].preference = (uint16_t)(10 * i);
		if (!w->script->down[i])
			scripted_listen(&w->peers[i], w->script->hosts[i]);
	}
	w->targets = scripted_targets(w->list, CALL_HOSTS);
	w->route.targets = w->targets;
	w->route.port = w->peers[0].port;
}

static void
set_up(struct world *w)
{
	static char site[] = "mx";

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
	};
	w->route.site = site;
	w->route.policy =
	    (struct smtpd_tls_policy){ .level = read_security(w->script),
		    .reason = "the test" };
	smtpd__tls_policy_identify(&w->route.policy);
	start_hosts(w);
	w->nrcpts = call_script_number(w->script, "agent");
	assert_in_range(w->nrcpts, 1, RCPTS_MAX);
	for (size_t i = 0; i < w->nrcpts; i++) {
		snprintf(w->addresses[i], sizeof(w->addresses[i]),
		    "r%zu@example.org", i);
		w->rcpts[i] =
		    (struct smtpd_outgoing_rcpt){ SMTPD_OUTGOING_RCPT_INIT,
			    .address = w->addresses[i] };
		w->progress[i].rcpt = (uint32_t)i;
	}
	if (call_script_number(w->script, "tls_broken") != 0)
		smtpd__hoststat_note(w->settings.hosts, &w->list[0],
		    SMTPD_HOST_TLS_FAILED, smtpd__clock_ms());
}

static void
deliver(struct world *w)
{
	static const char content[] = "Subject: x\r\n\r\nhi\r\n";
	const struct smtpd_loaded_message loaded = {
		.id = 7,
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "s@example.net",
			.rcpts = w->rcpts,
			.nrcpts = w->nrcpts,
		},
		.content = content,
		.size = strlen(content),
	};
	struct smtpd_text history;
	struct smtpd_delivery_request request = {
		.loaded = &loaded,
		.route = &w->route,
		.plain_allowed =
		    call_script_number(w->script, "plain_allowed") != 0,
		.rcpts = w->progress,
		.nrcpts = w->nrcpts,
		.history = &history,
	};
	struct smtpd_agent *agent = smtpd__agent_create(&w->settings);

	assert_non_null(agent);
	smtpd__text_init(&history, w->history, sizeof(w->history));
	smtpd__agent_deliver(agent, &request, &w->end);
	smtpd__agent_quit(agent);
	smtpd__agent_destroy(agent);
}

/* Write what became of recipient I: "sent mx2 250". */
static void
write_result(const struct world *w, size_t i, char *out, size_t size)
{
	static const char *const outcomes[] = { "sent", "temporary",
		"permanent", "in_doubt" };
	const struct smtpd_rcpt_progress *p = &w->progress[i];
	char code[16];

	snprintf(code, sizeof(code), "%d", p->result.code);
	snprintf(out, size, "%s %.3s %s", outcomes[p->result.outcome],
	    p->host[0] != '\0' ? p->host : "-",
	    p->result.code != 0 ? code : p->result.status);
	assert_int_equal(p->finished,
	    p->result.outcome == SMTPD_OUTCOME_SENT ||
		p->result.outcome == SMTPD_OUTCOME_PERMANENT);
}

/* Write how many connections each host had: "1 0 -". */
static void
write_came(const struct world *w, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < CALL_HOSTS; i++) {
		n += (size_t)snprintf(out + n, size - n, i > 0 ? " " : "");
		n += w->script->down[i]
		    ? (size_t)snprintf(out + n, size - n, "-")
		    : (size_t)snprintf(
			  out + n, size - n, "%d", w->peers[i].connections);
	}
}

/* Write what LINE is about. */
static void
write_got(
    const struct world *w, const struct call_line *line, char *out, size_t size)
{
	static const char *const sites[] = { "fine", "busy", "down" };
	unsigned long n = strtoul(line->word, NULL, 10);

	out[0] = '\0';
	if (n >= 1 && n <= w->nrcpts)
		write_result(w, n - 1, out, size);
	else if (strcmp(line->word, "site") == 0)
		snprintf(out, size, "%s", sites[w->end.feedback]);
	else if (strcmp(line->word, "came") == 0)
		write_came(w, out, size);
}

/* Whether S wants the result WORD. */
static bool
wants(const struct call_script *s, const char *word)
{
	for (size_t i = 0; i < s->results.count; i++)
		if (strcmp(s->results.at[i].word, word) == 0)
			return true;
	return false;
}

static void
check_flag(const struct world *w, const char *word, bool got)
{
	if (wants(w->script, word) != got)
		fail_msg("%s: %s is %s\n%s", w->script->path, word,
		    got ? "true" : "false", w->history);
}

static void
check_results(const struct world *w)
{
	const struct call_lines *results = &w->script->results;

	for (size_t i = 0; i < results->count; i++) {
		const struct call_line *line = &results->at[i];
		char got[128];

		write_got(w, line, got, sizeof(got));
		if (strcmp(got, line->rest) != 0)
			fail_msg("%s:%d: %s %s, not %s\n%s", w->script->path,
			    line->number, line->word, got, line->rest,
			    w->history);
	}
	check_flag(w, "dsn", w->end.dsn);
	check_flag(w, "in_doubt", w->end.in_doubt);
	check_flag(w, "tls_broken",
	    smtpd__hoststat_is(w->settings.hosts, &w->list[0],
		SMTPD_HOST_TLS_BROKEN, smtpd__clock_ms()));
	if (w->end.feedback != SMTPD_SITE_FINE)
		assert_true(w->end.why.outcome == SMTPD_OUTCOME_TEMPORARY &&
		    w->end.why.status[0] == '4' &&
		    strncmp(w->end.why.text, "mx", 2) == 0);
}

void
call_agent_run(const struct call_script *s)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	if (call_script_number(s, "tls") != 0 && !smtpd_tls_supported()) {
		free(w);
		skip();
	}
	w->script = s;
	set_up(w);
	deliver(w);
	for (size_t i = 0; i < CALL_HOSTS; i++)
		scripted_finish(&w->peers[i]);
	check_results(w);
	smtpd_targets_free(w->targets);
	smtpd__hoststat_destroy(w->settings.hosts);
	free(w);
}
