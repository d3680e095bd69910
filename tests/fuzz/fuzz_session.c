/* SPDX-License-Identifier: MIT */
/*
 * A whole session.  The first two bytes choose the settings; the rest is what
 * the client sends, byte 0x1e dividing it into packets.
 */
/* For pipe2(). */
#define _GNU_SOURCE
#include <smtpd.h>

#include "fuzz.h"

#include <fcntl.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MAX  8192
#define PACKET_MAX 256
#define OUTPUT_MAX (1 << 20)
#define PACKET_END 0x1e

/* The bits of the first byte. */
enum choice {
	BARE_LF_COMMANDS = 1 << 0,
	REFUSE_BARE_LF = 1 << 1,
	REPAIR_NUL = 1 << 2,
	SMALL_LIMITS = 1 << 3,
	SMALL_READS = 1 << 4,
	LEAVE_UNREAD = 1 << 5,
	REFUSE_SOME = 1 << 6,
	MISTAKES = 1 << 7,
	/* And of the second. */
	PROXIED = 1 << 8,
	TRUSTED = 1 << 9, /* with XCLIENT */
	SLOW_RCPTS = 1 << 10,
	LMTP = 1 << 11,
	FILTERS = 1 << 12,
};

/* What the program was told. */
struct seen {
	unsigned choice;
	int connects, disconnects;
	int senders, ends, delivered, refused, messages;
	int chunked; /* messages by BDAT */
	bool open;   /* a transaction */
};

static int
on_connect(struct smtpd_session *s, void *user)
{
	struct seen *seen = user;

	must(smtpd_session_envelope(s) == NULL);
	seen->connects++;
	return 0;
}

static void
on_end(struct smtpd_session *s, const struct smtpd_envelope *e,
    enum smtpd_end how, int code, void *user)
{
	struct seen *seen = user;

	must(seen->open && smtpd_session_envelope(s) == e);
	must((how == SMTPD_END_DELIVERED) == (code >= 200 && code < 300));
	must((how == SMTPD_END_REFUSED) == (code >= 400));
	seen->open = false;
	seen->ends++;
	must(how != SMTPD_END_DELIVERED || seen->messages > 0 ||
	    (seen->choice & FILTERS) != 0);
	seen->delivered += how == SMTPD_END_DELIVERED;
	seen->refused += how == SMTPD_END_REFUSED;
}

static void
on_disconnect(struct smtpd_session *s, enum smtpd_close why, void *user)
{
	struct seen *seen = user;

	must(!seen->open && smtpd_session_envelope(s) == NULL);
	must(why != SMTPD_CLOSE_DRAINED && why != SMTPD_CLOSE_ERROR);
	seen->disconnects++;
}

static void
must_be_clean(struct smtpd_session *s, const char *text)
{
	must(smtpd_session_envelope(s)->smtputf8
		? is_printable_utf8(text, strlen(text))
		: is_printable(text, strlen(text)));
}

/* What was told of another client is clean. */
static void
must_be_told(const struct smtpd_session *s)
{
	static const char *const names[] = { "NAME", "ADDR", "PORT", "PROTO",
		"HELO", "LOGIN", "DESTADDR", "DESTPORT", "IDENT", "SOURCE" };
	const char *peer = smtpd_session_peer(s);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *client = smtpd_session_xclient(s, names[i]);
		const char *origin = smtpd_session_xforward(s, names[i]);

		must(client == NULL ||
		    is_printable_utf8(client, strlen(client)));
		must(origin == NULL ||
		    is_printable_utf8(origin, strlen(origin)));
	}
	must(is_printable(peer, strlen(peer)));
}

static int
on_mail(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	struct seen *seen = user;

	must(!seen->open && smtpd_session_helo(s)[0] != '\0');
	must_be_told(s);
	must_be_clean(s, c->address->text);
	must_be_clean(s, c->address->local);
	for (size_t i = 0; i < smtpd_params_count(c->params); i++)
		must(smtpd_params_value(c->params,
			 smtpd_params_get(c->params, i)->name) != NULL);
	if ((seen->choice & REFUSE_SOME) != 0 && c->params != NULL)
		return smtpd_reply(
		    s, 550, "5.7.1", "not with\r\n%s", c->argument);
	seen->open = true;
	seen->senders++;
	return 0;
}

static int
on_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	struct seen *seen = user;

	must(seen->open);
	must_be_clean(s, c->address->text);
	if ((seen->choice & REFUSE_SOME) != 0 && c->address->local[0] == 'n')
		return smtpd_reply(s, 550, "5.1.1", "%s", c->address->local);
	return (seen->choice & MISTAKES) != 0 ? 250 : 0;
}

/* Asked once for each message that comes in chunks. */
static int
on_chunks(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	struct seen *seen = user;

	must(seen->open && smtpd_session_envelope(s)->nrcpts > 0);
	must(c->argument[0] >= '0' && c->argument[0] <= '9');
	if ((seen->choice & REFUSE_SOME) != 0 && c->argument[0] == '9')
		return smtpd_reply(s, 550, "5.7.1", "no nines");
	seen->chunked++;
	return 0;
}

static int
on_other(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	struct seen *seen = user;

	if ((seen->choice & MISTAKES) != 0)
		return smtpd_reply(s, 777, "9.9.9", "%s", c->argument);
	return smtpd_reply(s, 250, "2.0.0", "%s\n%s", c->argument, c->verb);
}

/* The name decides about what is shown. */
static int
on_auth(struct smtpd_session *s, const struct smtpd_auth_request *r,
    struct smtpd_scram_key *key, void *user)
{
	struct seen *seen = user;

	must(!seen->open && smtpd_session_user(s) == NULL);
	must(r->password == NULL || r->token == NULL);
	must((r->user[0] != '\0') == (r->token == NULL));
	must(strlen(r->user) < 256 && strlen(r->identity) < 256);
	if (r->user[0] == 'k') {
		key->iterations = SMTPD_SCRAM_ITERATIONS;
		key->salt_len = 1;
		return SMTPD_AUTH_KEY;
	}
	if (r->token != NULL && r->identity[0] == 'j')
		return smtpd_session_set_user(s, r->identity) == 0
		    ? SMTPD_AUTH_ACCEPTED
		    : SMTPD_AUTH_UNAVAILABLE;
	return r->user[0] == 'j' && r->password != NULL ? SMTPD_AUTH_ACCEPTED
							: SMTPD_AUTH_REFUSED;
}

/* Lines end with CRLF, and there is no other CR, LF, or NUL. */
static void
must_be_message(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		must(text[i] != '\0');
		must((text[i] == '\n') == (i > 0 && text[i - 1] == '\r'));
	}
	must(len == 0 || text[len - 1] == '\n');
}

/* Refuse recipient I when the message comes, if the letters say so. */
static void
refuse_late(struct smtpd_session *s, const struct smtpd_envelope *e, size_t i)
{
	const char *local = smtpd_envelope_rcpt(e, i)->address.local;

	if (local[0] == 'o')
		smtpd_reply_rcpt(s, i, 452, "4.2.2", "%s", local);
	if (local[0] == 'p')
		smtpd_reply_rcpt(s, i + 1, 552, NULL, "%s\n%s", local, local);
}

static int
on_message(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, void *user)
{
	static char text[2 * INPUT_MAX];
	struct seen *seen = user;
	size_t step = (seen->choice & SMALL_READS) != 0 ? 3 : 1000;
	size_t len = 0;
	ssize_t n;

	must(seen->open && e->nrcpts > 0);
	must(smtpd_session_received(s, text, 1024) > 0);
	must_be_message(text, strlen(text));
	seen->messages++;
	for (size_t i = 0; i < e->nrcpts; i++)
		refuse_late(s, e, i);
	if ((seen->choice & LEAVE_UNREAD) != 0)
		return smtpd_reply(s, 250, "2.0.0", "unread");
	while ((n = smtpd_body_read(body, text + len, step)) > 0) {
		len += (size_t)n;
		must(len + step <= sizeof(text));
	}
	if (n < 0)
		return smtpd_reply(s, 250, "2.0.0", "whatever");
	if (e->encoding != SMTPD_ENCODING_BINARYMIME)
		must_be_message(text, len);
	return 0;
}

/* The fields of a header are whole, one behind the other. */
static int
on_filter_begin(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, void *user)
{
	struct smtpd_header_field field;
	char value[INPUT_MAX + 1];
	size_t left;
	const char *at = smtpd_body_header(body, &left);
	const char *next = at;

	(void)s;
	(void)e;
	(void)user;
	while (at != NULL && smtpd_header_next(&at, &left, &field)) {
		must(field.raw == next && field.name == next);
		next += field.raw_len;
		must(at == next && field.value + field.value_len == next);
		must(smtpd_header_value(&field, value, sizeof(value)) >= 0);
	}
	return 0;
}

/* Change the message as the first recipient's letters say. */
static int
on_filter_end(struct smtpd_session *s, struct smtpd_body *body, void *user)
{
	const struct smtpd_envelope *e = smtpd_session_envelope(s);
	const char *local = smtpd_envelope_rcpt(e, 0)->address.local;

	(void)body;
	(void)user;
	must(smtpd_session_add_field(s, "X-Fuzz", local) == 0);
	if (local[0] == 'x')
		must(smtpd_session_remove_rcpt(s, 0) == 0);
	if (local[0] == 'y')
		smtpd_session_add_rcpt(s, local + 1);
	return local[0] == 'z' ? smtpd_reply(s, 554, NULL, "%s", local) : 0;
}

static void
add_filters(struct smtpd_server *srv)
{
	const struct smtpd_filter filter = {
		SMTPD_FILTER_INIT,
		.begin = on_filter_begin,
		.end = on_filter_end,
	};

	smtpd_server_add_filter(srv, &filter);
	smtpd_server_add_filter(srv, &filter);
}

static struct smtpd_server *
create(struct seen *seen)
{
	unsigned choice = seen->choice;
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.connect = on_connect,
		.transaction_end = on_end,
		.disconnect = on_disconnect,
		.user = seen,
	};
	struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.errors_soft = SMTPD_NO_LIMIT,
		.errors_hard = SMTPD_NO_LIMIT,
		.flags = SMTPD_FLAG_DSN | SMTPD_FLAG_SMTPUTF8 |
		    SMTPD_FLAG_AUTH_WITHOUT_TLS | SMTPD_FLAG_CHUNKING |
		    SMTPD_FLAG_BINARYMIME | SMTPD_FLAG_REQUIRETLS |
		    SMTPD_FLAG_DELIVERBY | SMTPD_FLAG_MT_PRIORITY |
		    ((choice & BARE_LF_COMMANDS) != 0
			    ? SMTPD_FLAG_BARE_LF_COMMANDS
			    : 0),
		.bare_lf =
		    (choice & REFUSE_BARE_LF) != 0 ? SMTPD_TREAT_REFUSE : 0,
		.nul = (choice & REPAIR_NUL) != 0 ? SMTPD_TREAT_REPAIR : 0,
		.auth = on_auth,
		.auth_user = seen,
		.auth_mechanisms =
		    "PLAIN LOGIN SCRAM-SHA-256 OAUTHBEARER XOAUTH2",
		.auth_delay_ms = 1,
		.max_auth_failures = SMTPD_NO_LIMIT,
		.min_deliver_by = 60,
		.max_future_release = 86400,
	};
	struct smtpd_server *srv;

	if ((choice & SLOW_RCPTS) != 0) {
		settings.rcpt_rate_per_address = 2;
		settings.rcpt_rate_ms = 3600000;
	}
	if ((choice & SMALL_LIMITS) != 0) {
		settings.max_message_size = 100;
		settings.max_command_line = 512;
		settings.max_text_line = 1000;
		settings.max_transactions = 4;
		settings.max_hops = 2;
	}
	srv = smtpd_server_create(&settings);
	if (srv == NULL)
		abort();
	if ((choice & PROXIED) != 0)
		smtpd_server_add_proxy(srv, "local");
	if ((choice & TRUSTED) != 0)
		smtpd_server_add_xclient(srv, "local");
	if ((choice & FILTERS) != 0)
		add_filters(srv);
	smtpd_server_add_events(srv, &events);
	smtpd_server_set_deliver(srv, on_message, seen);
	smtpd_server_add_handler(srv, "MAIL", on_mail, seen);
	smtpd_server_add_handler(srv, "RCPT", on_rcpt, seen);
	smtpd_server_add_handler(srv, "BDAT", on_chunks, seen);
	smtpd_server_add_handler(srv, "VRFY", on_other, seen);
	smtpd_server_add_verb(
	    srv, "XFOO", SMTPD_VERB_PIPELINED, on_other, seen);
	smtpd_server_add_param(srv, "MAIL", "XPRIO");
	return srv;
}

/* A way in that is no socket: what is there before the greeting is no early
 * talk then.  Of a packet the rest of what is not read at once is lost, and a
 * header of a proxy is read to its last byte: no PACKETS for that. */
static void
make_input(int fds[2], bool packets)
{
	must(pipe2(fds, O_NONBLOCK | (packets ? O_DIRECT : 0)) == 0);
	/* A page for each packet. */
	fcntl(fds[1], F_SETPIPE_SZ, PACKET_MAX * 4096);
}

/* Put the packets of DATA where the server will read them one by one. */
static void
send_packets(int fd, const char *data, size_t len)
{
	for (int n = 0; n < PACKET_MAX && len > 0; n++) {
		const char *end = memchr(data, PACKET_END, len);
		size_t size = end != NULL ? (size_t)(end - data) : len;

		if (size > 0 && write(fd, data, size) < 0)
			return;
		if (end == NULL)
			return;
		data += size + 1;
		len -= size + 1;
	}
}

/* One line of a reply, LEN octets with its CRLF; returns its code. */
static int
check_line(const char *line, size_t len)
{
	must(len >= 6 && (len <= 512 || memcmp(line, "334 ", 4) == 0));
	must(line[0] >= '2' && line[0] <= '5');
	must(line[1] >= '0' && line[1] <= '5');
	must(line[2] >= '0' && line[2] <= '9');
	must(line[3] == ' ' || line[3] == '-');
	must(line[len - 2] == '\r');
	/* What is outside ASCII was asked for: VRFY with SMTPUTF8. */
	must(is_printable_utf8(line + 4, len - 6));
	return (int)strtol(line, NULL, 10);
}

/* Whole replies, and no more messages than were asked for. */
static void
check_output(const struct seen *seen, const char *out, size_t len)
{
	int asked = 0, before = 0;

	while (len > 0) {
		const char *lf = memchr(out, '\n', len);
		size_t n = lf != NULL ? (size_t)(lf - out) + 1 : 0;
		int code = check_line(out, n);

		must(before == 0 || code == before);
		before = out[3] == '-' ? code : 0;
		asked += code == 354;
		out += n;
		len -= n;
	}
	must(before == 0);
	/* Filters let not all of them through. */
	must(asked + seen->chunked == seen->messages ||
	    ((seen->choice & FILTERS) != 0 &&
		asked + seen->chunked > seen->messages));
	must(seen->delivered <= asked + seen->chunked);
}

static size_t
receive(int fd, char *out)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = recv(fd, out + len, OUTPUT_MAX - len, MSG_DONTWAIT);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	return len;
}

static void
check_counters(struct smtpd_server *srv, const struct seen *seen)
{
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };

	smtpd_server_count(srv, &c);
	must(c.connections == 1 && c.connections_now == 0);
	/* Without a header nobody hears of it; XCLIENT connects again. */
	must(seen->connects == 1 ||
	    (seen->choice & (seen->connects == 0 ? PROXIED : TRUSTED)) != 0);
	must(seen->disconnects == (seen->connects > 0));
	must(seen->senders == seen->ends);
	must(c.messages == (uint64_t)seen->delivered);
	must(c.messages_refused == (uint64_t)seen->refused);
	must(c.timeouts == 0 && c.errors == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[OUTPUT_MAX];
	const int room = OUTPUT_MAX;
	struct seen seen = { 0 };
	struct smtpd_server *srv;
	int in[2], out_pair[2];

	if (size < 2 || size > INPUT_MAX)
		return 0;
	seen.choice = data[0] | (unsigned)data[1] << 8;
	make_input(in, (seen.choice & PROXIED) == 0);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, out_pair) == 0);
	setsockopt(out_pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	send_packets(in[1], (const char *)data + 2, size - 2);
	close(in[1]);
	srv = create(&seen);
	must(smtpd_server_serve(srv, in[0], out_pair[0],
		 (seen.choice & LMTP) != 0 ? SMTPD_LISTEN_LMTP : 0) == 0);
	check_output(&seen, out, receive(out_pair[1], out));
	check_counters(srv, &seen);
	smtpd_server_destroy(srv);
	close(in[0]);
	close(out_pair[0]);
	close(out_pair[1]);
	return 0;
}
