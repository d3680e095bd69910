/* SPDX-License-Identifier: MIT */
/* The client against the library's own server, and what goes wrong in TLS. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <smtpd.h>

#include "certs.h"
#include "client/client_state.h"
#include "client/starttls.h"
#include "scripted.h"
#include "transport/tls_compat.h"
#include "transport/tls_conn_state.h"
#include "transport/tls_trust.h"

#include "test.h"

/* A server that keeps the last message. */
struct maintenance {
	struct smtpd_server *server;
	struct smtpd_target target; /* a.example */
	uint16_t port, tls_port;
	char *text;
	size_t len, room;
};

static int
take_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	(void)s, (void)c, (void)user;
	return 0;
}

static int
keep(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	struct maintenance *k = user;
	ssize_t n = 1;

	(void)envelope;
	for (k->len = 0; n > 0; k->len += (size_t)n) {
		if (k->len == k->room) {
			k->room = k->room == 0 ? 4096 : 2 * k->room;
			k->text = realloc(k->text, k->room);
		}
		n = smtpd_body_read(body, k->text + k->len, k->room - k->len);
		if (n == -1)
			break;
	}
	return n == 0 ? 0 : smtpd_reply(s, 451, "4.3.0", "lost");
}

static uint16_t
port_of(const char *address)
{
	return (uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10);
}

/* Start K with certificate NAME; NULL: without TLS. */
static void
start(struct maintenance *k, const char *name)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "a.example", .max_message_size = 64 << 20 };
	char cert[32], key[32];

	memset(k, 0, sizeof(*k));
	k->server = smtpd_server_create(&settings);
	smtpd_server_add_handler(k->server, "RCPT", take_rcpt, NULL);
	smtpd_server_set_deliver(k->server, keep, k);
	assert_int_equal(smtpd_server_listen(k->server, "127.0.0.1:0", 0), 0);
	if (name != NULL) {
		struct smtpd_tls *tls = smtpd_tls_create(NULL);

		snprintf(cert, sizeof(cert), "%s.pem", name);
		snprintf(key, sizeof(key), "%s.key", name);
		assert_int_equal(
		    smtpd_tls_add_files(tls, certs_at(cert), certs_at(key)), 0);
		smtpd_server_set_tls(k->server, tls);
		smtpd_tls_unref(tls);
		assert_int_equal(smtpd_server_listen(k->server, "127.0.0.1:0",
				     SMTPD_LISTEN_TLS),
		    0);
		k->tls_port = port_of(smtpd_server_address(k->server, 1));
	}
	assert_int_equal(smtpd_server_start(k->server), 0);
	k->target = scripted_target("127.0.0.1", "a.example");
	k->port = port_of(smtpd_server_address(k->server, 0));
}

static void
stop(struct maintenance *k)
{
	smtpd_server_destroy(k->server);
	free(k->text);
}

static struct smtpd_trust *
trust(const char *ca)
{
	char error[256];
	struct smtpd_trust *t =
	    smtpd_trust_create(certs_at(ca), error, sizeof(error));

	if (t == NULL)
		fail_msg("%s", error);
	return t;
}

static const struct smtpd_outgoing_rcpt one_rcpt = {
	SMTPD_OUTGOING_RCPT_INIT,
	.address = "b@example.org",
};

/* Send LEN bytes at TEXT from a file, beginning at an offset. */
static void
send_text(struct smtpd_client *c, const char *text, size_t len)
{
	const struct smtpd_result *result;
	FILE *file = tmpfile();
	const struct smtpd_outgoing_envelope envelope = {
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = "a@example.net",
		.rcpts = &one_rcpt,
		.nrcpts = 1,
	};
	struct smtpd_outgoing m = {
		SMTPD_OUTGOING_INIT,
		.envelope = &envelope,
		.offset = 3,
		.length = len,
	};

	assert_non_null(file);
	fwrite("abc", 1, 3, file);
	fwrite(text, 1, len, file);
	fwrite("more", 1, 4, file);
	fflush(file);
	m.fd = fileno(file);
	assert_int_equal(smtpd_client_send(c, &m), 0);
	result = smtpd_client_rcpt_result(c, 0);
	if (result->outcome != SMTPD_OUTCOME_SENT)
		fail_msg("%s", result->text);
	fclose(file);
}

/* A message as it is given, and as it arrives. */
static const struct {
	const char *given;
	const char *arrives;
} messages[] = {
	{ "", "" },
	{ "x", "x\r\n" },
	{ "Subject: x\r\n\r\nhi\r\n", "Subject: x\r\n\r\nhi\r\n" },
	{ "Subject: x\n\nhi\n", "Subject: x\r\n\r\nhi\r\n" },
	{ ".\n..\n...\n", ".\r\n..\r\n...\r\n" },
	{ "a\r.\rb\n.\nc", "a\r\n.\r\nb\r\n.\r\nc\r\n" },
	{ "\n\n\r\r", "\r\n\r\n\r\n\r\n" },
	{ "\xff\xfe\x80", "\xff\xfe\x80\r\n" },
	{ "a\r\n.\r\nMAIL FROM:<x@y>\r\n", "a\r\n.\r\nMAIL FROM:<x@y>\r\n" },
};

/* Through C all messages, and one of several megabytes. */
static void
send_messages(struct smtpd_client *c, struct maintenance *k)
{
	const size_t large = 5000000;
	char *text = malloc(large);
	unsigned seed = 7;

	for (size_t i = 0; i < COUNT(messages); i++) {
		send_text(c, messages[i].given, strlen(messages[i].given));
		assert_int_equal(k->len, strlen(messages[i].arrives));
		assert_memory_equal(k->text, messages[i].arrives, k->len);
	}
	for (size_t i = 0; i < large; i += 2) {
		seed = seed * 1103515245 + 12345;
		text[i] = (char)(' ' + (seed >> 16) % 94);
		text[i + 1] = '.';
		if ((seed >> 24) % 32 == 0)
			memcpy(text + i, "\r\n", 2);
	}
	memcpy(text + large - 2, "\r\n", 2);
	send_text(c, text, large);
	assert_int_equal(k->len, large);
	assert_memory_equal(k->text, text, large);
	free(text);
}

static void
messages_arrive_as_they_are(void **state)
{
	struct maintenance k;
	struct smtpd_client *c = smtpd_client_create(NULL);

	(void)state;
	start(&k, NULL);
	assert_int_equal(smtpd_client_connect(c, &k.target, 1, k.port), 0);
	assert_null(smtpd_client_tls(c));
	send_messages(c, &k);
	smtpd_client_quit(c);
	smtpd_client_destroy(c);
	stop(&k);
}

static void
messages_arrive_over_tls(void **state)
{
	for (int first = 0; first <= 1; first++) {
		struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
			.tls_first = first };
		struct smtpd_client *c = smtpd_client_create(&set);
		const struct smtpd_client_tls_info *tls;
		struct maintenance k;

		(void)state;
		start(&k, "a");
		if (smtpd_client_connect(
			c, &k.target, 1, first ? k.tls_port : k.port) != 0)
			fail_msg("%s", smtpd_client_result(c)->text);
		tls = smtpd_client_tls(c);
		assert_non_null(tls);
		assert_memory_equal(tls->version, "TLSv1.", 6);
		assert_memory_equal(tls->cipher, "TLS_", 4);
		assert_false(tls->verified);
		assert_false(tls->resumed);
		assert_non_null(strstr(tls->reason, "not correctly signed"));
		assert_null(smtpd_client_offers(c, "STARTTLS"));
		send_messages(c, &k);
		smtpd_client_quit(c);
		assert_null(smtpd_client_tls(c));
		smtpd_client_destroy(c);
		stop(&k);
	}
}

/* A certificate, who is believed, by which name the host is called, and what
 * comes of it. */
static const struct {
	const char *cert, *ca, *host;
	bool verified;
	const char *reason; /* a part of it */
} certificates[] = {
	{ "a", "ca.pem", "a.example", true, "" },
	{ "a", "ca.pem", "A.Example", true, "" },
	{ "a-rsa", "ca.pem", "a.example", true, "" },
	{ "wild", "ca.pem", "x.wild.example", true, "" },
	{ "wild", "ca.pem", "x.y.wild.example", false, "Common Name" },
	{ "a", "ca.pem", "b.example", false, "Common Name" },
	{ "a", "ca.pem", "example", false, "Common Name" },
	{ "a", "ca.pem", "[127.0.0.1]", false, "Common Name" },
	/* T4: the addresses of a certificate. */
	{ "ip", "ca.pem", "127.0.0.1", true, "" },
	{ "ip", "ca.pem", "[127.0.0.1]", true, "" },
	{ "ip", "ca.pem", "[IPv6:::1]", true, "" },
	{ "ip", "ca.pem", "::1", true, "" },
	{ "ip", "ca.pem", "ip.example", true, "" },
	{ "ip", "ca.pem", "127.0.0.2", false, "Common Name" },
	{ "a", "ca.pem", "", false, "no name" },
	{ "a", "other.pem", "a.example", false, "not correctly signed" },
	{ "stranger", "ca.pem", "stranger", false, "not correctly signed" },
	{ "stranger", "ca.pem", "b.example", false, "; " },
};

/* RFC 3207, 4.1 */
static void
certificates_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(certificates); i++) {
		struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
			.trust = trust(certificates[i].ca) };
		const struct smtpd_client_tls_info *tls;
		const struct smtpd_result *r;
		struct smtpd_client *c;
		struct maintenance k;

		start(&k, certificates[i].cert);
		k.target.host = certificates[i].host;
		c = smtpd_client_create(&set);
		if (smtpd_client_connect(c, &k.target, 1, k.port) != 0)
			fail_msg("%s", smtpd_client_result(c)->text);
		tls = smtpd_client_tls(c);
		if (tls->verified != certificates[i].verified ||
		    strstr(tls->reason, certificates[i].reason) == NULL)
			fail_msg("%s as %s: %s", certificates[i].cert,
			    certificates[i].host, tls->reason);
		smtpd_client_quit(c);
		smtpd_client_destroy(c);

		set.security = SMTPD_SECURITY_REQUIRED;
		c = smtpd_client_create(&set);
		r = smtpd_client_result(c);
		assert_int_equal(smtpd_client_connect(c, &k.target, 1, k.port),
		    certificates[i].verified ? 0 : -1);
		if (!certificates[i].verified) {
			assert_int_equal(r->outcome, SMTPD_OUTCOME_TEMPORARY);
			assert_int_equal(r->phase, SMTPD_PHASE_TLS);
			assert_string_equal(r->status, "4.7.5");
			/* T9: it came over TLS. */
			assert_null(smtpd_client_tls(c));
			assert_memory_equal(
			    smtpd__client_starttls_text(c), "TLSv1.", 6);
			assert_non_null(strstr(
			    smtpd__client_starttls_text(c), "/unverified"));
		}
		smtpd_client_quit(c);
		smtpd_client_destroy(c);
		smtpd_trust_unref(set.trust);
		stop(&k);
	}
}

/* Connect to HOST, and tell whether an earlier session went on. */
static bool
resumes(struct smtpd_trust *t, struct maintenance *k, const char *host,
    enum smtpd_security security)
{
	struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
		.trust = t, .security = security };
	struct smtpd_client *c = smtpd_client_create(&set);
	bool resumed;

	k->target.host = host;
	if (smtpd_client_connect(c, &k->target, 1, k->port) != 0)
		fail_msg("%s", smtpd_client_result(c)->text);
	resumed = smtpd_client_tls(c)->resumed;
	assert_int_equal(
	    smtpd_client_tls(c)->verified, strcmp(host, "a.example") == 0);
	send_text(c, "hi\r\n", 4);
	smtpd_client_quit(c);
	smtpd_client_destroy(c);
	return resumed;
}

/* Only with the same host, and under the same policy. */
static void
sessions_go_on(void **state)
{
	struct smtpd_trust *t = trust("ca.pem");
	struct maintenance k;

	(void)state;
	start(&k, "a");
	assert_false(resumes(t, &k, "a.example", SMTPD_SECURITY_OPPORTUNISTIC));
	assert_true(resumes(t, &k, "a.example", SMTPD_SECURITY_OPPORTUNISTIC));
	assert_true(resumes(t, &k, "a.example", SMTPD_SECURITY_OPPORTUNISTIC));
	assert_false(resumes(t, &k, "a.example", SMTPD_SECURITY_REQUIRED));
	assert_true(resumes(t, &k, "a.example", SMTPD_SECURITY_REQUIRED));
	assert_false(resumes(t, &k, "b.example", SMTPD_SECURITY_OPPORTUNISTIC));
	assert_true(resumes(t, &k, "b.example", SMTPD_SECURITY_OPPORTUNISTIC));
	smtpd_trust_unref(t);
	t = trust("ca.pem");
	assert_false(resumes(t, &k, "a.example", SMTPD_SECURITY_OPPORTUNISTIC));
	smtpd_trust_unref(t);
	stop(&k);
}

/* Whether a client called NAME, with USER or NULL, resumes a session. */
static bool
resumes_as(struct smtpd_trust *t, struct maintenance *k, const char *name,
    const char *user)
{
	const struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
		.trust = t, .hostname = name, .user = user,
		.password = "secret" };
	struct smtpd_client *c = smtpd_client_create(&set);
	bool resumed;

	k->target.host = "a.example";
	/* The server knows no users. */
	assert_int_equal(smtpd_client_connect(c, &k->target, 1, k->port),
	    user == NULL ? 0 : -1);
	if (user != NULL) {
		assert_int_equal(
		    smtpd_client_result(c)->phase, SMTPD_PHASE_AUTH);
		smtpd_client_destroy(c);
		return false;
	}
	resumed = smtpd_client_tls(c)->resumed;
	send_text(c, "hi\r\n", 4);
	smtpd_client_quit(c);
	smtpd_client_destroy(c);
	return resumed;
}

/* What was agreed on as one sender is not used as another. */
static void
sessions_belong_to_one_sender(void **state)
{
	struct smtpd_trust *t = trust("ca.pem");
	struct maintenance k;
	char long_user[1100];

	(void)state;
	start(&k, "a");
	memset(long_user, 'u', sizeof(long_user));
	long_user[sizeof(long_user) - 1] = '\0';
	assert_false(resumes_as(t, &k, "me.example", "bob"));
	assert_false(resumes_as(t, &k, "me.example", NULL));
	assert_true(resumes_as(t, &k, "me.example", NULL));
	assert_false(resumes_as(t, &k, "other.example", NULL));
	assert_true(resumes_as(t, &k, "other.example", NULL));
	assert_false(resumes_as(t, &k, "me.example", long_user));
	assert_true(resumes_as(t, &k, "me.example", NULL));
	smtpd_trust_unref(t);
	stop(&k);
}

#define HI    "< 220 peer\n> EHLO me.example\n"
#define OFFER HI "< 250-peer\n< 250 STARTTLS\n> STARTTLS\n"

/* What goes wrong before TLS, or in it: the result of the connection, or NULL
 * if it is open without TLS. */
static const struct {
	const char *name, *script;
	enum smtpd_security security;
	const char *result;
	bool auth, first, quick;
} faults[] = {
	{ "not offered", HI "< 250 peer\n> QUIT\n",
	    SMTPD_SECURITY_OPPORTUNISTIC, NULL, false, false, false },
	{ "not offered, required", HI "< 250 peer\nhold\n",
	    SMTPD_SECURITY_REQUIRED, "3 0 4.7.4", false, false, false },
	{ "HELO, required", HI "< 500 x\n> HELO\n< 250 peer\nhold\n",
	    SMTPD_SECURITY_REQUIRED, "3 0 4.7.4", false, false, false },
	{ "offered, unwanted", HI "< 250-peer\n< 250 STARTTLS\n> QUIT\n",
	    SMTPD_SECURITY_NONE, NULL, false, false, false },
	{ "refused", OFFER "< 454 4.7.0 x\nhold\n",
	    SMTPD_SECURITY_OPPORTUNISTIC, "3 454 4.7.0", false, false, false },
	{ "refused, required", OFFER "< 454 4.7.0 x\nhold\n",
	    SMTPD_SECURITY_REQUIRED, "3 454 4.7.0", false, false, false },
	{ "refused for ever, required", OFFER "< 554 x\nhold\n",
	    SMTPD_SECURITY_REQUIRED, "3 554 4.0.0", false, false, false },
	{ "421", OFFER "< 421 x\nhold\n", SMTPD_SECURITY_OPPORTUNISTIC,
	    "3 421 4.0.0", false, false, false },
	{ "drop", OFFER, SMTPD_SECURITY_OPPORTUNISTIC, "3 0 4.4.2", false,
	    false, false },
	{ "injection", OFFER "= 220 go|250-evil|250 AUTH PLAIN|\nhold\n",
	    SMTPD_SECURITY_OPPORTUNISTIC, "3 0 4.7.0", false, false, false },
	{ "injection of one byte", OFFER "= 220 go|x\nhold\n",
	    SMTPD_SECURITY_OPPORTUNISTIC, "3 0 4.7.0", false, false, false },
	{ "garbage", OFFER "< 220 go\n< 250 plain text again\nhold\n",
	    SMTPD_SECURITY_OPPORTUNISTIC, "3 0 4.7.", false, false, false },
	{ "drop in the handshake", OFFER "< 220 go\n",
	    SMTPD_SECURITY_OPPORTUNISTIC, "3 0 4.4.2", false, false, false },
	{ "stall in the handshake", OFFER "< 220 go\nhold\n",
	    SMTPD_SECURITY_OPPORTUNISTIC, "3 0 4.4.2", false, false, true },
	{ "half closed in the handshake", OFFER "< 220 go\nhalf\nhold\n",
	    SMTPD_SECURITY_OPPORTUNISTIC, "3 0 4.4.2", false, false, false },
	{ "no TLS at once", "< 220 peer\nhold\n", SMTPD_SECURITY_OPPORTUNISTIC,
	    "3 0 4.7.5", false, true, false },
	{ "silence at once", "hold\n", SMTPD_SECURITY_OPPORTUNISTIC,
	    "3 0 4.4.2", false, true, true },
	{ "AUTH in the clear", HI "< 250-peer\n< 250 AUTH PLAIN\nhold\n",
	    SMTPD_SECURITY_OPPORTUNISTIC, "4 0 4.7.0", true, false, false },
};

/* RFC 3207, 6; RFC 4954, 9 */
static void
faults_end_the_connection(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct smtpd_client_settings set = {
			SMTPD_CLIENT_SETTINGS_INIT,
			.hostname = "me.example",
			.security = faults[i].security,
			.tls_first = faults[i].first,
			.tls_ms = faults[i].quick ? 100 : 20000,
			.user = faults[i].auth ? "user" : NULL,
			.password = "pencil",
			.quit_ms = 100,
		};
		struct smtpd_client *c = smtpd_client_create(&set);
		const struct smtpd_result *r = smtpd_client_result(c);
		struct scripted peer;
		int connected;
		char got[64];

		scripted_start(&peer, faults[i].script);
		connected = smtpd_client_connect(c, &peer.target, 1, peer.port);
		snprintf(got, sizeof(got), "%d %d %s", (int)r->phase, r->code,
		    r->status);
		if ((connected == 0) != (faults[i].result == NULL) ||
		    (connected != 0 &&
			strncmp(got, faults[i].result,
			    strlen(faults[i].result)) != 0))
			fail_msg("%s: %s (%s)", faults[i].name, got, r->text);
		if (connected != 0)
			assert_int_equal(r->outcome, SMTPD_OUTCOME_TEMPORARY);
		assert_null(smtpd_client_tls(c));
		smtpd_client_quit(c);
		smtpd_client_destroy(c);
		scripted_finish(&peer);
	}
}

static void *
trigger_soon(void *cancel)
{
	poll(NULL, 0, 100);
	smtpd_cancel_trigger(cancel);
	return NULL;
}

static void
cancel_ends_the_handshake(void **state)
{
	struct smtpd_cancel *cancel = smtpd_cancel_create();
	struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = "me.example", .cancel = cancel };
	struct smtpd_client *c = smtpd_client_create(&set);
	struct scripted peer;
	pthread_t thread;

	(void)state;
	scripted_start(&peer, OFFER "< 220 go\nhold\n");
	pthread_create(&thread, NULL, trigger_soon, cancel);
	assert_int_equal(
	    smtpd_client_connect(c, &peer.target, 1, peer.port), -1);
	assert_int_equal(smtpd_client_result(c)->phase, SMTPD_PHASE_TLS);
	assert_string_equal(smtpd_client_result(c)->text, "cancelled");
	pthread_join(thread, NULL);
	smtpd_client_destroy(c);
	scripted_finish(&peer);
	smtpd_cancel_destroy(cancel);
}

/* A password is for those who show a good certificate. */
static void
passwords_are_kept(void **state)
{
	struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
		.user = "user", .password = "pencil" };
	struct smtpd_client *c = smtpd_client_create(&set);
	struct maintenance k;

	(void)state;
	start(&k, "a");
	assert_int_equal(smtpd_client_connect(c, &k.target, 1, k.port), -1);
	assert_int_equal(smtpd_client_result(c)->phase, SMTPD_PHASE_AUTH);
	assert_string_equal(smtpd_client_result(c)->status, "4.7.0");
	smtpd_client_destroy(c);
	stop(&k);
}

/* What the library that is loaded says of its buffers, and how often memory
 * was given back. */
static int fragment_max = MBEDTLS_SSL_IN_CONTENT_LEN;
static atomic_int releases;

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
int
#else
size_t
#endif
SMTPD_TLS_IN_MAX(const mbedtls_ssl_context *ssl)
{
	(void)ssl;
	return fragment_max;
}

/* POSIX does not have it. */
int madvise(void *at, size_t len, int advice);

int
madvise(void *at, size_t len, int advice)
{
	(void)at, (void)len, (void)advice;
	releases++;
	return 0;
}

/* How often an idle session in TLS gives memory back; it goes on then. */
static int
rest_and_go_on(void)
{
	struct smtpd_client_settings set = {
		SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = "me.example",
	};
	struct smtpd_client *c = smtpd_client_create(&set);
	struct maintenance k;

	start(&k, "a");
	assert_int_equal(smtpd_client_connect(c, &k.target, 1, k.port), 0);
	releases = 0;
	/* The stack comes last. */
	for (int i = 0; i < 3000 && releases < 2; i++)
		poll(NULL, 0, 10);
	poll(NULL, 0, 300);
	smtpd_client_destroy(c);
	stop(&k);
	return releases;
}

/* E3: Buffers are given back only where those of the library are as large as
 * its header said: heap behind smaller ones was cleared. */
static void
smaller_buffers_are_left_alone(void **state)
{
	int all = rest_and_go_on();

	(void)state;
	fragment_max = 4096;
	assert_int_equal(rest_and_go_on(), all - 2);
	fragment_max = MBEDTLS_SSL_IN_CONTENT_LEN;
}

/* E21: Without a trust of the program's, a certificate that must be good is
 * looked up among the authorities of the system. */
static void
the_system_is_trusted_where_nothing_else_is(void **state)
{
	static const char *const bundle = "/etc/ssl/certs/ca-certificates.crt";
	struct smtpd_client_settings set = {
		SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = "me.example",
	};
	struct smtpd_client *c = smtpd_client_create(&set);
	const mbedtls_x509_crt *ca;
	struct maintenance k;

	(void)state;
	start(&k, "a");
	assert_int_equal(smtpd_client_connect(c, &k.target, 1, k.port), 0);
	assert_false(c->trusts_system);
	smtpd_client_destroy(c);
	set.security = SMTPD_SECURITY_REQUIRED;
	c = smtpd_client_create(&set);
	assert_int_equal(smtpd_client_connect(c, &k.target, 1, k.port), -1);
	assert_true(c->trusts_system);
	ca = SMTPD_TLS_FIELD(smtpd__tls_trust_conf(c->trust, false), ca_chain);
	assert_true(ca->raw.p != NULL || access(bundle, R_OK) != 0);
	smtpd_client_destroy(c);
	stop(&k);
}

static void
trust_needs_certificates(void **state)
{
	char error[256] = "";

	(void)state;
	assert_null(
	    smtpd_trust_create(certs_at("none.pem"), error, sizeof(error)));
	assert_non_null(strstr(error, "none.pem"));
	assert_null(
	    smtpd_trust_create(certs_at("empty.pem"), error, sizeof(error)));
	assert_null(
	    smtpd_trust_create(certs_at("a.key"), error, sizeof(error)));
	smtpd_trust_unref(NULL);
}

/* S38: the authorities of a policy replace those of the settings, from the next
 * connection on: an open one goes on, whoever lets go of them. */
static void
a_policy_brings_authorities(void **state)
{
	struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
		.trust = trust("other.pem"),
		.security = SMTPD_SECURITY_REQUIRED };
	struct smtpd_tls_policy policy = { .level = SMTPD_SECURITY_REQUIRED,
		.trust = trust("ca.pem") };
	struct smtpd_client *c = smtpd_client_create(&set);
	struct maintenance k;

	(void)state;
	start(&k, "a");
	assert_int_equal(smtpd_client_connect(c, &k.target, 1, k.port), -1);
	smtpd__tls_policy_identify(&policy);
	smtpd__client_starttls_set_policy(c, &policy);
	assert_int_equal(smtpd_client_connect(c, &k.target, 1, k.port), 0);
	smtpd_trust_unref(policy.trust);
	policy.trust = NULL;
	smtpd__client_starttls_set_policy(c, &policy);
	send_text(c, "hi\r\n", 4);
	smtpd_client_quit(c);
	assert_int_equal(smtpd_client_connect(c, &k.target, 1, k.port), -1);
	smtpd_client_destroy(c);
	smtpd_trust_unref(set.trust);
	stop(&k);
}

/* S22: the names of a policy replace that of the host. */
static void
a_policy_names_certificates(void **state)
{
	static const char *const a[] = { "other.example", "A.example" };
	static const struct {
		const char *host;
		size_t nnames; /* the last of A */
		bool good;
	} cases[] = { { "a.example", 0, true }, { "forged.example", 0, false },
		{ "forged.example", 2, true }, { "a.example", 1, false },
		{ "127.0.0.1", 2, true }, { "127.0.0.1", 1, false } };
	struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
		.trust = trust("ca.pem"), .security = SMTPD_SECURITY_REQUIRED };
	struct smtpd_client *c = smtpd_client_create(&set);
	struct maintenance k;

	(void)state;
	start(&k, "a");
	/* Twice: a session that goes on is judged as it was. */
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		struct smtpd_tls_policy policy = {
			.level = SMTPD_SECURITY_REQUIRED,
			.names = a,
			.nnames = cases[i / 2].nnames,
		};

		smtpd__tls_policy_identify(&policy);
		smtpd__client_starttls_set_policy(c, &policy);
		k.target.host = cases[i / 2].host;
		assert_int_equal(smtpd_client_connect(c, &k.target, 1, k.port),
		    cases[i / 2].good ? 0 : -1);
		if (cases[i / 2].good)
			send_text(c, "hi\r\n", 4);
		else if (policy.nnames > 0)
			assert_string_equal(smtpd_client_result(c)->text,
			    "the server's certificate: it bears none of the "
			    "required names");
		smtpd_client_quit(c);
	}
	smtpd_client_destroy(c);
	smtpd_trust_unref(set.trust);
	stop(&k);
}

/* S38: free places have the empty key. */
static void
no_session_has_the_empty_key(void **state)
{
	struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
		.trust = trust("ca.pem") };
	struct smtpd_client *c = smtpd_client_create(&set);
	struct smtpd_tls_outcome stored = { .reached =
						SMTPD_TLS_REACHED_VERIFIED };
	struct smtpd_tls_outcome found = { .reason = "" };
	struct smtpd_tls_sessions *sessions;
	struct maintenance k;

	(void)state;
	start(&k, "a");
	assert_int_equal(smtpd_client_connect(c, &k.target, 1, k.port), 0);
	sessions = smtpd__tls_trust_sessions(set.trust);
	smtpd__tls_sessions_store(sessions, "", &c->stream.tls->ssl, &stored);
	smtpd__tls_sessions_offer(sessions, "", &c->stream.tls->ssl, &found);
	assert_int_equal(found.reached, SMTPD_TLS_REACHED_NONE);
	smtpd_client_quit(c);
	smtpd_client_destroy(c);
	smtpd_trust_unref(set.trust);
	stop(&k);
}

static int
sending(void *arg)
{
	void **args = arg;
	struct maintenance *k = args[1];

	for (int i = 0; i < 5; i++) {
		struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
			.trust = args[0], .security = SMTPD_SECURITY_REQUIRED };
		struct smtpd_client *c = smtpd_client_create(&set);
		int error = smtpd_client_connect(c, &k->target, 1, k->port);

		smtpd_client_quit(c);
		smtpd_client_destroy(c);
		if (error != 0)
			return -1;
	}
	return 0;
}

static void *
run_sending(void *arg)
{
	return sending(arg) == 0 ? NULL : arg;
}

static void
threads_share_trust(void **state)
{
	struct smtpd_trust *t = trust("ca.pem");
	pthread_t threads[4];
	struct maintenance k;
	void *args[2] = { t, &k };

	(void)state;
	start(&k, "a");
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_create(&threads[i], NULL, run_sending, args);
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *result;

		pthread_join(threads[i], &result);
		assert_null(result);
	}
	stop(&k);
	smtpd_trust_unref(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_arrive_as_they_are),
		cmocka_unit_test(messages_arrive_over_tls),
		cmocka_unit_test(certificates_are_judged),
		cmocka_unit_test(sessions_go_on),
		cmocka_unit_test(sessions_belong_to_one_sender),
		cmocka_unit_test(faults_end_the_connection),
		cmocka_unit_test(cancel_ends_the_handshake),
		cmocka_unit_test(passwords_are_kept),
		cmocka_unit_test(the_system_is_trusted_where_nothing_else_is),
		cmocka_unit_test(smaller_buffers_are_left_alone),
		cmocka_unit_test(trust_needs_certificates),
		cmocka_unit_test(a_policy_brings_authorities),
		cmocka_unit_test(a_policy_names_certificates),
		cmocka_unit_test(no_session_has_the_empty_key),
		cmocka_unit_test(threads_share_trust),
	};

	return cmocka_run_group_tests(tests, certs_copy, certs_remove);
}
