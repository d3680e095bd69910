/* SPDX-License-Identifier: MIT */
/* The delivery agent with a smarthost that has TLS and AUTH; all else about it
 * are conversations in tests/call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd.h>

#include "base/text.h"
#include "certs.h"
#include "os/clock.h"
#include "queue/delivery/agent.h"
#include "queue/delivery/agent_state.h"
#include "scripted.h"

#include "test.h"

/* An agent, a message for one recipient, and what is written of it. */
struct world {
	struct smtpd_client_settings client;
	struct smtpd_agent_settings settings;
	struct smtpd_agent *agent;
	struct smtpd_target host;
	struct smtpd_found_route route;
	struct smtpd_rcpt_progress progress;
	struct smtpd_delivery_result end;
	char history_text[4096], log_text[4096];
	struct smtpd_text history, log;
};

static void
keep_log(enum smtpd_log_level level, const char *text, void *user)
{
	struct world *w = user;

	(void)level;
	smtpd__text_add(&w->log, text);
	smtpd__text_byte(&w->log, '\n');
}

static void
set_up(struct world *w)
{
	static char site[] = "mx";
	char error[128];

	*w = (struct world){
		.client = { SMTPD_CLIENT_SETTINGS_INIT, .hostname = "me",
		    .connect_ms = 5000, .greeting_ms = 5000, .quit_ms = 2000,
		    .tls_ms = 5000,
		    /* Those of the client are for nobody. */
		    .user = "secret", .password = "secret" },
		.settings = { .client = &w->client,
		    .hosts = smtpd__hoststat_create(),
		    .logger = { keep_log, w, SMTPD_LOG_INFO } },
		.host = scripted_target("127.0.0.1", "a.example"),
		.route = { .site = site },
	};
	w->client.trust =
	    smtpd_trust_create(certs_at("ca.pem"), error, sizeof(error));
	assert_non_null(w->client.trust);
	w->agent = smtpd__agent_create(&w->settings);
	assert_non_null(w->agent);
}

static void
tear_down(struct world *w)
{
	smtpd__agent_destroy(w->agent);
	smtpd__hoststat_destroy(w->settings.hosts);
	smtpd_trust_unref(w->client.trust);
}

static void
deliver(struct world *w)
{
	static const char content[] = "Subject: x\r\n\r\nhi\r\n";
	const struct smtpd_outgoing_rcpt rcpt = { SMTPD_OUTGOING_RCPT_INIT,
		.address = "b@example.org" };
	const struct smtpd_loaded_message loaded = {
		.id = 7,
		.envelope = { SMTPD_OUTGOING_ENVELOPE_INIT,
		    .sender = "s@example.net", .rcpts = &rcpt, .nrcpts = 1 },
		.content = content,
		.size = strlen(content),
	};
	struct smtpd_delivery_request request = {
		.loaded = &loaded,
		.route = &w->route,
		.plain_allowed = true,
		.rcpts = &w->progress,
		.nrcpts = 1,
		.history = &w->history,
	};

	w->progress.rcpt = 0;
	smtpd__text_init(&w->history, w->history_text, sizeof(w->history_text));
	smtpd__text_init(&w->log, w->log_text, sizeof(w->log_text));
	w->route.hops[0].targets = scripted_targets(&w->host, 1);
	w->route.nhops = 1;
	smtpd__agent_deliver(w->agent, &request, &w->end);
	smtpd__agent_state_quit(w->agent);
	smtpd_targets_free(w->route.hops[0].targets);
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
	struct smtpd_route_target smarthost;
	const char *host; /* by which its certificate is judged */
	enum smtpd_security security;
	enum smtpd_outcome outcome;
	const char *said; /* the code or, without one, the status */
	enum smtpd_site_feedback feedback;
	const char *tls; /* in the log */
} smart[] = {
	{ "AUTH", { .user = "user", .password = "pencil" }, "a.example",
	    SMTPD_SECURITY_REQUIRED, SMTPD_OUTCOME_SENT, "250", SMTPD_SITE_FINE,
	    "/verified" },
	{ "AUTH, TLS first",
	    { .user = "user", .password = "pencil", .tls_first = true },
	    "a.example", SMTPD_SECURITY_REQUIRED, SMTPD_OUTCOME_SENT, "250",
	    SMTPD_SITE_FINE, "/verified" },
	{ "no AUTH", { .user = NULL }, "a.example",
	    SMTPD_SECURITY_OPPORTUNISTIC, SMTPD_OUTCOME_SENT, "250",
	    SMTPD_SITE_FINE, "/verified" },
	{ "unverified", { .user = NULL }, "b.example",
	    SMTPD_SECURITY_OPPORTUNISTIC, SMTPD_OUTCOME_SENT, "250",
	    SMTPD_SITE_FINE, "/unverified" },
	{ "a wrong password", { .user = "user", .password = "pen" },
	    "a.example", SMTPD_SECURITY_REQUIRED, SMTPD_OUTCOME_TEMPORARY,
	    "535", SMTPD_SITE_DOWN, NULL },
	{ "a wrong name", { .user = "user", .password = "pencil" }, "b.example",
	    SMTPD_SECURITY_REQUIRED, SMTPD_OUTCOME_TEMPORARY, "4.7.5",
	    SMTPD_SITE_DOWN, NULL },
};

static void
check_smart(struct world *w, size_t i)
{
	const struct smtpd_result *r = &w->progress.result;
	char said[16];

	snprintf(said, sizeof(said), "%d", r->code);
	if (r->outcome != smart[i].outcome ||
	    strcmp(r->code != 0 ? said : r->status, smart[i].said) != 0 ||
	    w->end.feedback != smart[i].feedback ||
	    (smart[i].tls != NULL && strstr(w->log_text, smart[i].tls) == NULL))
		fail_msg("%s: %d %s\n%s%s", smart[i].name, r->code, r->status,
		    w->history_text, w->log_text);
	assert_string_equal(w->progress.host, smart[i].host);
	assert_null(strstr(w->history_text, "pencil"));
}

/* RFC 4954, 4 */
static void
a_smarthost_is_told_the_password(void **state)
{
	struct world w;
	struct smtpd_server *server;
	uint16_t port, tls_port;

	(void)state;
	if (!smtpd_tls_supported())
		skip();
	set_up(&w);
	server = start_server(&port, &tls_port);
	for (size_t i = 0; i < COUNT(smart); i++) {
		const struct smtpd_route_target *smarthost =
		    &smart[i].smarthost;
		const struct smtpd_table_target target = { .set = *smarthost };

		w.host.host = smart[i].host;
		w.route.hops[0].id = i + 1;
		w.route.hops[0].target = &target;
		w.route.hops[0].policy =
		    (struct smtpd_tls_policy){ .level = smart[i].security,
			    .first = smarthost->tls_first,
			    .reason = "the test" };
		smtpd__tls_policy_identify(&w.route.hops[0].policy);
		w.route.hops[0].port = smarthost->tls_first ? tls_port : port;
		deliver(&w);
		check_smart(&w, i);
	}
	smtpd_server_destroy(server);
	tear_down(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_smarthost_is_told_the_password),
	};

	return cmocka_run_group_tests(tests, certs_copy, certs_remove);
}
