/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/idn.h"

#include "auth.h"
#include "filter.h"
#include "log_check.h"

#define CHUNK_MAX 4096
#define SLURP_MAX 100

struct field {
	const char *name;
	size_t offset;
};

#define SETTING(name) #name, offsetof(struct smtpd_settings, name)
#define COUNTER(name) #name, offsetof(struct smtpd_server_counters, name)

/* The settings that are numbers of 32 bits. */
static const struct field settings[] = {
	{ SETTING(max_connections) },
	{ SETTING(max_per_address) },
	{ SETTING(max_per_network) },
	{ SETTING(max_recipients) },
	{ SETTING(max_command_line) },
	{ SETTING(max_text_line) },
	{ SETTING(max_transactions) },
	{ SETTING(errors_soft) },
	{ SETTING(errors_hard) },
	{ SETTING(tarpit_ms) },
	{ SETTING(max_hops) },
	{ SETTING(idle_timeout_ms) },
	{ SETTING(command_timeout_ms) },
	{ SETTING(write_timeout_ms) },
	{ SETTING(session_timeout_ms) },
	{ SETTING(handshake_timeout_ms) },
	{ SETTING(min_rate) },
	{ SETTING(rate_window_ms) },
	{ SETTING(greet_delay_ms) },
	{ SETTING(proxy_timeout_ms) },
	{ SETTING(rcpt_rate_per_address) },
	{ SETTING(rcpt_rate_per_network) },
	{ SETTING(rcpt_rate_ms) },
	{ SETTING(max_auth_failures) },
	{ SETTING(auth_delay_ms) },
	{ SETTING(auth_failure_rate_per_address) },
	{ SETTING(auth_failure_rate_ms) },
	{ SETTING(min_deliver_by) },
	{ SETTING(max_future_release) },
};

static const struct field counters[] = {
	{ COUNTER(connections) },
	{ COUNTER(connections_now) },
	{ COUNTER(messages) },
	{ COUNTER(messages_refused) },
	{ COUNTER(recipients) },
	{ COUNTER(bytes_in) },
	{ COUNTER(bytes_out) },
	{ COUNTER(commands) },
	{ COUNTER(tls) },
	{ COUNTER(refused_connections) },
	{ COUNTER(refused_senders) },
	{ COUNTER(refused_recipients) },
	{ COUNTER(refused_size) },
	{ COUNTER(refused_content) },
	{ COUNTER(refused_syntax) },
	{ COUNTER(refused_protocol) },
	{ COUNTER(refused_abuse) },
	{ COUNTER(refused_tls) },
	{ COUNTER(timeouts) },
	{ COUNTER(disconnects) },
	{ COUNTER(errors) },
	{ COUNTER(long_lines) },
	{ COUNTER(authenticated) },
	{ COUNTER(refused_auth) },
};

static const struct field *
find_field(const struct field *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

uint64_t
host_counter(const struct smtpd_server_counters *c, const char *name)
{
	const struct field *f =
	    find_field(counters, sizeof(counters) / sizeof(counters[0]), name);
	uint64_t value;

	if (f == NULL)
		die("there is no counter %s", name);
	memcpy(&value, (const char *)c + f->offset, sizeof(value));
	return value;
}

static void
print_event(FILE *out, const struct bytes *b)
{
	flockfile(out);
	bytes_print(b, out, b->len);
	fputc('\n', out);
	fflush(out);
	funlockfile(out);
}

void
host_saw(struct host *h, struct bytes *b)
{
	if (h->out != NULL) {
		print_event(h->out, b);
		bytes_finish(b);
		return;
	}
	entries_add(&h->seen, 0, "", "", 0);
	bytes_add(&h->seen.list[h->seen.count - 1].rest, b->data, b->len);
	bytes_finish(b);
}

static void
saw_text(struct host *h, const char *text)
{
	struct bytes b = { 0 };

	bytes_text(&b, text);
	host_saw(h, &b);
}

int
host_answer(
    struct smtpd_session *s, const struct canned *c, const char *argument)
{
	const char *hole;

	if (c->code == 0 || c->silent)
		return c->code;
	hole = strstr(c->text, "{}");
	if (hole == NULL)
		return smtpd_reply(s, c->code,
		    c->enhanced[0] == '\0' ? NULL : c->enhanced, "%s", c->text);
	return smtpd_reply(s, c->code,
	    c->enhanced[0] == '\0' ? NULL : c->enhanced, "%.*s%s%s",
	    (int)(hole - c->text), c->text, argument, hole + 2);
}

static int
on_canned(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	const struct canned *c = user;
	struct bytes b = { 0 };

	bytes_format(&b, "%s %s", command->verb, command->argument);
	host_saw(c->host, &b);
	return host_answer(s, c, command->argument);
}

static void
add_params(struct bytes *b, const struct smtpd_params *params)
{
	size_t count = smtpd_params_count(params);

	for (size_t i = 0; i < count; i++) {
		const struct smtpd_param *p = smtpd_params_get(params, i);

		bytes_format(
		    b, p->value == NULL ? " %s" : " %s=%s", p->name, p->value);
	}
}

static void
saw_address(struct host *h, const char *what, const struct smtpd_command *c)
{
	struct bytes b = { 0 };

	bytes_format(&b, "%s <%s>", what, c->address->text);
	add_params(&b, c->params);
	host_saw(h, &b);
}

static int
on_mail(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	saw_address(user, "mail", c);
	if (strcmp(c->address->local, "spammer") == 0)
		return smtpd_reply(s, 550, "5.7.1", "not from you");
	if (strcmp(c->address->local, "greylisted") == 0)
		return smtpd_reply(s, 451, "4.7.1", "try again later");
	if (strcmp(c->address->local, "close") == 0)
		return smtpd_reply(s, 421, "4.7.0", "go away");
	return 0;
}

/* What recipients are told by their local part. */
static const struct canned rcpts[] = {
	{ NULL, 550, "5.1.1", "nobody", false },
	{ NULL, 451, "4.7.1", "later", false },
	{ NULL, 421, "4.7.0", "close", false },
	{ NULL, 250, "", "bug", true },
	{ NULL, 250, "2.1.5", "welcome", false },
};

static int
on_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	saw_address(user, "rcpt", c);
	for (size_t i = 0; i < sizeof(rcpts) / sizeof(rcpts[0]); i++)
		if (strcmp(c->address->local, rcpts[i].text) == 0)
			return host_answer(s, &rcpts[i], "");
	return 0;
}

static bool
is_for(const struct smtpd_envelope *e, const char *local)
{
	for (size_t i = 0; i < e->nrcpts; i++)
		if (strcmp(smtpd_envelope_rcpt(e, i)->address.local, local) ==
		    0)
			return true;
	return false;
}

/* Add what GET tells of S, after WORD. */
static void
add_told(struct bytes *b, const char *word,
    const char *(*get)(const struct smtpd_session *, const char *),
    const struct smtpd_session *s)
{
	static const char *const names[] = { "NAME", "ADDR", "PORT", "PROTO",
		"HELO", "LOGIN", "DESTADDR", "DESTPORT", "IDENT", "SOURCE" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = get(s, names[i]);

		if (value == NULL)
			continue;
		bytes_format(b, "%s%s %s=%s", word[0] != '\0' ? " " : "", word,
		    names[i], value);
		word = "";
	}
}

/* What MAIL said of the further way of the message. */
static void
add_wishes(struct bytes *b, const struct smtpd_envelope *e)
{
	static const char *const modes[] = { "", "return", "notify" };

	if (e->requiretls)
		bytes_text(b, " requiretls");
	if (e->deliver_by.mode != SMTPD_BY_UNSAID)
		bytes_format(b, " %s%s after %d", modes[e->deliver_by.mode],
		    e->deliver_by.trace ? " and trace" : "",
		    (int)e->deliver_by.seconds);
	if (e->held && smtpd_params_value(e->params, "HOLDUNTIL") != NULL)
		bytes_format(b, " until %lld", (long long)e->release);
	else if (e->held)
		bytes_text(b, " held");
	if (e->prioritized)
		bytes_format(b, " priority %d", e->priority);
}

static void
saw_message(struct host *h, const struct smtpd_session *s,
    const struct smtpd_envelope *e)
{
	struct bytes b = { 0 };

	bytes_format(&b, "message <%s>", e->sender.text);
	if (smtpd_session_user(s) != NULL)
		bytes_format(&b, " by %s", smtpd_session_user(s));
	if (e->submitter != NULL)
		bytes_format(&b, " auth=<%s>", e->submitter->text);
	if (e->size != 0)
		bytes_format(&b, " size=%llu", (unsigned long long)e->size);
	if (e->encoding == SMTPD_ENCODING_8BITMIME)
		bytes_text(&b, " 8bitmime");
	if (e->smtputf8)
		bytes_text(&b, " smtputf8");
	if (e->encoding == SMTPD_ENCODING_BINARYMIME)
		bytes_text(&b, " binarymime");
	add_wishes(&b, e);
	bytes_text(&b, " to");
	for (size_t i = 0; i < e->nrcpts; i++)
		if (!smtpd_envelope_rcpt(e, i)->removed)
			bytes_format(&b, " <%s>",
			    smtpd_envelope_rcpt(e, i)->address.text);
	if (e->quarantine != NULL)
		bytes_format(&b, " quarantine %s", e->quarantine);
	add_told(&b, "xforward", smtpd_session_xforward, s);
	host_saw(h, &b);
}

/* Read the whole body, or one chunk of it; false: it has no valid end. */
static bool
read_body(struct host *h, struct smtpd_body *body, bool whole)
{
	struct bytes b = { 0 };
	char chunk[CHUNK_MAX];
	ssize_t n;

	bytes_text(&b, "body ");
	do {
		n = smtpd_body_read(body, chunk, h->chunk);
		if (n > 0)
			bytes_add(&b, chunk, (size_t)n);
	} while (whole && n > 0);
	if (n >= 0) {
		host_saw(h, &b);
		return true;
	}
	bytes_finish(&b);
	saw_text(h, "body broken");
	return smtpd_body_read(body, chunk, h->chunk) != -1;
}

const char *
host_errno(void)
{
	switch (errno) {
	case EACCES:
		return "EACCES";
	case EINVAL:
		return "EINVAL";
	case EIO:
		return "EIO";
	case EMSGSIZE:
		return "EMSGSIZE";
	case ENOENT:
		return "ENOENT";
	default:
		return "?";
	}
}

void
host_show_header(struct host *h, struct smtpd_body *body)
{
	struct bytes b = { 0 };
	struct smtpd_header_field field;
	char value[256];
	size_t left = 0;
	const char *at = smtpd_body_header(body, &left);

	bytes_text(&b, "header ");
	if (at == NULL)
		bytes_text(&b, host_errno());
	else
		bytes_format(&b, "%zu", left);
	while (at != NULL && smtpd_header_next(&at, &left, &field)) {
		if (smtpd_header_value(&field, value, sizeof(value)) == -1)
			snprintf(value, sizeof(value), "(long)");
		bytes_format(
		    &b, " %.*s=%s", (int)field.name_len, field.name, value);
	}
	host_saw(h, &b);
}

/* Show the rest of the message, read at once. */
static void
show_slurped(struct host *h, struct smtpd_body *body)
{
	struct bytes b = { 0 };
	size_t len = 0;
	char *text = smtpd_body_slurp(body, SLURP_MAX, &len);

	bytes_text(&b, "slurped ");
	if (text == NULL)
		bytes_text(&b, host_errno());
	else
		bytes_add(&b, text, len + 1);
	host_saw(h, &b);
	free(text);
}

/* Use the tools for bodies as the recipients ask. */
static void
show_body(
    struct host *h, const struct smtpd_envelope *e, struct smtpd_body *body)
{
	char few[2];

	if (is_for(e, "header"))
		host_show_header(h, body);
	if (is_for(e, "late")) {
		smtpd_body_read(body, few, sizeof(few));
		host_show_header(h, body);
	}
	if (is_for(e, "slurp"))
		show_slurped(h, body);
}

/* What recipients are told of the message by their local part, before it is
 * read or behind it. */
static const struct {
	const char *local;
	bool early;
	int code;
	const char *enhanced;
	const char *text;
} rcpt_replies[] = {
	{ "over", true, 452, "4.2.2", "mailbox full" },
	{ "never", true, 552, "5.2.2", "mailbox too small" },
	{ "kept", false, 250, "2.1.5", "kept for you" },
	{ "moved", false, 551, "5.1.6", "moved\nfar away" },
	{ "fremd", true, 550, "5.7.1", "nicht f\303\274r mich" },
	{ "closed", false, 421, "4.3.0", "no reply of this kind" },
	{ "odd", false, 354, NULL, "nor of that" },
};

/* Return whether the message is still for anybody. */
static bool
reply_rcpts(struct smtpd_session *s, const struct smtpd_envelope *e, bool early)
{
	bool wanted = true;

	for (size_t i = 0; i < e->nrcpts; i++) {
		const char *local = smtpd_envelope_rcpt(e, i)->address.local;

		for (size_t k = 0;
		    k < sizeof(rcpt_replies) / sizeof(rcpt_replies[0]); k++)
			if (rcpt_replies[k].early == early &&
			    strcmp(rcpt_replies[k].local, local) == 0)
				wanted =
				    smtpd_reply_rcpt(s, i, rcpt_replies[k].code,
					rcpt_replies[k].enhanced, "%s",
					rcpt_replies[k].text);
	}
	return wanted;
}

static int
on_message(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, void *user)
{
	struct host *h = user;
	bool wanted, valid;

	saw_message(h, s, e);
	poll(NULL, 0, h->rest_ms);
	if (is_for(e, "full"))
		return smtpd_reply(s, 452, "4.3.1", "no room");
	if (is_for(e, "early"))
		return smtpd_reply(s, 250, "2.0.0", "taken unread");
	wanted = reply_rcpts(s, e, true);
	show_body(h, e, body);
	valid = read_body(h, body, !is_for(e, "half"));
	if (valid && !wanted)
		return smtpd_reply(s, 450, "4.3.0", "read for nobody");
	if (is_for(e, "header"))
		host_show_header(h, body);
	reply_rcpts(s, e, false);
	if (is_for(e, "stubborn"))
		return smtpd_reply(s, 250, "2.0.0", "whatever it is");
	if (is_for(e, "refused"))
		return smtpd_reply(s, 554, "5.7.1", "not that");
	if (is_for(e, "foreign"))
		return smtpd_reply(s, 550, "5.7.1", "nicht f\303\274r mich");
	if (is_for(e, "broken"))
		return 250;
	if (is_for(e, "again"))
		return smtpd_reply(s, 354, NULL, "more");
	if (is_for(e, "closing"))
		return smtpd_reply(s, 421, "4.3.0", "enough");
	return valid ? 0 : smtpd_reply(s, 451, "4.3.0", "not seen");
}

static int
on_connect(struct smtpd_session *s, void *user)
{
	const char *proxy = smtpd_session_proxy(s);
	struct host *h = user;
	struct bytes b = { 0 };

	bytes_text(&b, "connect");
	if (proxy != NULL)
		bytes_format(&b, " %s by %s", smtpd_session_peer(s), proxy);
	else if (strcmp(smtpd_session_peer(s), "local") != 0)
		bytes_format(&b, " %s", smtpd_session_peer(s));
	add_told(&b, "xclient", smtpd_session_xclient, s);
	host_saw(h, &b);
	return h->connect == NULL ? 0 : host_answer(s, h->connect, "");
}

static void
on_end(struct smtpd_session *s, const struct smtpd_envelope *e,
    enum smtpd_end how, int code, void *user)
{
	static const char *const names[] = { "delivered", "refused", "reset",
		"closed" };
	struct bytes b = { 0 };

	if (smtpd_session_envelope(s) != e)
		die("the end of a transaction that is not open");
	bytes_format(&b, "end %s %d", names[how], code);
	for (size_t i = 0; i < e->nrcpts; i++)
		if (smtpd_envelope_code(e, i) != code)
			bytes_format(
			    &b, " %zu=%d", i, smtpd_envelope_code(e, i));
	host_saw(user, &b);
}

static void
on_disconnect(struct smtpd_session *s, enum smtpd_close why, void *user)
{
	static const char *const names[] = { "quit", "gone", "timeout",
		"refused", "drained", "error" };
	struct bytes b = { 0 };

	if (smtpd_session_envelope(s) != NULL)
		die("the session ends before its transaction");
	bytes_format(&b, "disconnect %s", names[why]);
	host_saw(user, &b);
}

struct canned *
host_canned(struct host *h, const char *text)
{
	struct canned *c = &h->canned[h->ncanned++];
	int skipped = 0;

	if (h->ncanned == HOST_CANNED_MAX)
		die("too many canned replies");
	c->host = h;
	c->silent = sscanf(text, "return %d", &c->code) == 1;
	if (c->silent || strcmp(text, "0") == 0)
		return c;
	if (sscanf(text, "%d %15s%n", &c->code, c->enhanced, &skipped) != 2)
		die("not a reply: %s", text);
	if (strcmp(c->enhanced, "-") == 0)
		c->enhanced[0] = '\0';
	c->text = text + skipped + (text[skipped] == ' ');
	return c;
}

const char *
host_split(const char *text, char *word, size_t size)
{
	size_t len = strcspn(text, " ");

	snprintf(word, size, "%.*s", (int)len, text);
	return text[len] == ' ' ? text + len + 1 : text + len;
}

/* "NAME FLAGS REPLY": a new verb. */
static int
add_verb(struct host *h, const char *text)
{
	char name[32], flags[64];
	const char *rest;
	unsigned bits = 0;

	rest = host_split(text, name, sizeof(name));
	rest = host_split(rest, flags, sizeof(flags));
	if (strstr(flags, "hello") != NULL)
		bits |= SMTPD_VERB_HELLO;
	if (strstr(flags, "transaction") != NULL)
		bits |= SMTPD_VERB_TRANSACTION;
	if (strstr(flags, "pipelined") != NULL)
		bits |= SMTPD_VERB_PIPELINED;
	return smtpd_server_add_verb(
	    h->server, name, bits, on_canned, host_canned(h, rest));
}

static bool
is_user(struct smtpd_session *s, void *user)
{
	(void)user;
	return smtpd_session_user(s) != NULL;
}

/* What the program registers, not a setting; 1 when E is none of these. */
static int
register_one(struct host *h, const struct entry *e)
{
	const char *text = e->rest.data;
	const char *rest;
	char word[32];

	if (strcmp(e->word, "keyword") == 0)
		return smtpd_server_add_keyword(h->server, text);
	if (strcmp(e->word, "keyword_of_users") == 0)
		return smtpd_server_add_keyword_if(
		    h->server, text, is_user, NULL);
	if (strcmp(e->word, "verb") == 0)
		return add_verb(h, text);
	if (strcmp(e->word, "proxy") == 0)
		return smtpd_server_add_proxy(h->server, text);
	if (strcmp(e->word, "xclient") == 0)
		return smtpd_server_add_xclient(h->server, text);
	if (strcmp(e->word, "filter") == 0)
		return filter_add(h, text);
	if (strcmp(e->word, "auth_handler") == 0)
		return smtpd_server_add_handler(
		    h->server, "AUTH", auth_on_command, h);
	if (strcmp(e->word, "connect") == 0) {
		h->connect = host_canned(h, text);
		return 0;
	}
	rest = host_split(text, word, sizeof(word));
	if (strcmp(e->word, "param") == 0)
		return smtpd_server_add_param(h->server, word, rest);
	if (strcmp(e->word, "handle") == 0)
		return smtpd_server_add_handler(
		    h->server, word, on_canned, host_canned(h, rest));
	return 1;
}

static enum smtpd_treatment
treatment(const char *text)
{
	if (strcmp(text, "repair") == 0)
		return SMTPD_TREAT_REPAIR;
	if (strcmp(text, "refuse") == 0)
		return SMTPD_TREAT_REFUSE;
	die("neither refuse nor repair: %s", text);
}

static uint64_t
number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (strcmp(text, "none") == 0)
		return UINT64_MAX;
	if (*end != '\0' || end == text)
		die("not a number: %s", text);
	return value;
}

/* Without libidn2 there is no SMTPUTF8: the test is skipped. */
static void
set_smtputf8(struct host *h)
{
	if (!smtpd__idn_is_available())
		exit(77);
	h->settings.flags |= SMTPD_FLAG_SMTPUTF8;
}

/* The settings of this program and those that are no plain numbers. */
static bool
set_special(struct host *h, const struct entry *e)
{
	const char *text = e->rest.data;

	if (strcmp(e->word, "auth") == 0) {
		h->settings.auth = auth_on_request;
		h->settings.auth_user = h;
	} else if (strcmp(e->word, "max_message_size") == 0)
		h->settings.max_message_size = number(text);
	else if (strcmp(e->word, "bare_lf") == 0)
		h->settings.bare_lf = treatment(text);
	else if (strcmp(e->word, "nul") == 0)
		h->settings.nul = treatment(text);
	else if (strcmp(e->word, "bare_cr") == 0)
		h->settings.bare_cr = treatment(text);
	else if (strcmp(e->word, "default_domain") == 0)
		h->settings.default_domain = text;
	else if (strcmp(e->word, "bare_addresses") == 0)
		h->settings.flags |= SMTPD_FLAG_BARE_ADDRESSES;
	else if (strcmp(e->word, "auth_mechanisms") == 0)
		h->settings.auth_mechanisms = text;
	else if (strcmp(e->word, "auth_without_tls") == 0)
		h->settings.flags |= SMTPD_FLAG_AUTH_WITHOUT_TLS;
	else if (strcmp(e->word, "auth_required") == 0)
		h->settings.flags |= SMTPD_FLAG_AUTH_REQUIRED;
	else if (strcmp(e->word, "hostname") == 0)
		h->settings.hostname = text;
	else if (strcmp(e->word, "bare_lf_commands") == 0)
		h->settings.flags |= SMTPD_FLAG_BARE_LF_COMMANDS;
	else if (strcmp(e->word, "dsn") == 0)
		h->settings.flags |= SMTPD_FLAG_DSN;
	else if (strcmp(e->word, "smtputf8") == 0)
		set_smtputf8(h);
	else if (strcmp(e->word, "chunking") == 0)
		h->settings.flags |= SMTPD_FLAG_CHUNKING;
	else if (strcmp(e->word, "binarymime") == 0)
		h->settings.flags |= SMTPD_FLAG_BINARYMIME;
	else if (strcmp(e->word, "requiretls") == 0)
		h->settings.flags |= SMTPD_FLAG_REQUIRETLS;
	else if (strcmp(e->word, "deliverby") == 0)
		h->settings.flags |= SMTPD_FLAG_DELIVERBY;
	else if (strcmp(e->word, "mt_priority") == 0)
		h->settings.flags |= SMTPD_FLAG_MT_PRIORITY;
	else if (strcmp(e->word, "priority_policy") == 0)
		h->settings.priority_policy = text;
	else if (strcmp(e->word, "chunk") == 0)
		h->chunk = (size_t)number(text);
	else if (strcmp(e->word, "rest_ms") == 0)
		h->rest_ms = (int)number(text);
	else if (strcmp(e->word, "pipes") == 0)
		h->pipes = true;
	else if (strcmp(e->word, "lmtp") == 0)
		h->flags |= SMTPD_LISTEN_LMTP;
	else if (strcmp(e->word, "no_rcpt") == 0)
		h->no_rcpt = true;
	else
		return false;
	return true;
}

static bool
set(struct host *h, const struct entry *e)
{
	const struct field *f = find_field(
	    settings, sizeof(settings) / sizeof(settings[0]), e->word);
	uint32_t value;

	if (f == NULL)
		return set_special(h, e);
	value = (uint32_t)number(e->rest.data);
	memcpy((char *)&h->settings + f->offset, &value, sizeof(value));
	return true;
}

static void
register_usual(struct host *h)
{
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.connect = on_connect,
		.transaction_end = on_end,
		.disconnect = on_disconnect,
		.user = h,
	};

	smtpd_server_add_events(h->server, &events);
	smtpd_server_set_deliver(h->server, on_message, h);
	smtpd_server_add_handler(h->server, "MAIL", on_mail, h);
	if (!h->no_rcpt)
		smtpd_server_add_handler(h->server, "RCPT", on_rcpt, h);
}

/* R10: What a client sends forges no field, in any line of any level.  A line
 * that is cut off has lost its last quote. */
static void
check_log(enum smtpd_log_level level, const char *text, void *user)
{
	const char *fault = log_check(text);

	(void)level;
	(void)user;
	if (fault != NULL)
		die("%s in the log: %s", fault, text);
}

void
host_init(struct host *h, const struct script *s)
{
	*h = (struct host){
		.chunk = CHUNK_MAX,
		.settings = {
			SMTPD_SETTINGS_INIT,
			.hostname = "mx.example.org",
			.log = check_log,
			.log_level = SMTPD_LOG_TRACE,
		},
	};
	for (size_t i = 0; i < s->settings.count; i++)
		set(h, &s->settings.list[i]);
	if (h->chunk == 0 || h->chunk > CHUNK_MAX)
		die("chunk is 1 to %d", CHUNK_MAX);
	h->server = smtpd_server_create(&h->settings);
	if (h->server == NULL)
		die("out of memory");
	register_usual(h);
	for (size_t i = 0; i < s->settings.count; i++) {
		const struct entry *e = &s->settings.list[i];
		int result = set(h, e) ? 0 : register_one(h, e);

		if (result != 0)
			die("%s:%d: %s cannot be set: %s", s->path, e->line,
			    e->word, smtpd_server_error(h->server));
	}
}

void
host_finish(struct host *h)
{
	smtpd_server_destroy(h->server);
	for (size_t i = 0; i < h->nfilters; i++)
		bytes_finish(&h->filters[i].seen);
	entries_finish(&h->seen);
}
