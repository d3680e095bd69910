/* SPDX-License-Identifier: MIT */
/* The certificate that a client shows, to the library's own server. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <smtpd.h>

#include "certs.h"
#include "scripted.h"

#include "test.h"

struct world {
	struct smtpd_server *server;
	struct smtpd_target target;
	uint16_t port;
	bool verified;
	char subject[128];
};

/* EHLO within TLS says who the client is. */
static int
note_client(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	struct world *w = user;
	const struct smtpd_tls_info *tls = smtpd_session_tls(s);

	(void)c;
	if (tls == NULL)
		return 0;
	w->verified = tls->client_verified;
	snprintf(w->subject, sizeof(w->subject), "%s", tls->client_subject);
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
start(struct world *w, enum smtpd_tls_clients clients)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "a.example" };
	const struct smtpd_tls_settings rules = { SMTPD_TLS_SETTINGS_INIT,
		.clients = clients, .client_ca_file = certs_at("ca.pem") };
	struct smtpd_tls *tls = smtpd_tls_create(&rules);

	memset(w, 0, sizeof(*w));
	w->server = smtpd_server_create(&settings);
	assert_int_equal(
	    smtpd_tls_add_files(tls, certs_at("a.pem"), certs_at("a.key")), 0);
	smtpd_server_set_tls(w->server, tls);
	smtpd_tls_unref(tls);
	smtpd_server_add_handler(w->server, "EHLO", note_client, w);
	smtpd_server_set_deliver(w->server, drop_message, NULL);
	assert_int_equal(smtpd_server_listen(w->server, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(w->server), 0);
	w->target = scripted_target("127.0.0.1", "a.example");
	w->port = (uint16_t)strtoul(
	    strrchr(smtpd_server_address(w->server, 0), ':') + 1, NULL, 10);
}

static struct smtpd_trust *
create_trust(void)
{
	char error[256];
	struct smtpd_trust *t =
	    smtpd_trust_create(certs_at("ca.pem"), error, sizeof(error));

	assert_non_null(t);
	return t;
}

/* Whether a client with T, which it frees, is let in. */
static bool
is_let_in(struct world *w, struct smtpd_trust *t)
{
	const struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = "me.example", .security = SMTPD_SECURITY_REQUIRED,
		.trust = t };
	struct smtpd_client *c = smtpd_client_create(&set);
	bool result;

	w->subject[0] = '\0';
	w->verified = false;
	result = smtpd_client_connect(c, &w->target, 1, w->port) == 0;
	smtpd_client_quit(c);
	smtpd_client_destroy(c);
	smtpd_trust_unref(t);
	return result;
}

/* Trust with certificate NAME. */
static struct smtpd_trust *
trust_with(const char *name)
{
	struct smtpd_trust *t = create_trust();
	char cert[32], key[32], error[256];

	snprintf(cert, sizeof(cert), "%s.pem", name);
	snprintf(key, sizeof(key), "%s.key", name);
	if (smtpd_trust_add_files(
		t, certs_at(cert), certs_at(key), error, sizeof(error)) == -1)
		fail_msg("%s", error);
	return t;
}

/* RFC 8446, 4.4.2 */
static void
a_certificate_is_shown_to_those_that_ask(void **state)
{
	struct world w;

	(void)state;
	start(&w, SMTPD_TLS_CLIENTS_DEMANDED);
	assert_true(is_let_in(&w, trust_with("client")));
	assert_true(w.verified);
	assert_non_null(strstr(w.subject, "client"));
	assert_false(is_let_in(&w, create_trust()));
	assert_false(is_let_in(&w, trust_with("stranger")));
	assert_true(is_let_in(&w, trust_with("a-rsa")));
	assert_true(w.verified);
	smtpd_server_destroy(w.server);
	start(&w, SMTPD_TLS_CLIENTS_IGNORED);
	assert_true(is_let_in(&w, trust_with("client")));
	assert_string_equal(w.subject, "");
	smtpd_server_destroy(w.server);
}

/* It may be renewed too late: that is the server's to judge. */
static void
one_out_of_its_time_is_shown_too(void **state)
{
	struct smtpd_trust *t = create_trust();
	char error[256];
	struct world w;

	(void)state;
	assert_int_equal(smtpd_trust_add_files(t, certs_at("expired.pem"),
			     certs_at("expired.key"), error, sizeof(error)),
	    0);
	assert_non_null(strstr(error, "the certificate has expired"));
	start(&w, SMTPD_TLS_CLIENTS_ASKED);
	assert_true(is_let_in(&w, t));
	assert_false(w.verified);
	assert_string_not_equal(w.subject, "");
	smtpd_server_destroy(w.server);
}

static const struct {
	const char *cert, *key, *error;
	int code;
} bad[] = {
	{ "client.pem", "a.key", "the key belongs to another", EINVAL },
	{ "none.pem", "a.key", "cannot be read: No such file", ENOENT },
	{ "client.pem", "none.key", "cannot be read: No such file", ENOENT },
	{ "garbage.pem", "client.key", "contains a NUL byte", EINVAL },
	{ "half-chain.pem", "client.key", "not all certificates", EINVAL },
	{ "client.pem", "half.key", "not a whole key", EINVAL },
};

static void
what_cannot_be_used_is_told(void **state)
{
	struct smtpd_trust *t = create_trust();
	char error[256];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(
		    smtpd_trust_add_files(t, certs_at(bad[i].cert),
			certs_at(bad[i].key), error, sizeof(error)),
		    -1);
		assert_int_equal(errno, bad[i].code);
		if (strstr(error, bad[i].error) == NULL)
			fail_msg("%s %s: %s", bad[i].cert, bad[i].key, error);
	}
	assert_int_equal(
	    smtpd_trust_add_files(t, NULL, "key", error, sizeof(error)), -1);
	assert_int_equal(errno, EINVAL);
	/* It is as it was. */
	assert_int_equal(smtpd_trust_add_files(t, certs_at("client.pem"),
			     certs_at("client.key"), error, sizeof(error)),
	    0);
	assert_string_equal(error, "");
	assert_int_equal(smtpd_trust_add_files(t, certs_at("client.pem"),
			     certs_at("client.key"), error, sizeof(error)),
	    -1);
	assert_int_equal(errno, EBUSY);
	smtpd_trust_unref(t);
	t = create_trust();
	smtpd_trust_ref(t);
	assert_int_equal(smtpd_trust_add_files(t, certs_at("client.pem"),
			     certs_at("client.key"), error, sizeof(error)),
	    -1);
	assert_int_equal(errno, EBUSY);
	smtpd_trust_unref(t);
	smtpd_trust_unref(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_shown_to_those_that_ask),
		cmocka_unit_test(one_out_of_its_time_is_shown_too),
		cmocka_unit_test(what_cannot_be_used_is_told),
	};

	return cmocka_run_group_tests(tests, certs_copy, certs_remove);
}
