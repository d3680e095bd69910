/* SPDX-License-Identifier: MIT */
/* The client where a conversation as a file (tests/call) is not enough: much
 * data, times, cancelling, several connections. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <smtpd.h>

#include <errno.h>

#include "client/client_state.h"
#include "os/clock.h"
#include "scripted.h"

#include "test.h"

/* What a script begins with, and what the client says in one flight. */
#define HI     "< 220 peer\n> EHLO me.example\n"
#define PLAIN  HI "< 250 peer\n"
#define PIPE   HI "< 250-peer\n< 250 PIPELINING\n"
#define MAIL   "> MAIL FROM:<a@example.net>\n"
#define R1     "> RCPT TO:<b@example.org>\n"
#define R2     "> RCPT TO:<c@example.org>\n"
#define R3     "> RCPT TO:<d@example.org>\n"
#define FLIGHT MAIL R1 R2 R3 "> DATA\n"
#define GROUP  MAIL R1 R2 R3
#define CHUNKS HI "< 250-peer\n< 250-PIPELINING\n< 250 CHUNKING\n"
#define OK     "< 250 2.0.0 ok\n"
#define GO     "< 354 go\n"
#define END    "> QUIT\n< 221 bye\n"
#define RSET   "> RSET\n< 250 ok\n"

static const char *const outcomes[] = { "sent", "temporary", "permanent",
	"unknown" };
static const char *const phases[] = { "connect", "greeting", "hello", "tls",
	"auth", "mail", "rcpt", "data", "dot" };

/* Fail if R is not WANT: "outcome phase code status". */
static void
check_result(const char *name, const struct smtpd_result *r, const char *want)
{
	char got[64];

	snprintf(got, sizeof(got), "%s %s %d %s", outcomes[r->outcome],
	    phases[r->phase], r->code, r->status);
	if (strcmp(got, want) != 0)
		fail_msg("%s: %s (%s), not %s", name, got, r->text, want);
	for (const char *s = r->text; *s != '\0'; s++)
		assert_true(*s >= ' ' && *s <= '~');
}

/* Settings with SHORT or long times, and without TLS. */
static struct smtpd_client_settings
settings(bool quick)
{
	uint32_t ms = quick ? 100 : 20000;

	return (struct smtpd_client_settings){
		SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = "me.example",
		.security = SMTPD_SECURITY_NONE,
		.connect_ms = ms,
		.greeting_ms = ms,
		.hello_ms = ms,
		.tls_ms = ms,
		.auth_ms = ms,
		.mail_ms = ms,
		.rcpt_ms = ms,
		.data_ms = ms,
		.block_ms = ms,
		.dot_ms = ms,
		.reset_ms = ms,
		.quit_ms = ms,
	};
}

/* A message from memory, as a read callback gives it. */
struct memory {
	const char *at;
	size_t left;
	size_t piece; /* at most so much at a time */
	bool broken;  /* it ends with an error */
};

static ssize_t
read_memory(void *user, void *buf, size_t size)
{
	struct memory *m = user;
	size_t n = m->left < size ? m->left : size;

	if (m->piece > 0 && n > m->piece)
		n = m->piece;
	if (n == 0)
		return m->broken ? -1 : 0;
	memcpy(buf, m->at, n);
	m->at += n;
	m->left -= n;
	return (ssize_t)n;
}

static const struct smtpd_outgoing_rcpt three[] = {
	{ SMTPD_OUTGOING_RCPT_INIT, .address = "b@example.org" },
	{ SMTPD_OUTGOING_RCPT_INIT, .address = "c@example.org" },
	{ SMTPD_OUTGOING_RCPT_INIT, .address = "d@example.org" },
};

static const struct smtpd_outgoing_envelope to_three = {
	SMTPD_OUTGOING_ENVELOPE_INIT,
	.sender = "a@example.net",
	.rcpts = three,
	.nrcpts = 3,
};

static const struct smtpd_outgoing_envelope to_one = {
	SMTPD_OUTGOING_ENVELOPE_INIT,
	.sender = "a@example.net",
	.rcpts = three,
	.nrcpts = 1,
};

static struct smtpd_outgoing
outgoing(struct memory *m, const char *text)
{
	*m = (struct memory){ .at = text, .left = strlen(text) };
	return (struct smtpd_outgoing){
		SMTPD_OUTGOING_INIT,
		.envelope = &to_three,
		.read = read_memory,
		.read_user = m,
	};
}

/* Send M, and copy what came of each recipient. */
static int
send_message(struct smtpd_client *c, const struct smtpd_outgoing *m,
    struct smtpd_result *results)
{
	int status = smtpd_client_send(c, m);

	for (size_t i = 0; i < m->envelope->nrcpts; i++)
		results[i] = *smtpd_client_rcpt_result(c, i);
	return status;
}

/* A connection to PEER that says SCRIPT. */
static struct smtpd_client *
connect_to(struct scripted *peer, const char *script,
    const struct smtpd_client_settings *set)
{
	struct smtpd_client *c = smtpd_client_create(set);

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
	struct smtpd_client_settings set = settings(false);
	struct scripted peer;
	struct smtpd_client *c = connect_to(&peer,
	    HI "< 250 X\n"
	       "hold\n",
	    &set);

	errno = 0;
	assert_int_equal(smtpd_client_send(c, m), -1);
	assert_int_equal(errno, EINVAL);
	check_result(
	    "invalid", smtpd_client_result(c), "temporary mail 0 4.3.5");
	assert_ptr_equal(
	    smtpd_client_rcpt_result(c, 0), smtpd_client_result(c));
	finish(c, &peer);
}

static void
a_message_without_its_size_is_refused(void **state)
{
	struct smtpd_outgoing_rcpt rcpt = { .address = "b@x" };
	struct smtpd_outgoing_envelope envelope = to_one;
	struct memory memory;
	struct smtpd_outgoing m = outgoing(&memory, "x");

	(void)state;
	check_invalid(NULL);
	m.size = 0;
	check_invalid(&m);
	m = outgoing(&memory, "x");
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
}

/* RFC 5321, 2.2.1; RFC 1870, 4; RFC 1870, 6; RFC 6152, 2; RFC 6531, 3.2;
 * RFC 6531, 3.4; RFC 3461, 5.2.1; RFC 3461, 5.2.2 */
static void
settings_and_targets_are_checked(void **state)
{
	struct smtpd_client_settings set = settings(false);
	struct smtpd_target target = scripted_target("127.0.0.1", "a.example");
	struct smtpd_client *c = smtpd_client_create(&set);

	(void)state;
	target.size = 0;
	assert_int_equal(smtpd_client_connect(c, &target, 1, 25), -1);
	check_result(
	    "target", smtpd_client_result(c), "temporary connect 0 4.3.5");
	assert_int_equal(smtpd_client_connect(c, NULL, 1, 25), -1);
	assert_string_equal(smtpd_client_rcpt_result(c, 7)->status, "4.3.5");
	smtpd_client_destroy(c);
	set.security = (enum smtpd_security)7;
	assert_null(smtpd_client_create(&set));
	assert_int_equal(errno, EINVAL);
	set = settings(false);
	set.size = 0;
	assert_null(smtpd_client_create(&set));
	assert_int_equal(errno, EINVAL);
}

/* Envelopes that are refused before anything is sent. */
static const struct {
	const char *sender, *envid, *address, *orcpt;
	const char *result;
} unsendable[] = {
	{ NULL, NULL, "b@x", NULL, "permanent mail 0 5.1.7" },
	{ "a\r\nDATA@x", NULL, "b@x", NULL, "permanent mail 0 5.1.7" },
	{ "", "a\r\nX", "b@x", NULL, "permanent mail 0 5.5.4" },
	{ "", NULL, NULL, NULL, "permanent rcpt 0 5.1.3" },
	{ "", NULL, "b@x\r\nDATA", NULL, "permanent rcpt 0 5.1.3" },
	{ "", NULL, "b@x", "rfc822;b\r\nX", "permanent rcpt 0 5.5.4" },
};

static void
envelopes_cannot_smuggle(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(unsendable); i++) {
		struct smtpd_client_settings set = settings(false);
		const struct smtpd_outgoing_rcpt rcpt = {
			SMTPD_OUTGOING_RCPT_INIT,
			.address = unsendable[i].address,
			.orcpt = unsendable[i].orcpt,
		};
		const struct smtpd_outgoing_envelope envelope = {
			SMTPD_OUTGOING_ENVELOPE_INIT,
			.sender = unsendable[i].sender,
			.rcpts = &rcpt,
			.nrcpts = 1,
			.envid = unsendable[i].envid,
		};
		struct memory memory;
		struct smtpd_outgoing m = outgoing(&memory, "x");
		struct smtpd_result result;
		struct smtpd_client *c;
		struct scripted peer;

		m.envelope = &envelope;
		c = connect_to(&peer, HI "< 250 DSN\n" END, &set);
		assert_int_equal(send_message(c, &m, &result), 0);
		check_result("unsendable", &result, unsendable[i].result);
		finish(c, &peer);
	}
}

static void
offers_are_told(void **state)
{
	struct smtpd_client_settings set = settings(false);
	struct scripted peer;
	struct smtpd_client *c = connect_to(&peer,
	    HI "< 250-peer.example hello\n< 250-SIZE 10\n"
	       "< 250-AUTH PLAIN LOGIN\n< 250-x\n< 250 STARTTLS\n" END,
	    &set);

	(void)state;
	assert_string_equal(smtpd_client_offers(c, "SIZE"), "10");
	assert_string_equal(smtpd_client_offers(c, "size"), "10");
	assert_string_equal(smtpd_client_offers(c, "Auth"), "PLAIN LOGIN");
	assert_string_equal(smtpd_client_offers(c, "STARTTLS"), "");
	assert_null(smtpd_client_offers(c, "PIPELINING"));
	assert_null(smtpd_client_offers(c, "10"));
	finish(c, &peer);
}

static void
connections_serve_again(void **state)
{
	struct smtpd_client_settings set = settings(false);
	struct scripted peer;
	struct smtpd_result results[3];
	struct memory memory;
	struct smtpd_outgoing m;
	struct smtpd_client *c = connect_to(&peer,
	    PIPE FLIGHT OK OK OK OK GO
	    "data\n" OK FLIGHT
	    "< 450 x\n< 503 x\n< 503 x\n< 503 x\n< 503 x\n" RSET FLIGHT OK OK OK
		OK GO "data\n" OK END,
	    &set);

	(void)state;
	m = outgoing(&memory, "one\n");
	assert_int_equal(send_message(c, &m, results), 0);
	check_result("one", results, "sent dot 250 2.0.0");
	m = outgoing(&memory, "two\n");
	assert_int_equal(send_message(c, &m, results), 0);
	check_result("two", results, "temporary mail 450 4.0.0");
	m = outgoing(&memory, "three\n");
	assert_int_equal(send_message(c, &m, results), 0);
	check_result("three", results, "sent dot 250 2.0.0");
	finish(c, &peer);
	assert_string_equal(peer.data, "three\n");
}

/* A message that cannot be read to its end is not sent as a shorter one. */
static void
unread_messages_are_not_sent(void **state)
{
	struct smtpd_client_settings set = settings(false);
	struct scripted peer;
	struct smtpd_result results[3];
	struct memory memory;
	struct smtpd_outgoing m = outgoing(&memory, "Subject: x\n");
	struct smtpd_client *c;
	FILE *file = tmpfile();

	(void)state;
	memory.broken = true;
	c = connect_to(&peer, PIPE FLIGHT OK OK OK OK GO "hold\n", &set);
	assert_int_equal(send_message(c, &m, results), -1);
	check_result("callback", results, "temporary data 0 4.3.0");
	finish(c, &peer);

	/* A descriptor that ends before its length. */
	assert_non_null(file);
	fputs("Subject: x\n", file);
	fflush(file);
	m.read = NULL;
	m.fd = fileno(file);
	m.length = 100;
	c = connect_to(&peer, PIPE FLIGHT OK OK OK OK GO "hold\n", &set);
	assert_int_equal(send_message(c, &m, results), -1);
	check_result("descriptor", results, "temporary data 0 4.3.0");
	finish(c, &peer);
	fclose(file);
}

/* RFC 3030, 2: What comes by BDAT, and what a session is good for after it
 * failed. */
static void
chunks_are_exact(void **state)
{
	static const char text[] = "Subject: x\n\n.\r\n..\rQUIT\n.end";
	static const char sent[] =
	    "Subject: x\r\n\r\n.\r\n..\r\nQUIT\r\n.end\r\ntwo\r\n";
	struct smtpd_client_settings set = settings(false);
	struct scripted peer;
	struct smtpd_result results[3];
	struct memory memory;
	struct smtpd_outgoing m = outgoing(&memory, text);
	struct smtpd_client *c = connect_to(&peer,
	    CHUNKS GROUP OK OK OK OK
	    "last\n" OK GROUP OK OK OK OK
	    "last\n< 552 x\n" RSET GROUP OK OK OK OK RSET GROUP OK OK OK OK
	    "last\n" OK END,
	    &set);

	(void)state;
	memory.piece = 1;
	assert_int_equal(send_message(c, &m, results), 0);
	check_result("one", results, "sent dot 250 2.0.0");
	m = outgoing(&memory, "");
	assert_int_equal(send_message(c, &m, results), 0);
	check_result("none", results, "permanent dot 552 5.0.0");
	/* What cannot be read is not sent, and ends no session. */
	m = outgoing(&memory, "lost\n");
	memory.broken = true;
	assert_int_equal(send_message(c, &m, results), 0);
	check_result("lost", results, "temporary data 0 4.3.0");
	m = outgoing(&memory, "two\n");
	assert_int_equal(send_message(c, &m, results), 0);
	check_result("two", results, "sent dot 250 2.0.0");
	finish(c, &peer);
	assert_string_equal(peer.data, sent);
}

static void
chunks_can_be_had_without(void **state)
{
	struct smtpd_client_settings set = settings(false);
	struct scripted peer;
	struct smtpd_result results[3];
	struct memory memory;
	struct smtpd_outgoing m = outgoing(&memory, "hi\n");
	struct smtpd_client *c;

	(void)state;
	set.data_only = true;
	c = connect_to(
	    &peer, CHUNKS FLIGHT OK OK OK OK GO "data\n" OK END, &set);
	assert_int_equal(send_message(c, &m, results), 0);
	check_result("data", results, "sent dot 250 2.0.0");
	finish(c, &peer);
}

/* A message of three chunks, and what is said to them. */
static const struct {
	const char *script;
	const char *result;
	bool open;
	bool quick; /* block_ms is short */
} chunks[] = {
	{ "chunk\n" OK "chunk\n" OK "last\n" OK END, "sent dot 250 2.0.0", true,
	    false },
	{ "chunk\n< 552 5.3.4 x\n" RSET END, "permanent data 552 5.3.4", true,
	    false },
	{ "chunk\n" OK "chunk\n< 452 4.3.1 x\n" RSET END,
	    "temporary data 452 4.3.1", true, false },
	{ "chunk\n" OK "chunk\n" OK "last\n< 554 5.6.0 x\n" RSET END,
	    "permanent dot 554 5.6.0", true, false },
	{ "chunk\n< 421 4.3.2 x\nhold\n", "temporary data 421 4.3.2", false,
	    false },
	{ "chunk\n< 354 x\nhold\n", "temporary data 354 4.5.0", false, false },
	{ "chunk\n< what\nhold\n", "temporary data 0 4.5.0", false, false },
	{ "chunk\n", "temporary data 0 4.4.2", false, false },
	{ "chunk\nhold\n", "temporary data 0 4.4.2", false, true },
	{ "chunk\n" OK, "temporary data 0 4.4.2", false, false },
	{ "chunk\n" OK "chunk\n" OK "last\n", "unknown dot 0 4.4.2", false,
	    false },
	{ "chunk\n= 502 x|250 y|\nhold\n", "permanent data 502 5.0.0", false,
	    false },
	/* in the middle of one, against RFC 3030, 2 */
	{ "> BDAT\n< 552 5.3.4 x\n", "permanent data 552 5.3.4", false, false },
};

/* Lines of LINE octets that are one more on the wire. */
#define LINE  100
#define LINES 25000

/* RFC 3030, 2 */
static void
chunks_come_one_by_one(void **state)
{
	char *text = malloc(LINES * LINE + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '.', LINES * LINE);
	for (size_t i = LINE; i <= LINES * LINE; i += LINE)
		text[i - 1] = '\n';
	text[LINES * LINE] = '\0';
	for (size_t i = 0; i < COUNT(chunks); i++) {
		struct smtpd_client_settings set = settings(false);
		struct scripted peer;
		struct smtpd_result results[3];
		struct memory memory;
		struct smtpd_outgoing m = outgoing(&memory, text);
		uint64_t start = smtpd__clock_ms();
		char script[512];
		struct smtpd_client *c;

		if (chunks[i].quick)
			set.block_ms = 500;
		snprintf(script, sizeof(script), CHUNKS GROUP OK OK OK OK "%s",
		    chunks[i].script);
		c = connect_to(&peer, script, &set);
		assert_int_equal(
		    send_message(c, &m, results), chunks[i].open ? 0 : -1);
		for (size_t j = 0; j < 3; j++)
			check_result(
			    chunks[i].script, &results[j], chunks[i].result);
		finish(c, &peer);
		assert_in_range(smtpd__clock_ms() - start, 0, 10000);
		if (results[0].outcome != SMTPD_OUTCOME_SENT)
			continue;
		assert_int_equal(peer.chunked, LINES * (LINE + 1));
		assert_memory_equal(peer.data + LINE - 1, "\r\n.", 3);
		assert_memory_equal(peer.ended, "\r\n", 2);
	}
	free(text);
}

/* Enough for no buffer of the system to hold. */
#define LARGE ((size_t)32 << 20)

/* What a server says that does not want to hear the rest. */
static const struct {
	const char *script;
	const char *result;
} early[] = {
	{ GO "> x\n< 552 5.3.4 too big\n", "permanent data 552 5.3.4" },
	{ GO "> x\n< 452 4.3.1 full\n", "temporary data 452 4.3.1" },
	{ GO "> x\n< 421 4.3.2 bye\n", "temporary data 421 4.3.2" },
	{ GO "> x\n< 250 what\n", "temporary data 0 4.4.2" },
	{ GO "> x\n", "temporary data 0 4.4.2" },
};

/* RFC 5321, 4.2.5 */
static void
early_replies_are_heard(void **state)
{
	char *text = malloc(LARGE + 1);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', LARGE);
	for (size_t i = 99; i < LARGE; i += 100)
		text[i] = '\n';
	text[LARGE] = '\0';
	for (size_t i = 0; i < COUNT(early); i++) {
		struct smtpd_client_settings set = settings(false);
		struct scripted peer;
		struct smtpd_result results[3];
		struct memory memory;
		struct smtpd_outgoing m = outgoing(&memory, text);
		char script[512];
		struct smtpd_client *c;

		m.envelope = &to_one;
		snprintf(script, sizeof(script),
		    PIPE MAIL R1 "> DATA\n" OK OK "%s", early[i].script);
		c = connect_to(&peer, script, &set);
		assert_int_equal(send_message(c, &m, results), -1);
		check_result(early[i].script, results, early[i].result);
		finish(c, &peer);
	}
	free(text);
}

/* RFC 5321, 4.5.3.2.5: A server that takes nothing: block_ms is the limit. */
static void
slow_servers_are_left(void **state)
{
	struct smtpd_client_settings set = settings(false);
	struct scripted peer;
	struct smtpd_result results[3];
	struct memory memory;
	char *text = calloc(1, LARGE + 1);
	struct smtpd_outgoing m;
	struct smtpd_client *c;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', LARGE);
	m = outgoing(&memory, text);
	set.block_ms = 200;
	c = connect_to(&peer, PIPE FLIGHT OK OK OK OK GO "sleep 1000\n", &set);
	assert_int_equal(send_message(c, &m, results), -1);
	check_result("slow", results, "temporary data 0 4.4.2");
	finish(c, &peer);
	free(text);
}

#define MANY 1000

/* A server that answers each command with much, and reads the next only when
 * that was taken: written to without a limit, both would wait for ever. */
static void *
answer_many(void *arg)
{
	static char line[2000];
	int fd = accept(*(int *)arg, NULL, NULL);
	FILE *in = fdopen(fd, "r");
	int small = 2048;
	int rcpts = 0;
	char command[512];

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	memset(line, 'x', sizeof(line));
	dprintf(fd, "220 x\r\n");
	while (fgets(command, sizeof(command), in) != NULL) {
		int code = 250;

		if (strncmp(command, "EHLO", 4) == 0) {
			dprintf(fd, "250-x\r\n250 PIPELINING\r\n");
			continue;
		}
		if (strncmp(command, "RCPT", 4) == 0 && ++rcpts % 3 == 0)
			code = rcpts % 2 == 0 ? 550 : 450;
		if (strncmp(command, "DATA", 4) == 0)
			code = 354;
		else if (strncmp(command, "QUIT", 4) == 0)
			code = 221;
		else if (strncmp(command, "MAIL", 4) != 0 &&
		    strncmp(command, "RCPT", 4) != 0 &&
		    strcmp(command, ".\r\n") != 0)
			continue;
		dprintf(fd, "%d %.*s\r\n", code, (int)sizeof(line), line);
	}
	fclose(in);
	return NULL;
}

/* RFC 2920, 3.1 */
static void
large_groups_do_not_block(void **state)
{
	struct smtpd_client_settings set = settings(false);
	struct smtpd_target target = scripted_target("127.0.0.1", "x");
	struct smtpd_client *c = smtpd_client_create(&set);
	struct smtpd_result *results = calloc(MANY, sizeof(*results));
	struct smtpd_outgoing_rcpt *rcpts = calloc(MANY, sizeof(*rcpts));
	struct memory memory;
	struct smtpd_outgoing m = outgoing(&memory, "hi\n");
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	pthread_t thread;
	struct smtpd_outgoing_envelope envelope = to_three;
	char(*names)[64] = calloc(MANY, sizeof(*names));

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "user-%d@example.org", i);
		rcpts[i] =
		    (struct smtpd_outgoing_rcpt){ SMTPD_OUTGOING_RCPT_INIT,
			    .address = names[i] };
	}
	envelope.rcpts = rcpts;
	envelope.nrcpts = MANY;
	m.envelope = &envelope;
	assert_int_equal(
	    bind(listener, (struct sockaddr *)&target.addr, target.len), 0);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&in, &len);
	pthread_create(&thread, NULL, answer_many, &listener);
	assert_int_equal(
	    smtpd_client_connect(c, &target, 1, ntohs(in.sin_port)), 0);
	assert_int_equal(send_message(c, &m, results), 0);
	for (int i = 0; i < MANY; i++)
		check_result(names[i], &results[i],
		    (i + 1) % 3 != 0       ? "sent dot 250 2.0.0"
			: (i + 1) % 2 == 0 ? "permanent rcpt 550 5.0.0"
					   : "temporary rcpt 450 4.0.0");
	smtpd_client_quit(c);
	smtpd_client_destroy(c);
	pthread_join(thread, NULL);
	close(listener);
	free(names);
	free(rcpts);
	free(results);
}

/* In which phase a cancel comes, and what it leaves behind. */
static const struct {
	const char *script;
	const char *connected;
	const char *result;
} cancels[] = {
	{ "hold\n", "temporary greeting 0 4.4.2", NULL },
	{ HI "hold\n", "temporary hello 0 4.4.2", NULL },
	{ PIPE FLIGHT "hold\n", NULL, "temporary mail 0 4.4.2" },
	{ PIPE FLIGHT OK "hold\n", NULL, "temporary rcpt 0 4.4.2" },
	{ PIPE FLIGHT OK OK OK OK "hold\n", NULL, "temporary data 0 4.4.2" },
	{ PIPE FLIGHT OK OK OK OK GO "data\nhold\n", NULL,
	    "unknown dot 0 4.4.2" },
	{ CHUNKS GROUP OK OK OK OK "last\nhold\n", NULL,
	    "unknown dot 0 4.4.2" },
};

static void *
trigger_soon(void *cancel)
{
	poll(NULL, 0, 100);
	smtpd_cancel_trigger(cancel);
	return NULL;
}

static void
cancel_ends_every_wait(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cancels); i++) {
		struct smtpd_cancel *cancel = smtpd_cancel_create();
		struct smtpd_client_settings set = settings(false);
		struct smtpd_client *c;
		struct smtpd_result results[3];
		struct memory memory;
		struct smtpd_outgoing m = outgoing(&memory, "hi\n");
		struct scripted peer;
		pthread_t thread;

		set.cancel = cancel;
		c = smtpd_client_create(&set);
		scripted_start(&peer, cancels[i].script);
		pthread_create(&thread, NULL, trigger_soon, cancel);
		if (smtpd_client_connect(c, &peer.target, 1, peer.port) == 0) {
			assert_int_equal(send_message(c, &m, results), -1);
			check_result("sent", results, cancels[i].result);
		} else {
			check_result("connected", smtpd_client_result(c),
			    cancels[i].connected);
		}
		assert_string_equal(smtpd_client_result(c)->text, "cancelled");
		/* And those of the future. */
		assert_int_equal(
		    smtpd_client_connect(c, &peer.target, 1, peer.port), -1);
		assert_string_equal(smtpd_client_result(c)->text, "cancelled");
		pthread_join(thread, NULL);
		smtpd_client_destroy(c);
		scripted_finish(&peer);
		smtpd_cancel_destroy(cancel);
	}
}

/* An address that nobody answers at: its queue of connections is full. */
static int
make_silent(struct smtpd_target *target, uint16_t *port, int *filler)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	*target = scripted_target("127.0.0.2", "silent");
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&target->addr, target->len), 0);
	assert_int_equal(listen(fd, 0), 0);
	getsockname(fd, (struct sockaddr *)&in, &len);
	*port = ntohs(in.sin_port);
	for (int i = 0; i < 4; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(filler[i], (struct sockaddr *)&in, len);
	}
	return fd;
}

/* RFC 8305, 5 */
static void
other_addresses_are_raced(void **state)
{
	struct smtpd_client_settings set = settings(false);
	struct smtpd_target targets[3];
	struct smtpd_client *c;
	struct scripted peer;
	uint64_t start = smtpd__clock_ms();
	int filler[4];
	uint16_t port;
	int silent = make_silent(&targets[0], &port, filler);

	(void)state;
	/* Nobody is at the second; the third is the good one. */
	targets[1] = scripted_target("127.0.0.3", "b.example");
	scripted_start_at(&peer, PIPE END, port);
	targets[2] = peer.target;
	set.stagger_ms = 100;
	c = smtpd_client_create(&set);
	if (smtpd_client_connect(c, targets, 3, port) != 0)
		fail_msg("%s", smtpd_client_result(c)->text);
	assert_string_equal(smtpd_client_peer(c), "127.0.0.1");
	assert_in_range(smtpd__clock_ms() - start, 100, 5000);
	finish(c, &peer);

	/* Alone it takes its time, and no more. */
	set.connect_ms = 200;
	c = smtpd_client_create(&set);
	start = smtpd__clock_ms();
	assert_int_equal(smtpd_client_connect(c, targets, 1, port), -1);
	check_result(
	    "silent", smtpd_client_result(c), "temporary connect 0 4.4.1");
	assert_in_range(smtpd__clock_ms() - start, 200, 5000);
	assert_int_equal(smtpd_client_connect(c, targets + 1, 1, port), -1);
	check_result(
	    "nobody", smtpd_client_result(c), "temporary connect 0 4.4.1");
	assert_int_equal(smtpd_client_connect(c, targets, 0, port), -1);
	check_result(
	    "nowhere", smtpd_client_result(c), "temporary connect 0 4.4.4");
	smtpd_client_destroy(c);
	for (int i = 0; i < 4; i++)
		close(filler[i]);
	close(silent);
}

/* Also those for a connection, and for room to write. */
static void
cancel_ends_connecting_and_writing(void **state)
{
	struct smtpd_cancel *cancel = smtpd_cancel_create();
	struct smtpd_client_settings set = settings(false);
	struct smtpd_result results[3];
	struct memory memory;
	struct smtpd_outgoing m;
	struct smtpd_target target;
	struct smtpd_client *c;
	struct scripted peer;
	pthread_t thread;
	char *text = calloc(1, LARGE + 1);
	int filler[4];
	uint16_t port;
	int silent = make_silent(&target, &port, filler);

	(void)state;
	assert_non_null(text);
	set.cancel = cancel;
	c = smtpd_client_create(&set);
	pthread_create(&thread, NULL, trigger_soon, cancel);
	assert_int_equal(smtpd_client_connect(c, &target, 1, port), -1);
	check_result(
	    "connect", smtpd_client_result(c), "temporary connect 0 4.4.2");
	pthread_join(thread, NULL);
	smtpd_client_destroy(c);
	smtpd_cancel_destroy(cancel);
	for (int i = 0; i < 4; i++)
		close(filler[i]);
	close(silent);

	memset(text, '\n', LARGE);
	m = outgoing(&memory, text);
	set.cancel = cancel = smtpd_cancel_create();
	c = connect_to(&peer, PIPE FLIGHT OK OK OK OK GO "sleep 400\n", &set);
	pthread_create(&thread, NULL, trigger_soon, cancel);
	assert_int_equal(send_message(c, &m, results), -1);
	check_result("write", results, "temporary data 0 4.4.2");
	assert_string_equal(results[0].text, "cancelled");
	pthread_join(thread, NULL);
	finish(c, &peer);
	smtpd_cancel_destroy(cancel);
	free(text);
}

/* A host that sends us away at one of its addresses may not at another. */
static void
greetings_are_tried_at_each_address(void **state)
{
	struct smtpd_client_settings set = settings(false);
	struct smtpd_target targets[2];
	struct smtpd_client *c;
	struct scripted peer;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in in;

	(void)state;
	scripted_start(&peer, PIPE END);
	targets[0] = scripted_target("127.0.0.2", "a.example");
	targets[1] = peer.target;
	memcpy(&in, &targets[0].addr, sizeof(in));
	in.sin_port = htons(peer.port);
	assert_int_equal(bind(listener, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(listener, 1), 0);
	set.greeting_ms = 100;
	c = smtpd_client_create(&set);
	if (smtpd_client_connect(c, targets, 2, peer.port) != 0)
		fail_msg("%s", smtpd_client_result(c)->text);
	assert_string_equal(smtpd_client_peer(c), "127.0.0.1");
	finish(c, &peer);
	close(listener);
}

/* What the exchange shows of it all. */
struct transcript {
	char text[2048];
	size_t len;
};

static void
keep_line(void *user, bool sent, const char *line)
{
	struct transcript *t = user;
	int n = snprintf(t->text + t->len, sizeof(t->text) - t->len, "%s%s\n",
	    sent ? "> " : "< ", line);

	t->len += (size_t)n;
}

static void
the_exchange_is_shown(void **state)
{
	static const char script[] = PIPE MAIL R1
	    "> DATA\n" OK
	    "< 550-5.1.1 a\x1b[2J\n< 550 5.1.1 b\n< 503 x\n" RSET END;
	struct smtpd_client_settings set = settings(false);
	struct transcript t = { .len = 0 };
	struct memory memory;
	struct smtpd_outgoing m = outgoing(&memory, "secret\n");
	struct smtpd_result result;
	struct smtpd_client *c;
	struct scripted peer;

	(void)state;
	m.envelope = &to_one;
	set.exchange = keep_line;
	set.exchange_user = &t;
	c = connect_to(&peer, script, &set);
	assert_int_equal(send_message(c, &m, &result), 0);
	finish(c, &peer);
	assert_string_equal(t.text,
	    "< 220 peer\n> EHLO me.example\n< 250-peer\n< 250 PIPELINING\n"
	    "> MAIL FROM:<a@example.net>\n> RCPT TO:<b@example.org>\n> DATA\n"
	    "< 250 2.0.0 ok\n< 550-5.1.1 a?[2J\n< 550 5.1.1 b\n< 503 x\n"
	    "> RSET\n< 250 ok\n> QUIT\n< 221 bye\n");
	assert_string_equal(result.text, "a?[2J b");
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_default_time_is_too_short),
		cmocka_unit_test(envelopes_cannot_smuggle),
		cmocka_unit_test(a_message_without_its_size_is_refused),
		cmocka_unit_test(settings_and_targets_are_checked),
		cmocka_unit_test(offers_are_told),
		cmocka_unit_test(connections_serve_again),
		cmocka_unit_test(unread_messages_are_not_sent),
		cmocka_unit_test(chunks_are_exact),
		cmocka_unit_test(chunks_can_be_had_without),
		cmocka_unit_test(chunks_come_one_by_one),
		cmocka_unit_test(early_replies_are_heard),
		cmocka_unit_test(slow_servers_are_left),
		cmocka_unit_test(large_groups_do_not_block),
		cmocka_unit_test(cancel_ends_every_wait),
		cmocka_unit_test(cancel_ends_connecting_and_writing),
		cmocka_unit_test(other_addresses_are_raced),
		cmocka_unit_test(greetings_are_tried_at_each_address),
		cmocka_unit_test(the_exchange_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
