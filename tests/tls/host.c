/* SPDX-License-Identifier: MIT */
/*
 * A server that a test leads from its standard input, one command a line:
 *
 *	context NAME [SETTING=VALUE]...	make a TLS context
 *	add NAME CERT KEY		add a pair to it
 *	drop NAME			let go of it
 *	set NAME|-			give it to the server
 *	door N NAME|-			give it to listener N
 *	listen ADDRESS [tls] [lmtp]	listen
 *	start				begin
 *	handle VERB CODE		answer VERB with CODE
 *	drain MS			stop
 *	counter NAME			say one
 *
 * Each is answered by one line, "= ..." or "! reason".  What the server tells
 * goes between: "log ...", "connect N", "tls N ...", and so on.  The arguments
 * of the program are settings of the server, names and values; "auth" with
 * mechanisms lets user "joe" authenticate with password "pencil", or token
 * "t0ken"; "proxy" and "xclient" have a network.
 */
#include <smtpd.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXTS 8
#define WORDS    16

struct context {
	char name[32];
	struct smtpd_tls *tls;
};

struct host {
	struct smtpd_server *server;
	struct context contexts[CONTEXTS];
	size_t listeners;
};

static pthread_mutex_t out = PTHREAD_MUTEX_INITIALIZER;

static void say(const char *format, ...) SMTPD_PRINTF(1, 2);

static void
say(const char *format, ...)
{
	va_list ap;

	pthread_mutex_lock(&out);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	pthread_mutex_unlock(&out);
}

static void
on_log(enum smtpd_log_level level, const char *text, void *user)
{
	(void)user;
	say("log %d %s", (int)level, text);
}

static unsigned long long
id(const struct smtpd_session *s)
{
	return (unsigned long long)smtpd_session_id(s);
}

static int
on_connect(struct smtpd_session *s, void *user)
{
	(void)user;
	say("connect %llu tls=%d", id(s), smtpd_session_tls(s) != NULL);
	return 0;
}

static void
on_tls(struct smtpd_session *s, void *user)
{
	const struct smtpd_tls_info *f = smtpd_session_tls(s);

	(void)user;
	say("tls %llu helo=<%s> open=%d version=%s cipher=%s name=<%s> "
	    "subject=<%s> fingerprint=<%s> verified=%d",
	    id(s), smtpd_session_helo(s), smtpd_session_envelope(s) != NULL,
	    f->version, f->cipher, f->server_name, f->client_subject,
	    f->client_fingerprint, f->client_verified);
}

static void
on_end(struct smtpd_session *s, const struct smtpd_envelope *e,
    enum smtpd_end how, int code, void *user)
{
	static const char *const names[] = { "delivered", "refused", "reset",
		"closed" };

	(void)e;
	(void)user;
	say("end %llu %s %d", id(s), names[how], code);
}

static void
on_disconnect(struct smtpd_session *s, enum smtpd_close why, void *user)
{
	static const char *const names[] = { "quit", "gone", "timeout",
		"refused", "drained", "error" };

	(void)user;
	say("disconnect %llu %s", id(s), names[why]);
}

static int
on_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	(void)s;
	(void)c;
	(void)user;
	return 0;
}

/* Write what is asked for E besides delivery to BUF of SIZE bytes. */
static const char *
write_wishes(const struct smtpd_envelope *e, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s%s%s%s%s",
	    e->requiretls ? "requiretls " : "",
	    e->deliver_by.mode != SMTPD_BY_UNSAID ? "by " : "",
	    e->held ? "held " : "", e->prioritized ? "priority " : "",
	    e->smtputf8 ? "smtputf8 " : "",
	    e->encoding == SMTPD_ENCODING_BINARYMIME ? "binarymime " : "",
	    e->submitter != NULL ? "submitter " : "");
	return buf;
}

/* On one line: the Received header that the message would get, its size, and
 * what is asked for it. */
static int
on_message(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, void *user)
{
	char received[SMTPD_RECEIVED_MAX], buf[8192], wishes[96];
	unsigned long long size = 0;
	ssize_t n;

	(void)user;
	while ((n = smtpd_body_read(body, buf, sizeof(buf))) > 0)
		size += (unsigned long long)n;
	if (smtpd_session_received(s, received, sizeof(received)) < 0)
		return smtpd_reply(s, 451, "4.3.0", "no header");
	for (char *p = received; *p != '\0'; p++)
		if (*p == '\r' || *p == '\n' || *p == '\t')
			*p = ' ';
	say("message %llu size=%llu %s%s", id(s), size,
	    write_wishes(e, wishes, sizeof(wishes)), received);
	return 0;
}

static int
on_auth(struct smtpd_session *s, const struct smtpd_auth_request *r,
    struct smtpd_scram_key *key, void *user)
{
	(void)user;
	if (strcmp(r->token != NULL ? r->identity : r->user, "joe") != 0)
		return SMTPD_AUTH_REFUSED;
	if (r->token != NULL)
		return strcmp(r->token, "t0ken") == 0 &&
			smtpd_session_set_user(s, r->identity) == 0
		    ? SMTPD_AUTH_ACCEPTED
		    : SMTPD_AUTH_REFUSED;
	return smtpd_scram_key_make(key, "pencil", 0) == 0
	    ? SMTPD_AUTH_KEY
	    : SMTPD_AUTH_UNAVAILABLE;
}

static int
on_refused(struct smtpd_session *s, const struct smtpd_command *c, void *code)
{
	return smtpd_reply(s, *(int *)code, NULL, "not %s", c->verb);
}

static struct context *
find(struct host *h, const char *name)
{
	for (size_t i = 0; i < CONTEXTS; i++)
		if (strcmp(h->contexts[i].name, name) == 0)
			return &h->contexts[i];
	return NULL;
}

static struct smtpd_tls *
tls_of(struct host *h, const char *name)
{
	struct context *c = strcmp(name, "-") == 0 ? NULL : find(h, name);

	return c != NULL ? c->tls : NULL;
}

static void
answer(int result, const char *reason)
{
	if (result == 0)
		say("=");
	else
		say("! %s", reason);
}

/* Answer with the result of a call on the server of H, which was made before
 * its sentence is asked for. */
static void
answer_call(const struct host *h, int result)
{
	answer(result, smtpd_server_error(h->server));
}

static void
take_setting(struct host *h, struct smtpd_tls_settings *s, char *word)
{
	char *value = strchr(word, '=');

	if (value == NULL)
		return;
	*value++ = '\0';
	if (strcmp(word, "min") == 0)
		s->min_version = SMTPD_TLS_1_3;
	else if (strcmp(word, "clients") == 0)
		s->clients = strcmp(value, "asked") == 0
		    ? SMTPD_TLS_CLIENTS_ASKED
		    : SMTPD_TLS_CLIENTS_DEMANDED;
	else if (strcmp(word, "ca") == 0)
		s->client_ca_file = value;
	else if (strcmp(word, "no_tickets") == 0)
		s->no_tickets = true;
	else if (strcmp(word, "cbc_suites") == 0)
		s->cbc_suites = true;
	else if (strcmp(word, "lifetime") == 0)
		s->ticket_lifetime_s = (uint32_t)strtoul(value, NULL, 10);
	else if (strcmp(word, "tickets_of") == 0)
		s->tickets_of = tls_of(h, value);
}

static void
do_context(struct host *h, char **words, int n)
{
	struct smtpd_tls_settings settings = { SMTPD_TLS_SETTINGS_INIT };
	struct context *c = find(h, "");

	for (int i = 2; i < n; i++)
		take_setting(h, &settings, words[i]);
	if (c == NULL) {
		say("! too many contexts");
		return;
	}
	c->tls = smtpd_tls_create(&settings);
	snprintf(c->name, sizeof(c->name), "%s", words[1]);
	answer(c->tls != NULL ? 0 : -1, "no context");
}

static void
do_drop(struct host *h, const char *name)
{
	struct context *c = find(h, name);

	if (c != NULL) {
		smtpd_tls_unref(c->tls);
		*c = (struct context){ .tls = NULL };
	}
	say("=");
}

static void
do_listen(struct host *h, char **words, int n)
{
	unsigned flags = 0;

	for (int i = 2; i < n; i++)
		flags |= strcmp(words[i], "tls") == 0 ? SMTPD_LISTEN_TLS
						      : SMTPD_LISTEN_LMTP;
	if (smtpd_server_listen(h->server, words[1], flags) != 0)
		say("! %s", smtpd_server_error(h->server));
	else
		say("= %s", smtpd_server_address(h->server, h->listeners++));
}

static void
do_counter(struct host *h, const char *name)
{
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };

	smtpd_server_count(h->server, &c);
	say("= %llu",
	    (unsigned long long)(strcmp(name, "tls") == 0   ? c.tls
		    : strcmp(name, "refused_tls") == 0      ? c.refused_tls
		    : strcmp(name, "refused_protocol") == 0 ? c.refused_protocol
		    : strcmp(name, "timeouts") == 0         ? c.timeouts
		    : strcmp(name, "disconnects") == 0      ? c.disconnects
		    : strcmp(name, "errors") == 0           ? c.errors
		    : strcmp(name, "authenticated") == 0    ? c.authenticated
		    : strcmp(name, "refused_auth") == 0     ? c.refused_auth
							: c.connections_now));
}

static void
do_command(struct host *h, char **words, int n)
{
	const char *verb = words[0];
	struct smtpd_server *srv = h->server;
	static int code;

	if (strcmp(verb, "context") == 0)
		do_context(h, words, n);
	else if (strcmp(verb, "add") == 0)
		answer(smtpd_tls_add_files(
			   tls_of(h, words[1]), words[2], words[3]),
		    smtpd_tls_error(tls_of(h, words[1])));
	else if (strcmp(verb, "drop") == 0)
		do_drop(h, words[1]);
	else if (strcmp(verb, "set") == 0)
		answer_call(h, smtpd_server_set_tls(srv, tls_of(h, words[1])));
	else if (strcmp(verb, "door") == 0)
		answer_call(h,
		    smtpd_server_set_listener_tls(
			srv, strtoul(words[1], NULL, 10), tls_of(h, words[2])));
	else if (strcmp(verb, "listen") == 0)
		do_listen(h, words, n);
	else if (strcmp(verb, "start") == 0)
		answer_call(h, smtpd_server_start(srv));
	else if (strcmp(verb, "handle") == 0) {
		code = (int)strtol(words[2], NULL, 10);
		answer_call(h,
		    smtpd_server_add_handler(srv, words[1], on_refused, &code));
	} else if (strcmp(verb, "drain") == 0)
		say("= %d",
		    smtpd_server_drain(
			srv, (uint32_t)strtoul(words[1], NULL, 10)));
	else if (strcmp(verb, "counter") == 0)
		do_counter(h, words[1]);
	else
		say("! no such command");
}

static int
split(char *line, char **words)
{
	char *rest = line;
	int n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (n < WORDS && *rest != '\0') {
		words[n++] = rest;
		rest += strcspn(rest, " ");
		if (*rest != '\0')
			*rest++ = '\0';
	}
	return n;
}

/* The flag of the settings that is called NAME, 0 for none. */
static unsigned
flag_of(const char *name)
{
	static const struct {
		const char *name;
		unsigned flag;
	} flags[] = {
		{ "auth_without_tls", SMTPD_FLAG_AUTH_WITHOUT_TLS },
		{ "auth_required", SMTPD_FLAG_AUTH_REQUIRED },
		{ "dsn", SMTPD_FLAG_DSN },
		{ "smtputf8", SMTPD_FLAG_SMTPUTF8 },
		{ "chunking", SMTPD_FLAG_CHUNKING },
		{ "binarymime", SMTPD_FLAG_BINARYMIME },
		{ "requiretls", SMTPD_FLAG_REQUIRETLS },
		{ "deliverby", SMTPD_FLAG_DELIVERBY },
		{ "mt_priority", SMTPD_FLAG_MT_PRIORITY },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(flags[i].name, name) == 0)
			return flags[i].flag;
	return 0;
}

/* Networks of which much is believed. */
static void
trust_networks(struct host *h, int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "proxy") == 0)
			smtpd_server_add_proxy(h->server, argv[i + 1]);
		else if (strcmp(argv[i], "xclient") == 0)
			smtpd_server_add_xclient(h->server, argv[i + 1]);
	}
}

static void
set_up(struct host *h, int argc, char **argv)
{
	struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example.org",
		.max_per_address = SMTPD_NO_LIMIT,
		.max_per_network = SMTPD_NO_LIMIT,
		.log = on_log,
		.log_level = SMTPD_LOG_DEBUG,
	};
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.connect = on_connect,
		.tls = on_tls,
		.transaction_end = on_end,
		.disconnect = on_disconnect,
	};

	for (int i = 1; i + 1 < argc; i += 2) {
		uint32_t value = (uint32_t)strtoul(argv[i + 1], NULL, 10);

		if (strcmp(argv[i], "handshake_timeout_ms") == 0)
			settings.handshake_timeout_ms = value;
		else if (strcmp(argv[i], "idle_timeout_ms") == 0)
			settings.idle_timeout_ms = value;
		else if (strcmp(argv[i], "greet_delay_ms") == 0)
			settings.greet_delay_ms = value;
		else if (strcmp(argv[i], "max_connections") == 0)
			settings.max_connections = value;
		else if (strcmp(argv[i], "max_per_address") == 0)
			settings.max_per_address = value;
		else if (strcmp(argv[i], "max_auth_failures") == 0)
			settings.max_auth_failures = value;
		else if (strcmp(argv[i], "max_future_release") == 0)
			settings.max_future_release = value;
		else if (strcmp(argv[i], "auth_delay_ms") == 0)
			settings.auth_delay_ms = value;
		else if (strcmp(argv[i], "log_level") == 0)
			settings.log_level = (enum smtpd_log_level)value;
		else if (strcmp(argv[i], "auth") == 0) {
			settings.auth = on_auth;
			settings.auth_mechanisms = argv[i + 1];
		} else
			settings.flags |= flag_of(argv[i]);
	}
	h->server = smtpd_server_create(&settings);
	if (h->server == NULL)
		exit(1);
	smtpd_server_add_events(h->server, &events);
	smtpd_server_add_handler(h->server, "RCPT", on_rcpt, NULL);
	smtpd_server_set_deliver(h->server, on_message, NULL);
	trust_networks(h, argc, argv);
}

int
main(int argc, char **argv)
{
	struct host h = { .server = NULL };
	char line[4096];
	char *words[WORDS];

	if (!smtpd_tls_supported())
		return 77;
	set_up(&h, argc, argv);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		int n = split(line, words);

		if (n > 0)
			do_command(&h, words, n);
	}
	smtpd_server_destroy(h.server);
	for (size_t i = 0; i < CONTEXTS; i++)
		smtpd_tls_unref(h.contexts[i].tls);
	return 0;
}
