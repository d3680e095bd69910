/* SPDX-License-Identifier: MIT */
/* Passwords and tokens that a callback gives, shown to the library's own
 * server. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <smtpd.h>

#include "certs.h"
#include "scripted.h"

#include "test.h"

#define LONG_TOKEN 8000

struct world {
	struct smtpd_server *server;
	struct smtpd_target target;
	uint16_t port;
	struct smtpd_trust *trust;
	struct smtpd_client *client;

	/* The server: what it takes, and what came. */
	const char *good;
	bool echo; /* it says what it refuses */
	int logins;
	char mechanism[32], user[64], identity[64];

	/* The program: what it gives, the first and the next times; NULL:
	 * nothing. */
	const char *first, *next;
	bool is_password;
	int asked, refused;
	char refused_secret[64], host[64];
};

static int
judge(struct smtpd_session *s, const struct smtpd_auth_request *r,
    struct smtpd_scram_key *key, void *user)
{
	struct world *w = user;
	const char *shown = r->token != NULL ? r->token : r->password;

	(void)key;
	w->logins++;
	snprintf(w->mechanism, sizeof(w->mechanism), "%s", r->mechanism);
	snprintf(w->user, sizeof(w->user), "%s", r->user);
	snprintf(w->identity, sizeof(w->identity), "%s", r->identity);
	if (shown != NULL && strcmp(shown, w->good) == 0) {
		smtpd_session_set_user(s, "ann");
		return SMTPD_AUTH_ACCEPTED;
	}
	if (w->echo && shown != NULL)
		return smtpd_reply(s, 535, "5.7.8", "not %s, ann", shown);
	return SMTPD_AUTH_REFUSED;
}

static int
take_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	(void)s, (void)c, (void)user;
	return 0;
}

static int
drop_message(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	(void)s, (void)envelope, (void)body, (void)user;
	return 0;
}

static void
start(struct world *w, const char *mechanisms)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "a.example", .auth = judge, .auth_user = w,
		.auth_mechanisms = mechanisms, .auth_delay_ms = 1,
		.tarpit_ms = 1 };
	struct smtpd_tls *tls = smtpd_tls_create(NULL);
	char error[256];

	memset(w, 0, sizeof(*w));
	w->good = "t0ken-of-today";
	w->server = smtpd_server_create(&settings);
	assert_int_equal(
	    smtpd_tls_add_files(tls, certs_at("a.pem"), certs_at("a.key")), 0);
	smtpd_server_set_tls(w->server, tls);
	smtpd_server_add_handler(w->server, "RCPT", take_rcpt, NULL);
	smtpd_server_set_deliver(w->server, drop_message, NULL);
	smtpd_tls_unref(tls);
	assert_int_equal(smtpd_server_listen(w->server, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(w->server), 0);
	w->target = scripted_target("127.0.0.1", "a.example");
	w->port = (uint16_t)strtoul(
	    strrchr(smtpd_server_address(w->server, 0), ':') + 1, NULL, 10);
	w->trust = smtpd_trust_create(certs_at("ca.pem"), error, sizeof(error));
	assert_non_null(w->trust);
}

static void
stop(struct world *w)
{
	smtpd_client_destroy(w->client);
	smtpd_server_destroy(w->server);
	smtpd_trust_unref(w->trust);
}

static int
give(void *user, struct smtpd_credentials *c)
{
	struct world *w = user;
	const char *secret = w->asked++ == 0 ? w->first : w->next;

	assert_string_equal(c->user, "ann");
	snprintf(w->host, sizeof(w->host), "%s", c->host);
	if (c->refused) {
		w->refused++;
		snprintf(w->refused_secret, sizeof(w->refused_secret), "%.60s",
		    c->secret);
	}
	if (secret == NULL) {
		snprintf(c->reason, sizeof(c->reason), "the well is dry");
		return -1;
	}
	c->is_token = !w->is_password;
	snprintf(c->secret, sizeof(c->secret), "%s", secret);
	return 0;
}

/* Connect by MECHANISMS with what the program gives. */
static const struct smtpd_result *
log_in(struct world *w, const char *mechanisms)
{
	const struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = "me.example", .trust = w->trust, .user = "ann",
		.credentials = give, .credentials_user = w,
		.mechanisms = mechanisms };
	const struct smtpd_result *r;

	smtpd_client_destroy(w->client);
	w->client = smtpd_client_create(&set);
	assert_non_null(w->client);
	r = smtpd_client_result(w->client);
	if (smtpd_client_connect(w->client, &w->target, 1, w->port) == 0) {
		smtpd_client_quit(w->client);
		return NULL;
	}
	assert_int_equal(r->outcome, SMTPD_OUTCOME_TEMPORARY);
	assert_int_equal(r->phase, SMTPD_PHASE_AUTH);
	return r;
}

static uint64_t
connections_of(const struct world *w)
{
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };

	smtpd_server_count(w->server, &c);
	return c.connections;
}

/* RFC 7628, 3.1; it says no name but that of its message. */
static void
a_token_is_shown_by_the_best_mechanism(void **state)
{
	struct world w;

	(void)state;
	start(&w, "PLAIN LOGIN XOAUTH2 OAUTHBEARER");
	w.first = w.good;
	assert_null(log_in(&w, NULL));
	assert_string_equal(w.mechanism, "OAUTHBEARER");
	assert_string_equal(w.identity, "ann");
	assert_string_equal(w.host, "a.example");
	assert_int_equal(w.asked, 1);
	w.asked = 0;
	assert_null(log_in(&w, " xoauth2  OAUTHBEARER"));
	assert_string_equal(w.mechanism, "XOAUTH2");
	assert_string_equal(w.identity, "ann");
	stop(&w);
}

/* A token is never shown as a password, nor a password as a token. */
static void
a_token_is_no_password(void **state)
{
	const struct smtpd_result *r;
	struct world w;

	(void)state;
	start(&w, "PLAIN LOGIN");
	w.first = w.good;
	r = log_in(&w, NULL);
	assert_string_equal(r->status, "4.7.0");
	assert_non_null(strstr(r->text, "by a token"));
	assert_int_equal(w.logins, 0);
	w.asked = 0;
	w.is_password = true;
	assert_null(log_in(&w, NULL));
	assert_string_equal(w.mechanism, "PLAIN");
	assert_string_equal(w.user, "ann");
	w.asked = 0;
	assert_null(log_in(&w, "LOGIN"));
	assert_string_equal(w.mechanism, "LOGIN");
	stop(&w);
	start(&w, "XOAUTH2 OAUTHBEARER");
	w.first = w.good;
	w.is_password = true;
	assert_non_null(strstr(log_in(&w, NULL)->text, "no way"));
	assert_int_equal(w.logins, 0);
	stop(&w);
}

/* RFC 4954, 6: once more, over another connection. */
static void
a_token_that_is_refused_is_replaced_once(void **state)
{
	const struct smtpd_result *r;
	struct world w;

	(void)state;
	start(&w, "XOAUTH2 OAUTHBEARER");
	w.first = "t0ken-of-yesterday";
	w.next = w.good;
	assert_null(log_in(&w, NULL));
	assert_int_equal(w.asked, 2);
	assert_int_equal(w.refused, 1);
	assert_string_equal(w.refused_secret, "t0ken-of-yesterday");
	assert_int_equal(w.logins, 2);
	assert_int_equal(connections_of(&w), 2);
	w.asked = w.logins = 0;
	w.next = "t0ken-of-tomorrow";
	r = log_in(&w, NULL);
	assert_int_equal(r->code, 535);
	assert_int_equal(w.asked, 2);
	assert_int_equal(w.logins, 2);
	/* RFC 7628, 3.2.3: the server's status stands in the result. */
	assert_non_null(strstr(r->text, "(invalid_token)"));
	w.asked = 0;
	r = log_in(&w, "XOAUTH2");
	assert_non_null(strstr(r->text, "(401)"));
	stop(&w);
}

static void
a_refusal_stands_without_another_token(void **state)
{
	const struct smtpd_result *r;
	struct world w;

	(void)state;
	start(&w, "OAUTHBEARER");
	w.first = "t0ken-of-yesterday";
	r = log_in(&w, NULL);
	assert_int_equal(r->code, 535);
	assert_non_null(strstr(r->text, "(the well is dry)"));
	assert_int_equal(w.logins, 1);
	w.asked = w.logins = 0;
	w.next = w.first;
	r = log_in(&w, NULL);
	assert_int_equal(r->code, 535);
	assert_non_null(strstr(r->text, "(there is no other yet)"));
	assert_int_equal(w.logins, 1);
	stop(&w);
}

static void
without_a_secret_nothing_is_connected_to(void **state)
{
	const struct smtpd_result *r;
	struct world w;

	(void)state;
	start(&w, "OAUTHBEARER");
	r = log_in(&w, NULL);
	assert_int_equal(r->code, 0);
	assert_string_equal(r->status, "4.7.0");
	assert_string_equal(
	    r->text, "nothing to log in with as ann: the well is dry");
	w.asked = 0;
	w.first = "two words";
	assert_string_equal(log_in(&w, NULL)->status, "4.3.5");
	w.asked = 0;
	w.first = "";
	assert_string_equal(log_in(&w, NULL)->status, "4.3.5");
	assert_int_equal(connections_of(&w), 0);
	stop(&w);
}

/* RFC 4954, 4: a command has 512 octets, a line of the exchange 12288. */
static void
a_long_token_goes_behind_the_command(void **state)
{
	char token[LONG_TOKEN + 1];
	struct world w;

	(void)state;
	memset(token, 'x', LONG_TOKEN);
	token[LONG_TOKEN] = '\0';
	start(&w, "XOAUTH2 OAUTHBEARER");
	w.first = w.good = token;
	assert_null(log_in(&w, "OAUTHBEARER"));
	w.asked = 0;
	assert_null(log_in(&w, "XOAUTH2"));
	token[400] = '\0';
	w.asked = 0;
	assert_null(log_in(&w, NULL));
	stop(&w);
}

/* A server that repeats what it was shown does not bring it into a log. */
static void
a_secret_that_is_repeated_is_hidden(void **state)
{
	const struct smtpd_result *r;
	struct world w;

	(void)state;
	start(&w, "OAUTHBEARER PLAIN");
	w.first = "t0ken-of-yesterday";
	w.echo = true;
	r = log_in(&w, NULL);
	assert_int_equal(r->code, 535);
	assert_null(strstr(r->text, "yesterday"));
	assert_non_null(strstr(r->text, "not ******************, ann"));
	w.asked = 0;
	w.first = "abc12";
	w.is_password = true;
	r = log_in(&w, NULL);
	assert_non_null(strstr(r->text, "not *****, ann"));
	stop(&w);
}

static void
unknown_mechanisms_are_no_setting(void **state)
{
	static const char *const lists[] = { "", "  ", "PLAI", "PLAIN CRAM-MD5",
		"PLAIN,LOGIN" };
	struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT };

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		set.mechanisms = lists[i];
		assert_null(smtpd_client_create(&set));
		assert_int_equal(errno, EINVAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_shown_by_the_best_mechanism),
		cmocka_unit_test(a_token_is_no_password),
		cmocka_unit_test(a_token_that_is_refused_is_replaced_once),
		cmocka_unit_test(a_refusal_stands_without_another_token),
		cmocka_unit_test(without_a_secret_nothing_is_connected_to),
		cmocka_unit_test(a_long_token_goes_behind_the_command),
		cmocka_unit_test(a_secret_that_is_repeated_is_hidden),
		cmocka_unit_test(unknown_mechanisms_are_no_setting),
	};

	return cmocka_run_group_tests(tests, certs_copy, certs_remove);
}
