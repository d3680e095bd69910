/* SPDX-License-Identifier: MIT */
/* The client where a conversation as a file (tests/call) is not enough: misuse,
 * its settings, and a cancel before or while it connects. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <smtpd.h>

#include "client/client_state.h"
#include "scripted.h"

#include "test.h"

static const struct smtpd_client_settings settings = {
	SMTPD_CLIENT_SETTINGS_INIT,
	.hostname = "me.example",
	.security = SMTPD_SECURITY_NONE,
};

static const struct smtpd_outgoing_rcpt one[] = {
	{ SMTPD_OUTGOING_RCPT_INIT, .address = "b@example.org" },
};

static const struct smtpd_outgoing_envelope to_one = {
	SMTPD_OUTGOING_ENVELOPE_INIT,
	.sender = "a@example.net",
	.rcpts = one,
	.nrcpts = 1,
};

static ssize_t
read_nothing(void *user, void *buf, size_t size)
{
	(void)user, (void)buf, (void)size;
	return 0;
}

static const struct smtpd_outgoing empty = {
	SMTPD_OUTGOING_INIT,
	.envelope = &to_one,
	.read = read_nothing,
};

/* Fail unless R is temporary, with STATUS and without a reply. */
static void
check_temporary(
    const struct smtpd_result *r, enum smtpd_phase phase, const char *status)
{
	assert_int_equal(r->outcome, SMTPD_OUTCOME_TEMPORARY);
	assert_int_equal(r->phase, phase);
	assert_int_equal(r->code, 0);
	assert_string_equal(r->status, status);
}

/* A connection to PEER, which greets and says SCRIPT. */
static struct smtpd_client *
connect_to(struct scripted *peer, const char *script)
{
	struct smtpd_client *c = smtpd_client_create(&settings);

	assert_non_null(c);
	scripted_start(peer, script);
	if (smtpd_client_connect(c, &peer->target, 1, peer->port) != 0)
		fail_msg("%s", smtpd_client_result(c)->text);
	return c;
}

static void
finish(struct smtpd_client *c, struct scripted *peer)
{
	smtpd_client_quit(c);
	smtpd_client_destroy(c);
	scripted_finish(peer);
}

/* Whether C refuses M, and closes the connection to PEER. */
static void
check_invalid(const struct smtpd_outgoing *m)
{
	struct scripted peer;
	struct smtpd_client *c = connect_to(&peer,
	    "< 220 peer\n> EHLO me.example\n< 250 X\n"
	    "hold\n");

	errno = 0;
	assert_int_equal(smtpd_client_send(c, m), -1);
	assert_int_equal(errno, EINVAL);
	check_temporary(smtpd_client_result(c), SMTPD_PHASE_MAIL, "4.3.5");
	assert_ptr_equal(
	    smtpd_client_rcpt_result(c, 0), smtpd_client_result(c));
	finish(c, &peer);
}

static void
a_message_without_its_size_is_refused(void **state)
{
	struct smtpd_outgoing_rcpt rcpt = { .address = "b@x" };
	struct smtpd_outgoing_envelope envelope = to_one;
	struct smtpd_outgoing m = empty;

	(void)state;
	check_invalid(NULL);
	m.size = 0;
	check_invalid(&m);
	m = empty;
	m.envelope = NULL;
	check_invalid(&m);
	m.envelope = &envelope;
	envelope.rcpts = &rcpt;
	check_invalid(&m);
	rcpt.size = sizeof(rcpt);
	envelope.rcpts = NULL;
	check_invalid(&m);
	envelope.size = 0;
	check_invalid(&m);
	m = empty;
	m.convert = true;
	check_invalid(&m);
}

/* One letter, each time that it is read. */
static ssize_t
read_umlaut(void *user, void *buf, size_t size)
{
	int *left = user;

	assert_true(size >= 2);
	if (--*left % 2 != 0)
		return 0;
	memcpy(buf, "\xC3\xBC", 2);
	return 2;
}

static int
rewind_some(void *user)
{
	int *left = user;

	return *left > 1 ? 0 : -1; /* for as long as reads are left */
}

/* Each reading but the last needs to begin anew, and that may fail: the message
 * is not sent then, and the connection stays good. */
static void
content_that_cannot_begin_anew_is_not_sent(void **state)
{
	struct scripted peer;
	struct smtpd_client *c = connect_to(&peer,
	    "< 220 peer\n> EHLO me.example\n< 250 X\n"
	    "> MAIL\n< 250 x\n> RCPT\n< 250 x\n> DATA\n< 354 x\ndata\n"
	    "< 250 x\n> QUIT\n< 221 x\n");
	struct smtpd_outgoing_envelope envelope = to_one;
	struct smtpd_outgoing m = empty;
	int left;

	(void)state;
	envelope.eight_bit = true;
	m.envelope = &envelope;
	m.convert = true;
	m.read = read_umlaut;
	m.read_user = &left;
	m.rewind = rewind_some;
	for (int first = 3; first <= 7; first += 2) {
		left = first;
		assert_int_equal(smtpd_client_send(c, &m), 0);
		if (first == 7)
			break;
		check_temporary(
		    smtpd_client_rcpt_result(c, 0), SMTPD_PHASE_DATA, "4.3.0");
		assert_int_equal(
		    smtpd_client_conversion(c), SMTPD_CONVERSION_NONE);
	}
	assert_int_equal(
	    smtpd_client_rcpt_result(c, 0)->outcome, SMTPD_OUTCOME_SENT);
	assert_int_equal(smtpd_client_conversion(c), SMTPD_CONVERSION_DONE);
	finish(c, &peer);
}

/* The message that the user is, which is sent after another one. */
static const struct smtpd_outgoing *
announce(void *user)
{
	return user;
}

/* What is heard, and said, of a message before which another one is announced.
 */
#define ANNOUNCING                                                 \
	"< 220 peer\n> EHLO me.example\n= 250-X|250 PIPELINING|\n" \
	"> MAIL\n> RCPT\n> DATA\n* 2 250 x\n< 354 x\ndata\n"       \
	"! MAIL FROM:<>\n> RCPT\n> DATA\n* 3 250 x\n< 354 x\n"

static struct smtpd_client *
send_announcing(struct scripted *peer, struct smtpd_outgoing *next)
{
	static struct smtpd_outgoing_envelope from_nobody;
	struct smtpd_client *c = connect_to(peer, ANNOUNCING "hold\n");
	struct smtpd_outgoing m = empty;

	from_nobody = to_one;
	from_nobody.sender = "";
	*next = empty;
	next->envelope = &from_nobody;
	m.next = announce;
	m.next_user = next;
	assert_int_equal(smtpd_client_send(c, &m), 0);
	assert_int_equal(
	    smtpd_client_rcpt_result(c, 0)->outcome, SMTPD_OUTCOME_SENT);
	return c;
}

/* What the server is told is what it gets. */
static void
no_other_message_is_sent_than_announced(void **state)
{
	struct scripted peer;
	struct smtpd_outgoing next;
	struct smtpd_client *c = send_announcing(&peer, &next);

	(void)state;
	assert_int_equal(smtpd_client_send(c, &empty), -1);
	check_temporary(smtpd_client_result(c), SMTPD_PHASE_MAIL, "4.3.5");
	check_temporary(
	    smtpd_client_rcpt_result(c, 0), SMTPD_PHASE_CONNECT, "4.4.1");
	finish(c, &peer);
}

/* RFC 5321, 4.1.1.10: QUIT would be taken for content where that is awaited. */
static void
a_client_that_announced_a_message_leaves_without_quit(void **state)
{
	struct scripted peer;
	struct smtpd_outgoing next;
	struct smtpd_client *c = send_announcing(&peer, &next);

	(void)state;
	smtpd_client_quit(c);
	assert_int_equal(smtpd_client_send(c, &next), -1);
	finish(c, &peer);
}

/* A message that is none is not announced. */
static void
what_is_no_message_is_not_announced(void **state)
{
	struct scripted peer;
	struct smtpd_client *c = connect_to(&peer,
	    "< 220 peer\n> EHLO me.example\n= 250-X|250 PIPELINING|\n"
	    "> MAIL\n> RCPT\n> DATA\n* 2 250 x\n< 354 x\ndata\n"
	    "< 250 x\n> QUIT\n< 221 x\n");
	struct smtpd_outgoing next = empty;
	struct smtpd_outgoing m = empty;

	(void)state;
	next.size = 0;
	m.next = announce;
	m.next_user = &next;
	assert_int_equal(smtpd_client_send(c, &m), 0);
	finish(c, &peer);
}

/* E20 */
static void
settings_and_targets_are_checked(void **state)
{
	struct smtpd_client_settings set = settings;
	struct smtpd_target target = scripted_target("127.0.0.1", "a.example");
	struct smtpd_client *c = smtpd_client_create(&set);

	(void)state;
	target.size = 0;
	assert_int_equal(smtpd_client_connect(c, &target, 1, 25), -1);
	check_temporary(smtpd_client_result(c), SMTPD_PHASE_CONNECT, "4.3.5");
	assert_int_equal(smtpd_client_connect(c, NULL, 1, 25), -1);
	assert_string_equal(smtpd_client_rcpt_result(c, 7)->status, "4.3.5");
	target.size = sizeof(target);
	assert_int_equal(smtpd_client_connect(c, &target, 0, 25), -1);
	check_temporary(smtpd_client_result(c), SMTPD_PHASE_CONNECT, "4.4.4");
	smtpd_client_destroy(c);
	set.security = (enum smtpd_security)7;
	assert_null(smtpd_client_create(&set));
	assert_int_equal(errno, EINVAL);
	set = settings;
	set.size = 0;
	assert_null(smtpd_client_create(&set));
	assert_int_equal(errno, EINVAL);
}

/* Send to ADDRESS from SENDER, one of them NULL: refused with STATUS. */
static void
check_missing(const char *sender, const char *address, const char *status)
{
	const struct smtpd_outgoing_rcpt rcpt = { SMTPD_OUTGOING_RCPT_INIT,
		.address = address };
	struct smtpd_outgoing_envelope envelope = to_one;
	struct smtpd_outgoing m = empty;
	struct scripted peer;
	struct smtpd_client *c = connect_to(&peer,
	    "< 220 peer\n> EHLO me.example\n< 250 X\n"
	    "> QUIT\n< 221 bye\n");

	envelope.sender = sender;
	envelope.rcpts = &rcpt;
	m.envelope = &envelope;
	assert_int_equal(smtpd_client_send(c, &m), 0);
	assert_int_equal(
	    smtpd_client_rcpt_result(c, 0)->outcome, SMTPD_OUTCOME_PERMANENT);
	assert_string_equal(smtpd_client_rcpt_result(c, 0)->status, status);
	finish(c, &peer);
}

/* E18 */
static void
an_envelope_without_an_address_is_refused(void **state)
{
	(void)state;
	check_missing(NULL, "b@x", "5.1.7");
	check_missing("", NULL, "5.1.3");
}

static void *
trigger_soon(void *cancel)
{
	poll(NULL, 0, 100);
	smtpd_cancel_trigger(cancel);
	return NULL;
}

/* Cancelling ends the wait for a connection, and all those of the future. */
static void
cancel_ends_connecting(void **state)
{
	struct smtpd_client_settings set = settings;
	struct smtpd_cancel *cancel = smtpd_cancel_create();
	struct smtpd_client *c;
	struct scripted peer;
	pthread_t thread;

	(void)state;
	set.cancel = cancel;
	c = smtpd_client_create(&set);
	assert_non_null(c);
	scripted_bind(&peer, 1);
	scripted_fill(&peer);
	pthread_create(&thread, NULL, trigger_soon, cancel);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    smtpd_client_connect(c, &peer.target, 1, peer.port), -1);
		check_temporary(
		    smtpd_client_result(c), SMTPD_PHASE_CONNECT, "4.4.2");
		assert_string_equal(smtpd_client_result(c)->text, "cancelled");
	}
	pthread_join(thread, NULL);
	smtpd_client_destroy(c);
	scripted_finish(&peer);
	smtpd_cancel_destroy(cancel);
}

/* RFC 5321, 4.5.3.2; RFC 5321, 4.5.3.2.1; RFC 5321, 4.5.3.2.2;
 * RFC 5321, 4.5.3.2.3; RFC 5321, 4.5.3.2.4; RFC 5321, 4.5.3.2.5;
 * RFC 5321, 4.5.3.2.6 */
static void
no_default_time_is_too_short(void **state)
{
	struct smtpd_client *c = smtpd_client_create(NULL);

	(void)state;
	assert_non_null(c);
	assert_true(c->set.greeting_ms >= 5 * 60000);
	assert_true(c->set.mail_ms >= 5 * 60000);
	assert_true(c->set.rcpt_ms >= 5 * 60000);
	assert_true(c->set.data_ms >= 2 * 60000);
	assert_true(c->set.block_ms >= 3 * 60000);
	assert_true(c->set.dot_ms >= 10 * 60000);
	smtpd_client_destroy(c);
}

/* The defaults that the header states; what they do, others test. */
static void
default_times_are_those_of_the_header(void **state)
{
#define TIME(name) #name, offsetof(struct smtpd_client_settings, name)
	static const struct {
		const char *name;
		size_t offset;
		uint32_t ms;
	} times[] = {
		{ TIME(connect_ms), 30000 },
		{ TIME(stagger_ms), 3000 },
		{ TIME(greeting_ms), 300000 },
		{ TIME(hello_ms), 300000 },
		{ TIME(tls_ms), 120000 },
		{ TIME(auth_ms), 300000 },
		{ TIME(mail_ms), 300000 },
		{ TIME(rcpt_ms), 300000 },
		{ TIME(data_ms), 120000 },
		{ TIME(block_ms), 180000 },
		{ TIME(dot_ms), 600000 },
		{ TIME(reset_ms), 20000 },
		{ TIME(quit_ms), 5000 },
		{ TIME(total_ms), 600000 },
	};
#undef TIME
	struct smtpd_client *c = smtpd_client_create(NULL);

	(void)state;
	assert_non_null(c);
	for (size_t i = 0; i < COUNT(times); i++) {
		uint32_t ms;

		memcpy(&ms, (char *)&c->set + times[i].offset, sizeof(ms));
		if (ms != times[i].ms)
			fail_msg("%s is %u", times[i].name, (unsigned)ms);
	}
	smtpd_client_destroy(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_default_time_is_too_short),
		cmocka_unit_test(default_times_are_those_of_the_header),
		cmocka_unit_test(a_message_without_its_size_is_refused),
		cmocka_unit_test(content_that_cannot_begin_anew_is_not_sent),
		cmocka_unit_test(no_other_message_is_sent_than_announced),
		cmocka_unit_test(
		    a_client_that_announced_a_message_leaves_without_quit),
		cmocka_unit_test(what_is_no_message_is_not_announced),
		cmocka_unit_test(settings_and_targets_are_checked),
		cmocka_unit_test(an_envelope_without_an_address_is_refused),
		cmocka_unit_test(cancel_ends_connecting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
