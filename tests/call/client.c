/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd.h>

#include "../unit/scripted.h"
#include "../unit/test.h"

#define RCPTS 3

/* A message from memory, as a read callback gives it. */
struct memory {
	const char *at;
	size_t left;
};

static ssize_t
read_memory(void *user, void *buf, size_t size)
{
	struct memory *m = user;
	size_t n = m->left < size ? m->left : size;

	memcpy(buf, m->at, n);
	m->at += n;
	m->left -= n;
	return (ssize_t)n;
}

/* Write TEXT to OUT of SIZE bytes, \n in it as an LF. */
static void
unescape(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (; *text != '\0' && n < size - 1; text++) {
		bool escaped = text[0] == '\\' && text[1] == 'n';

		out[n++] = escaped ? '\n' : *text;
		text += escaped;
	}
	out[n] = '\0';
}

/* The same backwards. */
static void
escape(const char *text, size_t len, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < size - 2; i++) {
		if (text[i] == '\n')
			out[n++] = '\\';
		out[n++] = text[i] == '\n' ? 'n' : text[i];
	}
	out[n] = '\0';
}

static struct smtpd_client *
create_client(const struct call_script *s)
{
	uint32_t ms = call_script_number(s, "quick") != 0 ? 100 : 20000;
	const struct smtpd_client_settings set = {
		SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = "me.example",
		.security = SMTPD_SECURITY_NONE,
		.data_only = call_script_number(s, "data_only") != 0,
		.connect_ms = ms,
		.greeting_ms = ms,
		.hello_ms = ms,
		.mail_ms = ms,
		.rcpt_ms = ms,
		.data_ms = ms,
		.block_ms = ms,
		.dot_ms = ms,
		.reset_ms = ms,
		.quit_ms = ms,
	};
	struct smtpd_client *c = smtpd_client_create(&set);

	assert_non_null(c);
	return c;
}

/* Fill in the recipients: three, or the one of the file, whose words are put
 * into WORDS. */
static size_t
read_rcpts(
    const struct call_script *s, struct smtpd_outgoing_rcpt *rcpts, char *words)
{
	static const char *const names[RCPTS] = { "b@example.org",
		"c@example.org", "d@example.org" };
	const char *text = call_script_setting(s, "rcpt");
	const char *address = call_script_setting(s, "address");
	char *save = NULL;

	for (size_t i = 0; i < RCPTS; i++)
		rcpts[i] =
		    (struct smtpd_outgoing_rcpt){ SMTPD_OUTGOING_RCPT_INIT,
			    .address = names[i] };
	if (address != NULL) {
		unescape(address, words, sizeof(s->settings.at[0].rest));
		rcpts[0].address = words;
		return 1;
	}
	if (text == NULL)
		return RCPTS;
	unescape(text, words, sizeof(s->settings.at[0].rest));
	rcpts[0].address = strtok_r(words, " ", &save);
	if (rcpts[0].address == NULL)
		rcpts[0].address = "";
	else
		rcpts[0].notify = strtok_r(NULL, " ", &save);
	if (rcpts[0].notify != NULL)
		rcpts[0].orcpt = strtok_r(NULL, " ", &save);
	if (rcpts[0].notify != NULL && strcmp(rcpts[0].notify, "-") == 0)
		rcpts[0].notify = NULL;
	return 1;
}

/* Send the message of S.  Return what smtpd_client_send() did. */
static int
send_message(const struct call_script *s, struct smtpd_client *c, size_t *count)
{
	struct smtpd_outgoing_rcpt rcpts[RCPTS];
	char words[sizeof(s->settings.at[0].rest)];
	char text[sizeof(words)], sender[sizeof(words)];
	const char *message = call_script_setting(s, "message");
	const char *from = call_script_setting(s, "sender");
	struct memory memory;
	struct smtpd_outgoing_envelope envelope = {
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = sender,
		.rcpts = rcpts,
		.ret = call_script_setting(s, "ret"),
		.envid = call_script_setting(s, "envid"),
		.eight_bit = call_script_number(s, "eight_bit") != 0,
		.utf8 = call_script_number(s, "utf8") != 0,
	};
	const struct smtpd_outgoing m = {
		SMTPD_OUTGOING_INIT,
		.envelope = &envelope,
		.length = call_script_number(s, "length"),
		.read = read_memory,
		.read_user = &memory,
	};

	unescape(from != NULL ? from : "a@example.net", sender, sizeof(sender));
	unescape(message != NULL ? message : "Subject: x\\n\\n.hi\\n", text,
	    sizeof(text));
	memory = (struct memory){ .at = text, .left = strlen(text) };
	*count = envelope.nrcpts = read_rcpts(s, rcpts, words);
	return smtpd_client_send(c, &m);
}

/* Fail unless R is what LINE wants. */
static void
check_result(const struct call_script *s, const struct call_line *line,
    const struct smtpd_result *r)
{
	static const char *const outcomes[] = { "sent", "temporary",
		"permanent", "in_doubt" };
	static const char *const phases[] = { "connect", "greeting", "hello",
		"tls", "auth", "mail", "rcpt", "data", "dot" };
	char got[64];

	snprintf(got, sizeof(got), "%s %s %d %s", outcomes[r->outcome],
	    phases[r->phase], r->code, r->status);
	if (strcmp(got, line->rest) != 0)
		fail_msg("%s:%d: %s (%s), not %s", s->path, line->number, got,
		    r->text, line->rest);
	for (const char *text = r->text; *text != '\0'; text++)
		assert_true(*text >= ' ' && *text <= '~');
}

static void
check_sent(const struct call_script *s, const struct call_line *line,
    struct smtpd_client *c, size_t count, bool open)
{
	unsigned long n = strtoul(line->word, NULL, 10);

	if (strcmp(line->word, "all") == 0)
		for (size_t i = 0; i < count; i++)
			check_result(s, line, smtpd_client_rcpt_result(c, i));
	else if (n >= 1 && n <= count)
		check_result(s, line, smtpd_client_rcpt_result(c, n - 1));
	else if (strcmp(line->word, open ? "closed" : "open") == 0)
		fail_msg("%s:%d: the connection is %s", s->path, line->number,
		    open ? "open" : "closed");
	else if (strcmp(line->word, "data") != 0 &&
	    strcmp(line->word, open ? "open" : "closed") != 0)
		fail_msg("%s:%d: no such result", s->path, line->number);
}

static void
check_data(const struct call_script *s, const struct scripted *peer)
{
	for (size_t i = 0; i < s->results.count; i++) {
		const struct call_line *line = &s->results.at[i];
		char got[sizeof(peer->data) + 64];

		if (strcmp(line->word, "data") != 0)
			continue;
		escape(peer->data, peer->data_len, got, sizeof(got));
		if (strcmp(got, line->rest) != 0)
			fail_msg("%s:%d: %s", s->path, line->number, got);
	}
}

void
call_client_run(const struct call_script *s)
{
	struct smtpd_client *c = create_client(s);
	const struct call_line *first = &s->results.at[0];
	bool refused =
	    s->results.count > 0 && strcmp(first->word, "connect") == 0;
	struct scripted peer;

	scripted_start(&peer, s->hosts[0]);
	if (smtpd_client_connect(c, &peer.target, 1, peer.port) == -1) {
		if (!refused)
			fail_msg(
			    "%s: %s", s->path, smtpd_client_result(c)->text);
		check_result(s, first, smtpd_client_result(c));
	} else {
		size_t count;
		bool open = send_message(s, c, &count) == 0;

		if (refused)
			fail_msg("%s: connected", s->path);
		for (size_t i = 0; i < s->results.count; i++)
			check_sent(s, &s->results.at[i], c, count, open);
		smtpd_client_quit(c);
	}
	smtpd_client_destroy(c);
	scripted_finish(&peer);
	check_data(s, &peer);
}
