/* SPDX-License-Identifier: MIT */
#include "server/auth_exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "os/clock.h"
#include "server/answer.h"
#include "server/line_input.h"

/* The longest challenge, so that its line is none too long. */
#define CHALLENGE_MAX ((SMTPD_AUTH_LINE_MAX - sizeof("334 \r\n")) / 4 * 3)

struct smtpd_auth_exchange *
smtpd__auth_exchange_begin(struct smtpd_session *s,
    const struct smtpd_command_line *line, const char *name,
    const char *initial)
{
	struct smtpd_auth_exchange *x = calloc(1, sizeof(*x));
	struct smtpd_text t;

	if (x == NULL)
		return NULL;
	smtpd__text_init(&t, x->argument, sizeof(x->argument));
	smtpd__text_add(&t, line->argument);
	smtpd__text_init(&t, x->mechanism, sizeof(x->mechanism));
	smtpd__text_add(&t, name);
	if (initial != NULL)
		x->initial = x->argument + (initial - line->argument);
	x->last_read_ms = smtpd__clock_ms();
	s->auth = x;
	return x;
}

void
smtpd__auth_exchange_end(struct smtpd_session *s)
{
	if (s->auth->failed)
		s->ws->reply = s->auth->reply;
	free(s->auth->user);
	smtpd__secret_wipe(s->auth, sizeof(*s->auth));
	free(s->auth);
	s->auth = NULL;
}

int
smtpd__auth_exchange_stop(struct smtpd_session *s)
{
	s->auth->failed = true;
	s->auth->reply = s->ws->reply;
	return -1;
}

int
smtpd__auth_exchange_fail(struct smtpd_session *s, enum smtpd_reply_key key)
{
	smtpd__answer_refuse(s, SMTPD_COUNTER_NONE, key, NULL);
	return smtpd__auth_exchange_stop(s);
}

static void
log_line(const struct smtpd_session *s, const char *what)
{
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_TRACE,
	    "session=%llu %s=\"***\"", (unsigned long long)s->id, what);
}

/* server-challenge = "334" SP [base64] CRLF: one line, however long. */
static void
send_challenge(struct smtpd_session *s, const void *data, size_t len)
{
	size_t size = SMTPD_BASE64_LEN(len) + sizeof("334 \r\n");
	char *room = smtpd__stream_room(&s->stream, size);
	struct smtpd_text t;

	log_line(s, "challenge");
	if (room == NULL)
		return;
	smtpd__text_init(&t, room, size);
	smtpd__text_add(&t, "334 ");
	smtpd__base64_encode(&t, data, len);
	smtpd__text_add(&t, "\r\n");
	smtpd__stream_put(&s->stream, t.len);
}

/* Read a line of LEN bytes.  Return it, or NULL: the reply is set, if there is
 * one to give. */
static const char *
read_line(struct smtpd_session *s, size_t *len)
{
	char *line;

	if (smtpd__line_input_read(s, SMTPD_AUTH_LINE_MAX,
		SMTPD_REPLY_AUTH_TOO_LONG, &line, len) == -1)
		return NULL;
	log_line(s, "answer");
	return line;
}

/* Read the answer to a challenge into *TEXT of *LEN bytes.  Return 0, or -1
 * where the exchange is over. */
static int
read_answer(struct smtpd_session *s, const char **text, size_t *len)
{
	*text = read_line(s, len);
	if (*text == NULL)
		return smtpd__auth_exchange_stop(s);
	s->auth->last_read_ms = smtpd__clock_ms();
	if (strcmp(*text, "*") == 0)
		return smtpd__auth_exchange_fail(s, SMTPD_REPLY_AUTH_CANCELLED);
	return 0;
}

/* The same for the initial response, which answers an empty challenge that need
 * not be sent: "=" stands for an empty one. */
static int
read_initial(struct smtpd_session *s, size_t challenge_len, const char **text,
    size_t *len)
{
	*text = s->auth->initial;
	*len = strcmp(*text, "=") == 0 ? 0 : strlen(*text);
	s->auth->initial = NULL;
	if (challenge_len > 0)
		return smtpd__auth_exchange_fail(
		    s, SMTPD_REPLY_AUTH_SERVER_FIRST);
	return 0;
}

/* Decode LEN bytes at TEXT into BUF of SIZE bytes, with a NUL behind them.
 * Return the length, or -1. */
static ssize_t
decode_answer(struct smtpd_session *s, const char *text, size_t len, char *buf,
    size_t size)
{
	ssize_t n;

	if (len > SMTPD_BASE64_LEN(size - 1)) {
		smtpd__answer_refuse_limit(s, SMTPD_COUNTER_NONE,
		    SMTPD_REPLY_AUTH_TOO_LONG, SMTPD_BASE64_LEN(size - 1));
		return smtpd__auth_exchange_stop(s);
	}
	n = smtpd__base64_decode(text, len, buf, size - 1);
	if (n == -1)
		return smtpd__auth_exchange_fail(
		    s, SMTPD_REPLY_AUTH_NOT_BASE64);
	buf[n] = '\0';
	return n;
}

ssize_t
smtpd_session_challenge(struct smtpd_session *s, const void *data, size_t len,
    void *buf, size_t size)
{
	struct smtpd_auth_exchange *x = s->auth;
	const char *text;
	size_t text_len;
	ssize_t n = -1;
	int result;

	if (x == NULL || x->judging || x->failed || len > CHALLENGE_MAX ||
	    buf == NULL || size == 0) {
		errno = EINVAL;
		return -1;
	}
	s->ws->reply.code = 0;
	if (x->initial != NULL) {
		result = read_initial(s, len, &text, &text_len);
	} else {
		send_challenge(s, data, len);
		result = read_answer(s, &text, &text_len);
	}
	if (result == 0)
		n = decode_answer(s, text, text_len, buf, size);
	if (n == -1)
		errno = s->closing ? EIO : ECANCELED;
	return n;
}

void
smtpd__auth_exchange_delay(struct smtpd_session *s, uint64_t shown_ms)
{
	uint64_t due =
	    smtpd__clock_later(shown_ms, s->config->settings.auth_delay_ms);
	uint64_t now = smtpd__clock_ms();

	if (due > now)
		smtpd__stream_pause(&s->stream, due - now);
}

void
smtpd__auth_exchange_fail_with_challenge(
    struct smtpd_session *s, enum smtpd_reply_key key, const char *text)
{
	size_t len;

	smtpd__auth_exchange_fail(s, key);
	smtpd__auth_exchange_delay(s, s->auth->last_read_ms);
	s->ws->reply.code = 0;
	send_challenge(s, text, strlen(text));
	if (read_line(s, &len) == NULL && s->closing)
		smtpd__auth_exchange_stop(s);
}

int
smtpd__auth_exchange_ask(struct smtpd_session *s, const char *text)
{
	char *message = s->auth->message;
	ssize_t n = smtpd_session_challenge(
	    s, text, strlen(text), message, sizeof(s->auth->message));

	if (n == -1)
		return -1;
	if (strlen(message) == (size_t)n)
		return 0;
	return smtpd__auth_exchange_fail(s, SMTPD_REPLY_AUTH_BAD_MESSAGE);
}
