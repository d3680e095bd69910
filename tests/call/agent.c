/* SPDX-License-Identifier: MIT */
#include "agent.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd.h>

#include "../unit/file_content.h"
#include "../unit/test.h"
#include "check.h"
#include "hosts.h"
#include "os/clock.h"
#include "queue/delivery/agent_state.h"

#define RCPTS_MAX 130

/* How long ago a message came, which the log tells. */
#define AGE_MS 65000

struct world {
	struct call_script *script;
	struct call_hosts hosts;
	struct smtpd_cancel *cancel;
	struct smtpd_client_settings client;
	struct smtpd_agent_settings settings;
	struct smtpd_agent *agent;
	struct smtpd_found_route route;
	char site[64];

	struct smtpd_outgoing_rcpt rcpts[RCPTS_MAX];
	char addresses[RCPTS_MAX][40];
	struct smtpd_loaded_message slots[2]; /* for messages in turn */
	struct smtpd_loaded_message *loaded;  /* the present one */
	bool announced;                       /* the next one is set */
	struct file_content large;
	FILE *file;

	struct smtpd_rcpt_progress progress[RCPTS_MAX];
	struct smtpd_rcpt_progress next_progress[RCPTS_MAX];
	struct smtpd_delivery_request next;
	size_t nrcpts;
	struct smtpd_delivery_result end;
	char history_text[16384], log_text[8192];
	struct smtpd_text history, log;
};

static void
keep_log(enum smtpd_log_level level, const char *text, void *user)
{
	struct world *w = user;

	if (level == SMTPD_LOG_WARNING) {
		smtpd__text_format(&w->log, "warning: %s\n", text);
		return;
	}
	assert_int_equal(level, SMTPD_LOG_INFO);
	assert_memory_equal(text, "id=", 3);
	smtpd__text_add(&w->log, strchr(text, ' ') + 1);
	smtpd__text_byte(&w->log, '\n');
}

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
note_hosts(struct world *w)
{
	const char *dead = call_script_setting(w->script, "dead");

	if (call_script_flag(w->script, "tls_broken"))
		smtpd__hoststat_note(w->settings.hosts, &w->hosts.list[0],
		    SMTPD_HOST_TLS_FAILED, smtpd__clock_ms());
	if (call_script_flag(w->script, "had_tls"))
		smtpd__hoststat_note(w->settings.hosts, &w->hosts.list[0],
		    SMTPD_HOST_TLS_WORKED, smtpd__clock_ms());
	for (size_t i = 0; dead != NULL && i < w->hosts.count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "mx%zu", i + 1);
		if (strstr(dead, name) != NULL)
			smtpd__hoststat_note(w->settings.hosts,
			    &w->hosts.list[i], SMTPD_HOST_SILENT,
			    smtpd__clock_ms());
	}
}

/* A day that is today for long. */
#define DAY 40000

static const struct smtpd_logger quiet;

/* The route leads to the hosts by MX, or to each as a target of its own. */
static void
set_hops(struct world *w)
{
	const struct call_hosts *h = &w->hosts;
	const size_t lmtp = call_script_number(w->script, "lmtp", 0);
	const bool apart = call_script_flag(w->script, "apart");
	static const struct smtpd_table_target store = {
		.set.kind = SMTPD_ROUTE_LMTP,
	};

	w->route.nhops = apart ? h->count : 1;
	for (size_t i = 0; i < w->route.nhops; i++)
		w->route.hops[i] = (struct smtpd_route_hop){
			.targets =
			    scripted_targets(&h->list[i], apart ? 1 : h->count),
			.port = h->peers[0].port,
			.id = apart ? i + 1 : 0,
			.target = lmtp == i + 1 ? &store : NULL,
		};
}

static void
set_up(struct world *w)
{
	const char *name = call_script_setting(w->script, "hostname");

	w->cancel = smtpd_cancel_create();
	w->client = (struct smtpd_client_settings){
		SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = name != NULL ? name : "me",
		.cancel = w->cancel,
		.connect_ms = 5000,
		.greeting_ms = 5000,
		.quit_ms = 2000,
		.tls_ms = 5000,
		.total_ms =
		    (uint32_t)call_script_number(w->script, "total_ms", 0),
	};
	w->settings = (struct smtpd_agent_settings){
		.client = &w->client,
		.hosts = smtpd__hoststat_create(),
		.logger = { keep_log, w, SMTPD_LOG_INFO },
		.memory = smtpd__tls_memory_create(-1, DAY, &quiet),
		.tls_lost_defer = call_script_flag(w->script, "tls_lost_defer"),
	};
	if (call_script_flag(w->script, "remembered"))
		smtpd__tls_memory_note(w->settings.memory, "mx1.example", DAY);
	w->agent = smtpd__agent_create(&w->settings);
	assert_non_null(w->agent);
	call_hosts_start(&w->hosts, w->script, 3, w->cancel);
	for (size_t i = 0; i < w->hosts.count; i++)
		((struct sockaddr_in *)&w->hosts.list[i].addr)->sin_port =
		    htons(w->hosts.peers[0].port);
	if (call_script_flag(w->script, "one_host"))
		w->hosts.list[1].host = w->hosts.list[0].host;
	set_hops(w);
	note_hosts(w);
}

/* What the agent is connected by. */
static void
set_route(struct world *w)
{
	const char *site = call_script_setting(w->script, "site");

	snprintf(w->site, sizeof(w->site), "%s", site != NULL ? site : "mx");
	w->route.site = w->site;
	for (size_t i = 0; i < w->route.nhops; i++) {
		struct smtpd_tls_policy *policy = &w->route.hops[i].policy;

		*policy = (struct smtpd_tls_policy){
			.level = read_security(w->script),
			.reason = "the test",
		};
		if (i == 0 && call_script_flag(w->script, "refused"))
			policy->refused = "its TLSA records are bogus";
		smtpd__tls_policy_identify(policy);
	}
}

static void
set_rcpts(struct world *w)
{
	const char *first = call_script_setting(w->script, "first");
	const char *notify = call_script_setting(w->script, "notify");
	const char *orcpt = call_script_setting(w->script, "orcpt");

	for (size_t i = 0; i < RCPTS_MAX; i++) {
		snprintf(w->addresses[i], sizeof(w->addresses[i]),
		    "r%zu@example.org", i);
		w->rcpts[i] =
		    (struct smtpd_outgoing_rcpt){ SMTPD_OUTGOING_RCPT_INIT,
			    .address = w->addresses[i], .notify = notify,
			    .orcpt = orcpt };
	}
	if (first != NULL)
		w->rcpts[0].address = first;
}

/* The content, from memory or a file, which may be one that has nothing. */
static void
set_content(struct world *w)
{
	const char *given = call_script_setting(w->script, "message");
	const char *content =
	    given != NULL ? given : "Subject: x\r\n\r\nhi\r\n";
	bool unreadable = call_script_flag(w->script, "unreadable");

	w->loaded->size = strlen(content);
	if (!unreadable && !call_script_flag(w->script, "large")) {
		w->loaded->content = content;
		return;
	}
	w->file = tmpfile();
	assert_non_null(w->file);
	if (!unreadable)
		fputs(content, w->file);
	fflush(w->file);
	file_content_init(&w->large, fileno(w->file));
	w->loaded->large = &w->large.reader;
}

static void
set_message(struct world *w)
{
	const struct call_script *s = w->script;

	w->loaded = &w->slots[s->message % 2];
	*w->loaded = (struct smtpd_loaded_message){
		.id = 7,
		.arrived_ms = smtpd__clock_wall_ms() - AGE_MS,
		.envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = "s@example.net",
			.rcpts = w->rcpts,
			.nrcpts = RCPTS_MAX,
			.ret = call_script_setting(s, "ret"),
			.envid = call_script_setting(s, "envid"),
			.eight_bit = call_script_flag(s, "eight_bit"),
			.utf8 = call_script_flag(s, "utf8"),
			.long_lines = call_script_flag(s, "long_lines"),
		},
	};
	set_rcpts(w);
	set_content(w);
}

/* Set the message after the present one, which goes ahead. */
static const struct smtpd_delivery_request *
announce_next(void *user)
{
	struct world *w = user;
	struct call_script *s = w->script;
	struct smtpd_loaded_message *present = w->loaded;

	if (s->message + 1 == s->messages)
		return NULL;
	s->message++;
	set_message(w);
	w->next = (struct smtpd_delivery_request){
		.loaded = w->loaded,
		.route = &w->route,
		.rcpts = w->next_progress,
		.nrcpts = call_script_number(s, "agent", 1),
		.rcpts_max = (uint32_t)call_script_number(s, "rcpts_max", 0),
	};
	s->message--;
	w->loaded = present;
	w->announced = true;
	for (size_t i = 0; i < w->next.nrcpts; i++)
		w->next_progress[i].rcpt = (uint32_t)i;
	return &w->next;
}

static void
deliver(struct world *w)
{
	const struct call_script *s = w->script;
	size_t skipped = call_script_number(s, "skipped", 0);
	struct smtpd_delivery_request request = {
		.loaded = w->loaded,
		.route = &w->route,
		.plain_allowed = call_script_flag(s, "plain_allowed"),
		.rcpts = w->progress,
		.nrcpts = w->nrcpts,
		.history = &w->history,
		.mails_max = (uint32_t)call_script_number(s, "mails_max", 0),
		.rcpts_max = (uint32_t)call_script_number(s, "rcpts_max", 0),
	};

	if (call_script_flag(s, "ahead")) {
		request.next = announce_next;
		request.user = w;
	}
	assert_in_range(w->nrcpts, 1, RCPTS_MAX - skipped);
	memset(w->progress, 0x55, sizeof(w->progress));
	for (size_t i = 0; i < w->nrcpts; i++)
		w->progress[i].rcpt = (uint32_t)(i + skipped);
	smtpd__text_init(&w->history, w->history_text,
	    call_script_number(s, "history_size", sizeof(w->history_text)));
	smtpd__text_init(&w->log, w->log_text, sizeof(w->log_text));
	w->settings.logger.level = call_script_flag(s, "log_warnings")
	    ? SMTPD_LOG_WARNING
	    : SMTPD_LOG_INFO;
	poll(NULL, 0, (int)call_script_number(s, "pause", 0));
	w->agent->opened -= 1000 * call_script_number(s, "older", 0);
	smtpd__agent_deliver(w->agent, &request, &w->end);
}

/* Write what became of recipient I: "sent mx2 250". */
static void
write_result(const struct world *w, size_t i, char *out, size_t size)
{
	const struct smtpd_rcpt_progress *p = &w->progress[i];
	char code[16];

	snprintf(code, sizeof(code), "%d", p->result.code);
	snprintf(out, size, "%s %.3s %s", call_check_outcome(&p->result),
	    p->host[0] != '\0' ? p->host : "-",
	    p->result.code != 0 ? code : p->result.status);
	assert_int_equal(p->finished,
	    p->result.outcome == SMTPD_OUTCOME_SENT ||
		p->result.outcome == SMTPD_OUTCOME_PERMANENT);
}

/* Write what was seen of limits: "sure mails 2 connections 1 full 0". */
static void
write_signs(const struct world *w, char *out, size_t size)
{
	static const char *const throttles[] = { "none", "likely", "sure" };
	const struct smtpd_shaping_signs *signs = &w->end.signs;

	snprintf(out, size, "%s mails %u connections %u full %u",
	    throttles[signs->throttle], signs->mails, signs->connections,
	    signs->full_at);
}

/* Compare LINE with what became of the recipients it is about; return how many
 * these are. */
static size_t
check_rcpts(const struct world *w, const struct call_line *line)
{
	size_t checked = 0;

	for (size_t i = 0; i < w->nrcpts; i++) {
		char got[128];

		if (!call_check_covers(line, i))
			continue;
		write_result(w, i, got, sizeof(got));
		call_check_line(w->script, line, got);
		checked++;
	}
	return checked;
}

/* Write the hosts that are known to be down: "mx1 mx3". */
static void
write_dead(const struct world *w, char *out, size_t size)
{
	struct smtpd_text t;

	smtpd__text_init(&t, out, size);
	for (size_t i = 0; i < w->hosts.count; i++)
		if (smtpd__hoststat_is(w->settings.hosts, &w->hosts.list[i],
			SMTPD_HOST_DOWN, smtpd__clock_ms()))
			smtpd__text_format(
			    &t, "%smx%zu", out[0] != '\0' ? " " : "", i + 1);
}

/* Check one result of a message that is neither a list nor a flag.  Return
 * false if LINE is about something else. */
static bool
check_line(const struct world *w, const struct call_line *line)
{
	static const char *const sites[] = { "fine", "busy", "down", "offline",
		"untold" };
	const char *word = line->word;
	char got[600] = "";

	if (strcmp(word, "site") == 0)
		snprintf(got, sizeof(got), "%s", sites[w->end.feedback]);
	else if (strcmp(word, "text") == 0)
		snprintf(got, sizeof(got), "%s", w->progress[0].result.text);
	else if (strcmp(word, "signs") == 0)
		write_signs(w, got, sizeof(got));
	else if (strcmp(word, "dead") == 0)
		write_dead(w, got, sizeof(got));
	else
		return check_rcpts(w, line) > 0;
	call_check_line(w->script, line, got);
	return true;
}

static void
check_flag(const struct world *w, const char *word, bool got)
{
	if (call_check_wants(w->script, word) != got)
		fail_msg("%s: message %u: %s is %s\n%s", w->script->path,
		    w->script->message + 1, word, got ? "true" : "false",
		    w->history_text);
}

/* What holds of a message unless a line says otherwise. */
static void
check_flags(const struct world *w)
{
	bool open = smtpd__agent_is_open(w->agent);

	check_flag(w, "dsn", w->end.dsn);
	check_flag(w, "in_doubt", w->end.in_doubt);
	check_flag(w, "tls_broken",
	    smtpd__hoststat_is(w->settings.hosts, &w->hosts.list[0],
		SMTPD_HOST_TLS_BROKEN, smtpd__clock_ms()));
	if (call_check_wants(w->script, "open"))
		assert_true(open);
	if (call_check_wants(w->script, "closed"))
		assert_false(open);
	if (w->end.feedback != SMTPD_SITE_FINE &&
	    w->end.feedback != SMTPD_SITE_UNTOLD)
		assert_true(w->end.why.outcome == SMTPD_OUTCOME_TEMPORARY &&
		    w->end.why.status[0] == '4' &&
		    strncmp(w->end.why.text, "mx", 2) == 0);
}

/* Compare the lines of TEXT with the results WORD; the port is PORT there. */
static void
check_text(const struct world *w, const char *word, const char *text)
{
	char port[16], changed[20000];
	struct smtpd_text t;
	size_t len;

	snprintf(port, sizeof(port), ":%u", w->route.hops[0].port);
	len = strlen(port);
	smtpd__text_init(&t, changed, sizeof(changed));
	while (*text != '\0')
		if (strncmp(text, port, len) == 0) {
			smtpd__text_add(&t, ":PORT");
			text += len;
		} else {
			smtpd__text_byte(&t, *text++);
		}
	call_check_lines(w->script, word, changed);
}

/* Whether WORD is compared elsewhere: as a flag, a list, or at the end. */
static bool
is_elsewhere(const char *word)
{
	static const char *const words[] = { "dsn", "in_doubt", "tls_broken",
		"open", "closed", "history", "log", "came", "data" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

static void
check_message(const struct world *w)
{
	const struct call_lines *results = &w->script->results;

	for (size_t i = 0; i < results->count; i++) {
		const struct call_line *line = &results->at[i];

		if (call_check_is_present(w->script, line) &&
		    !is_elsewhere(line->word) && !check_line(w, line))
			call_check_unknown(w->script, line);
	}
	check_flags(w);
	check_text(w, "history", w->history_text);
	check_text(w, "log", w->log_text);
}

static void
deliver_messages(struct world *w)
{
	struct call_script *s = w->script;

	for (; s->message < s->messages; s->message++) {
		w->nrcpts = call_script_number(s, "agent", 1);
		set_route(w);
		w->loaded = &w->slots[s->message % 2];
		if (!w->announced)
			set_message(w);
		w->announced = false;
		deliver(w);
		check_message(w);
		if (w->file != NULL)
			fclose(w->file);
		w->file = NULL;
	}
}

static void
tear_down(struct world *w)
{
	const struct call_lines *results = &w->script->results;

	smtpd__agent_state_quit(w->agent);
	assert_false(smtpd__agent_is_open(w->agent));
	smtpd__agent_state_quit(w->agent);
	smtpd__agent_destroy(w->agent);
	call_hosts_finish(&w->hosts);
	for (size_t i = 0; i < results->count; i++)
		call_hosts_check(&w->hosts, w->script, &results->at[i]);
	for (size_t i = 0; i < w->route.nhops; i++)
		smtpd_targets_free(w->route.hops[i].targets);
	smtpd__tls_memory_destroy(w->settings.memory);
	smtpd__hoststat_destroy(w->settings.hosts);
	smtpd_cancel_destroy(w->cancel);
}

void
call_agent_run(struct call_script *s)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	if (call_script_flag(s, "tls") && !smtpd_tls_supported()) {
		free(w);
		skip();
	}
	w->script = s;
	set_up(w);
	deliver_messages(w);
	tear_down(w);
	free(w);
}
