/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd.h>

#include "../unit/test.h"
#include "base/text.h"
#include "check.h"
#include "hosts.h"
#include "message.h"
#include "os/clock.h"

/* Each time of the client; whoever waits for one to end waited too long. */
#define TIME_MS  20000
#define QUICK_MS 100
#define LONG_MS  19000

struct world {
	struct call_script *script;
	struct call_hosts hosts;
	struct smtpd_cancel *cancel;
	struct smtpd_client *client;
	bool connected;
	struct call_message slots[2]; /* for messages in turn */
	struct call_message *message; /* the present one */
	bool announced;               /* the next one is open */
	char exchange_text[8192];
	struct smtpd_text exchange;
	uint64_t start;
	uint64_t took;
};

static void
keep_exchange(void *user, bool sent, const char *line)
{
	struct world *w = user;

	smtpd__text_add(&w->exchange, sent ? "> " : "< ");
	smtpd__text_add(&w->exchange, line);
	smtpd__text_byte(&w->exchange, '\n');
}

/* "ADDRESS [NAME]" of the setting source into SOURCE.  Return how many there
 * are. */
static size_t
read_source(const struct call_script *s, char *text, size_t size,
    struct smtpd_source *source)
{
	const char *setting = call_script_setting(s, "source");
	char *blank;

	if (setting == NULL)
		return 0;
	snprintf(text, size, "%s", setting);
	blank = strchr(text, ' ');
	if (blank != NULL)
		*blank++ = '\0';
	*source = (struct smtpd_source){ SMTPD_SOURCE_INIT, .address = text,
		.hostname = blank };
	return 1;
}

static void
create_client(struct world *w)
{
	char text[128];
	struct smtpd_source source;
	const struct call_script *s = w->script;
	uint32_t ms = call_script_flag(s, "quick") ? QUICK_MS : TIME_MS;
	const struct smtpd_client_settings set = {
		SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = "me.example",
		.security = SMTPD_SECURITY_NONE,
		.data_only = call_script_flag(s, "data_only"),
		.lmtp = call_script_flag(s, "lmtp"),
		.cancel = w->cancel,
		.exchange = keep_exchange,
		.exchange_user = w,
		.stagger_ms = (uint32_t)call_script_number(s, "stagger_ms", 0),
		.connect_ms = (uint32_t)call_script_number(s, "connect_ms", ms),
		.greeting_ms =
		    (uint32_t)call_script_number(s, "greeting_ms", ms),
		.hello_ms = ms,
		.mail_ms = ms,
		.rcpt_ms = ms,
		.total_ms = (uint32_t)call_script_number(s, "total_ms", 600000),
		.data_ms = ms,
		.block_ms = (uint32_t)call_script_number(s, "block_ms", ms),
		.dot_ms = ms,
		.reset_ms = ms,
		.quit_ms = ms,
		.sources = &source,
		.nsources = read_source(s, text, sizeof(text), &source),
	};

	w->client = smtpd_client_create(&set);
	assert_non_null(w->client);
}

/* Fail unless R is what LINE wants. */
static void
check_result(const struct call_script *s, const struct call_line *line,
    const struct smtpd_result *r)
{
	static const char *const phases[] = { "connect", "greeting", "hello",
		"tls", "auth", "mail", "rcpt", "data", "dot" };
	char got[64];

	snprintf(got, sizeof(got), "%s %s %d %s", call_check_outcome(r),
	    phases[r->phase], r->code, r->status);
	call_check_line(s, line, got);
	for (const char *text = r->text; *text != '\0'; text++)
		assert_true(*text >= ' ' && *text <= '~');
}

/* Compare LINE with the results of the recipients it is about; return how many
 * these are. */
static size_t
check_rcpts(const struct world *w, const struct call_line *line)
{
	size_t checked = 0;

	for (size_t i = 0; i < w->message->envelope.nrcpts; i++)
		if (call_check_covers(line, i)) {
			check_result(w->script, line,
			    smtpd_client_rcpt_result(w->client, i));
			checked++;
		}
	return checked;
}

/* "offer NAME VALUE" and "no_offer NAME" */
static void
check_offer(const struct world *w, const struct call_line *line)
{
	bool wanted = strcmp(line->word, "offer") == 0;
	size_t len = strcspn(line->rest, " ");
	char name[64];
	const char *value;

	snprintf(name, sizeof(name), "%.*s", (int)len, line->rest);
	value = smtpd_client_offers(w->client, name);
	if (wanted != (value != NULL))
		fail_msg(
		    "%s:%d: it is otherwise", w->script->path, line->number);
	if (wanted)
		assert_string_equal(
		    value, line->rest + len + (line->rest[len] == ' '));
}

static const char *
conversion_name(const struct world *w)
{
	static const char *const names[] = { "none", "done", "signed", "fixed",
		"too_large" };

	return names[smtpd_client_conversion(w->client)];
}

/* Check what is known while there is a connection, or was one.  Return false if
 * LINE is about something else. */
static bool
check_live(const struct world *w, const struct call_line *line, bool open)
{
	const struct call_script *s = w->script;
	const char *word = line->word;

	if (strcmp(word, "text") == 0)
		call_check_line(
		    s, line, smtpd_client_rcpt_result(w->client, 0)->text);
	else if (strcmp(word, "peer") == 0)
		call_check_line(s, line, smtpd_client_peer(w->client));
	else if (strcmp(word, "conversion") == 0)
		call_check_line(s, line, conversion_name(w));
	else if (strcmp(word, "offer") == 0 || strcmp(word, "no_offer") == 0)
		check_offer(w, line);
	else if (strcmp(word, "connect") == 0 && !w->connected)
		check_result(s, line, smtpd_client_result(w->client));
	else if (strcmp(word, "open") == 0 || strcmp(word, "closed") == 0)
		assert_int_equal(strcmp(word, "open") == 0, open);
	else
		return w->connected && check_rcpts(w, line) > 0;
	return true;
}

/* Check what is known when all is over. */
static bool
check_over(const struct world *w, const struct call_line *line)
{
	if (strcmp(line->word, "took") == 0)
		assert_true(w->took >= strtoul(line->rest, NULL, 10));
	else if (strcmp(line->word, "exchange") != 0)
		return call_hosts_check(&w->hosts, w->script, line);
	return true;
}

/* Whether WORD is known only when all is over. */
static bool
is_last(const char *word)
{
	static const char *const words[] = { "took", "exchange", "data", "came",
		"octets", "ended" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

static void
check_message(const struct world *w, bool open)
{
	const struct call_lines *results = &w->script->results;

	for (size_t i = 0; i < results->count; i++) {
		const struct call_line *line = &results->at[i];

		if (call_check_is_present(w->script, line) &&
		    !is_last(line->word) && !check_live(w, line, open))
			call_check_unknown(w->script, line);
	}
}

static void
check_end(const struct world *w)
{
	const struct call_lines *results = &w->script->results;

	for (size_t i = 0; i < results->count; i++)
		if (is_last(results->at[i].word))
			assert_true(check_over(w, &results->at[i]));
	call_check_lines(w->script, "exchange", w->exchange_text);
	assert_in_range(w->took, 0, LONG_MS);
}

/* Open the message after the present one, which is announced. */
static const struct smtpd_outgoing *
announce_next(void *user)
{
	struct world *w = user;
	struct call_script *s = w->script;
	struct call_message *next = &w->slots[(s->message + 1) % 2];

	if (s->message + 1 == s->messages)
		return NULL;
	s->message++;
	call_message_open(next, s);
	s->message--;
	w->announced = true;
	return &next->outgoing;
}

static void
open_message(struct world *w)
{
	w->message = &w->slots[w->script->message % 2];
	if (!w->announced)
		call_message_open(w->message, w->script);
	w->announced = false;
	if (!call_script_flag(w->script, "ahead"))
		return;
	w->message->outgoing.next = announce_next;
	w->message->outgoing.next_user = w;
}

/* Send the messages, and check what came of each. */
static void
send_messages(struct world *w)
{
	struct call_script *s = w->script;

	if (call_check_wants(s, "connect"))
		fail_msg("%s: connected", s->path);
	for (; s->message < s->messages; s->message++) {
		bool open;

		open_message(w);
		open = smtpd_client_send(w->client, &w->message->outgoing) == 0;
		check_message(w, open);
		call_message_close(w->message);
	}
	s->message = s->messages - 1;
}

static void
connect_and_send(struct world *w)
{
	const struct call_hosts *h = &w->hosts;

	w->connected = smtpd_client_connect(
			   w->client, h->list, h->count, h->peers[0].port) == 0;
	if (w->connected)
		send_messages(w);
	else if (call_check_wants(w->script, "connect"))
		check_message(w, false);
	else
		fail_msg("%s: %s", w->script->path,
		    smtpd_client_result(w->client)->text);
}

void
call_client_run(struct call_script *s)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->script = s;
	w->start = smtpd__clock_ms();
	smtpd__text_init(
	    &w->exchange, w->exchange_text, sizeof(w->exchange_text));
	w->cancel = smtpd_cancel_create();
	call_hosts_start(&w->hosts, s, 1, w->cancel);
	create_client(w);
	connect_and_send(w);
	smtpd_client_quit(w->client);
	smtpd_client_destroy(w->client);
	w->took = smtpd__clock_ms() - w->start;
	call_hosts_finish(&w->hosts);
	smtpd_cancel_destroy(w->cancel);
	check_end(w);
	free(w);
}
