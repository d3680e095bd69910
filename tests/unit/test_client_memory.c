/* SPDX-License-Identifier: MIT */
/* The client with every allocation failing once; linked with --wrap. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd.h>

#include "certs.h"
#include "failing.h"
#include "scripted.h"

#include "test.h"

static int
take_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	(void)s, (void)c, (void)user;
	return 0;
}

static int
count_message(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *count)
{
	char buf[64];
	ssize_t n = smtpd_body_read(body, buf, sizeof(buf));

	(void)envelope;
	if (n != 4 || memcmp(buf, "hi\r\n", 4) != 0 ||
	    smtpd_body_read(body, buf, sizeof(buf)) != 0)
		return smtpd_reply(s, 554, "5.6.0", "another message");
	atomic_fetch_add((atomic_int *)count, 1);
	return 0;
}

static ssize_t
read_hi(void *user, void *buf, size_t size)
{
	bool *done = user;

	if (*done || size < 3)
		return 0;
	*done = true;
	memcpy(buf, "hi\n", 3);
	return 3;
}

static const struct smtpd_outgoing_rcpt rcpt = { SMTPD_OUTGOING_RCPT_INIT,
	.address = "b@example.org" };

static int
send_hi(struct smtpd_client *c, struct smtpd_result *result)
{
	bool done = false;
	int status;
	const struct smtpd_outgoing_envelope envelope = {
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = "a@example.net",
		.rcpts = &rcpt,
		.nrcpts = 1,
	};
	const struct smtpd_outgoing m = {
		SMTPD_OUTGOING_INIT,
		.envelope = &envelope,
		.read = read_hi,
		.read_user = &done,
	};

	status = smtpd_client_send(c, &m);
	*result = *smtpd_client_rcpt_result(c, 0);
	return status;
}

/* Whether a client sent its message, from its beginning to its end. */
static bool
try(const struct smtpd_target *target, uint16_t port,
    enum smtpd_security security)
{
	struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
		.security = security };
	struct smtpd_result result = { .outcome = SMTPD_OUTCOME_TEMPORARY };
	struct smtpd_client *c = NULL;
	char error[128] = "";

	if (security != SMTPD_SECURITY_NONE) {
		set.trust = smtpd_trust_create(
		    certs_at("ca.pem"), error, sizeof(error));
		assert_true(set.trust != NULL || error[0] != '\0');
	}
	if (security == SMTPD_SECURITY_NONE || set.trust != NULL)
		c = smtpd_client_create(&set);
	if (c != NULL) {
		if (smtpd_client_connect(c, target, 1, port) == 0)
			send_hi(c, &result);
		else
			result = *smtpd_client_result(c);
		/* Never by less than what was asked for. */
		if (result.outcome == SMTPD_OUTCOME_SENT &&
		    security == SMTPD_SECURITY_REQUIRED)
			assert_true(smtpd_client_tls(c)->verified);
		if (result.outcome != SMTPD_OUTCOME_SENT) {
			assert_int_equal(
			    result.outcome, SMTPD_OUTCOME_TEMPORARY);
			assert_string_equal(result.status, "4.3.0");
		}
		smtpd_client_quit(c);
	}
	smtpd_client_destroy(c);
	smtpd_trust_unref(set.trust);
	return result.outcome == SMTPD_OUTCOME_SENT;
}

/* Let one after the other fail of all that a connection allocates, at least
 * LEAST.  What is said to be sent is with the server, and nothing else is. */
static void
check_failures(const struct smtpd_target *target, uint16_t port,
    enum smtpd_security security, atomic_int *count, int least)
{
	bool failed = true;
	int n;

	for (n = 0; failed; n++) {
		int before = atomic_load(count);
		bool sent;

		failing_after(n);
		sent = try(target, port, security);
		failed = failing_ended();
		assert_int_equal(atomic_load(count) - before, sent);
		assert_true(sent || failed);
	}
	assert_in_range(n, least + 1, 100);
}

static void
no_failure_to_allocate_is_missed(void **state)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "a.example" };
	struct smtpd_server *server = smtpd_server_create(&settings);
	struct smtpd_target target = scripted_target("127.0.0.1", "a.example");
	struct smtpd_tls *tls = NULL;
	atomic_int count = 0;
	uint16_t port;

	(void)state;
	smtpd_server_add_handler(server, "RCPT", take_rcpt, NULL);
	smtpd_server_set_deliver(server, count_message, &count);
	if (smtpd_tls_supported()) {
		tls = smtpd_tls_create(NULL);
		assert_int_equal(smtpd_tls_add_files(
				     tls, certs_at("a.pem"), certs_at("a.key")),
		    0);
		smtpd_server_set_tls(server, tls);
		smtpd_tls_unref(tls);
	}
	assert_int_equal(smtpd_server_listen(server, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(server), 0);
	port = (uint16_t)strtoul(
	    strrchr(smtpd_server_address(server, 0), ':') + 1, NULL, 10);
	check_failures(&target, port, SMTPD_SECURITY_NONE, &count, 3);
	if (tls != NULL)
		check_failures(
		    &target, port, SMTPD_SECURITY_REQUIRED, &count, 6);
	smtpd_server_destroy(server);
}

/* Without memory for a chunk the message ends, and the connection does not; in
 * the middle of DATA it has to. */
static void
chunks_need_memory(void **state)
{
	static const char script[] =
	    "< 220 x\n> EHLO me\n< 250-x\n< 250 CHUNKING\n"
	    "> MAIL\n< 250 x\n> RCPT\n< 250 x\n> RSET\n< 250 x\n"
	    "> MAIL\n< 250 x\n> RCPT\n< 250 x\nlast\n< 250 x\n"
	    "> QUIT\n< 221 x\n";
	static const char dotted[] =
	    "< 220 x\n> EHLO me\n< 250 x\n"
	    "> MAIL\n< 250 x\n> RCPT\n< 250 x\n> DATA\n< 354 x\nhold\n";
	const struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = "me" };
	struct smtpd_client *c = smtpd_client_create(&set);
	struct smtpd_result result;
	struct scripted peer;

	(void)state;
	scripted_start(&peer, script);
	assert_int_equal(
	    smtpd_client_connect(c, &peer.target, 1, peer.port), 0);
	/* The first is for the results. */
	failing_after(1);
	assert_int_equal(send_hi(c, &result), 0);
	assert_true(failing_ended());
	assert_int_equal(result.outcome, SMTPD_OUTCOME_TEMPORARY);
	assert_string_equal(result.text, "out of memory");
	assert_int_equal(send_hi(c, &result), 0);
	assert_int_equal(result.outcome, SMTPD_OUTCOME_SENT);
	smtpd_client_quit(c);
	scripted_finish(&peer);

	scripted_start(&peer, dotted);
	assert_int_equal(
	    smtpd_client_connect(c, &peer.target, 1, peer.port), 0);
	failing_after(0);
	assert_int_equal(send_hi(c, &result), -1);
	assert_true(failing_ended());
	assert_int_equal(result.outcome, SMTPD_OUTCOME_TEMPORARY);
	assert_string_equal(result.text, "out of memory");
	smtpd_client_destroy(c);
	scripted_finish(&peer);
}

static ssize_t
read_umlaut(void *user, void *buf, size_t size)
{
	bool *done = user;

	if (*done || size < 3)
		return 0;
	*done = true;
	memcpy(buf, "\xC3\xBC\n", 3);
	return 3;
}

static int
rewind_umlaut(void *user)
{
	*(bool *)user = false;
	return 0;
}

/* Without memory for a conversion nothing is sent, and the connection stays. */
static void
a_conversion_needs_memory(void **state)
{
	static const char script[] =
	    "< 220 x\n> EHLO me\n< 250 x\n"
	    "> MAIL\n< 250 x\n> RCPT\n< 250 x\n> DATA\n< 354 x\ndata\n"
	    "< 250 x\n> QUIT\n< 221 x\n";
	const struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = "me" };
	const struct smtpd_outgoing_envelope envelope = {
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = "a@example.net",
		.rcpts = &rcpt,
		.nrcpts = 1,
		.eight_bit = true,
	};
	bool done = false;
	const struct smtpd_outgoing m = {
		SMTPD_OUTGOING_INIT,
		.envelope = &envelope,
		.read = read_umlaut,
		.read_user = &done,
		.convert = true,
		.rewind = rewind_umlaut,
	};
	struct smtpd_client *c = smtpd_client_create(&set);
	struct scripted peer;

	(void)state;
	scripted_start(&peer, script);
	assert_int_equal(
	    smtpd_client_connect(c, &peer.target, 1, peer.port), 0);
	/* The first is for the results. */
	failing_after(1);
	assert_int_equal(smtpd_client_send(c, &m), 0);
	assert_true(failing_ended());
	assert_string_equal(
	    smtpd_client_rcpt_result(c, 0)->text, "out of memory");
	assert_int_equal(smtpd_client_send(c, &m), 0);
	assert_int_equal(
	    smtpd_client_rcpt_result(c, 0)->outcome, SMTPD_OUTCOME_SENT);
	assert_int_equal(smtpd_client_conversion(c), SMTPD_CONVERSION_DONE);
	smtpd_client_quit(c);
	smtpd_client_destroy(c);
	scripted_finish(&peer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_failure_to_allocate_is_missed),
		cmocka_unit_test(chunks_need_memory),
		cmocka_unit_test(a_conversion_needs_memory),
	};

	return cmocka_run_group_tests(tests, certs_copy, certs_remove);
}
