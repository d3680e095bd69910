/* SPDX-License-Identifier: MIT */
#include "scripted.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resolve/targets.h"

#include "loopback.h"
#include "test.h"

struct talk {
	struct scripted *s;
	int fd;
	char in[8192];
	size_t len;
};

static void
say(struct talk *t, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(t->fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* The next line, without its end; false when the client closed. */
static bool
hear(struct talk *t, char *line, size_t size)
{
	for (;;) {
		char *lf = memchr(t->in, '\n', t->len);
		ssize_t n;

		if (lf != NULL) {
			size_t len = (size_t)(lf - t->in);

			snprintf(line, size, "%.*s", (int)len, t->in);
			line[strcspn(line, "\r")] = '\0';
			t->len -= len + 1;
			memmove(t->in, lf + 1, t->len);
			return true;
		}
		if (t->len == sizeof(t->in))
			return false;
		n = recv(t->fd, t->in + t->len, sizeof(t->in) - t->len, 0);
		if (n <= 0)
			return false;
		t->len += (size_t)n;
	}
}

/* Hear a line that begins with WANT, or is it. */
static void
expect(struct talk *t, const char *want, bool exactly)
{
	char line[4096] = "(end)";

	if (hear(t, line, sizeof(line)) &&
	    strncmp(line, want, strlen(want)) == 0 &&
	    (!exactly || strlen(line) == strlen(want)))
		return;
	if (t->s->wrong[0] == '\0')
		snprintf(t->s->wrong, sizeof(t->s->wrong), "%.120s, not %.120s",
		    line, want);
}

static void
hear_data(struct talk *t)
{
	struct scripted *s = t->s;
	char line[4096];

	s->data_len = 0;
	while (hear(t, line, sizeof(line))) {
		size_t room = sizeof(s->data) - s->data_len;
		int n;

		if (strcmp(line, ".") == 0)
			return;
		n = snprintf(s->data + s->data_len, room, "%s\n", line);
		if ((size_t)n < room)
			s->data_len += (size_t)n;
	}
	snprintf(s->wrong, sizeof(s->wrong), "the data has no end");
}

static void
keep(struct scripted *s, const char *bytes, size_t len)
{
	size_t room = sizeof(s->data) - 1 - s->data_len;
	size_t n = len < room ? len : room;

	memcpy(s->data + s->data_len, bytes, n);
	s->data_len += n;
	for (size_t i = len < 2 ? 0 : len - 2; i < len; i++) {
		s->ended[0] = s->ended[1];
		s->ended[1] = bytes[i];
	}
	s->chunked += len;
}

static void
hear_chunk(struct talk *t, const char *want)
{
	char line[4096] = "(end)";
	char *end = line;
	size_t left = 0;

	if (hear(t, line, sizeof(line)) && strncmp(line, "BDAT ", 5) == 0)
		left = strtoul(line + 5, &end, 10);
	if (end == line || strcmp(end, want) != 0) {
		snprintf(t->s->wrong, sizeof(t->s->wrong), "%.120s, not BDAT%s",
		    line, want);
		return;
	}
	while (left > 0) {
		size_t n = t->len < left ? t->len : left;
		ssize_t got;

		keep(t->s, t->in, n);
		left -= n;
		t->len -= n;
		memmove(t->in, t->in + n, t->len);
		if (left == 0)
			return;
		got = recv(t->fd, t->in, sizeof(t->in), 0);
		if (got <= 0)
			break;
		t->len = (size_t)got;
	}
	if (left > 0)
		snprintf(t->s->wrong, sizeof(t->s->wrong), "half a chunk");
}

static void
hold(struct talk *t)
{
	char buf[4096];

	while (recv(t->fd, buf, sizeof(buf), 0) > 0)
		continue;
}

/* Each "|" is CRLF, and all goes out at once. */
static void
say_raw(struct talk *t, const char *text)
{
	char buf[4096];
	size_t len = 0;

	for (; *text != '\0' && len < sizeof(buf) - 2; text++) {
		if (*text == '|')
			buf[len++] = '\r';
		buf[len++] = *text == '|' ? '\n' : *text;
	}
	say(t, buf, len);
}

/* What stands behind a backslash is a byte. */
static void
say_escaped(struct talk *t, const char *text)
{
	static const char codes[] = "rn0e\\", bytes[] = "\r\n\0\33\\";
	char buf[4096];
	size_t len = 0;

	for (; *text != '\0' && len < sizeof(buf); text++) {
		const char *code =
		    *text == '\\' ? strchr(codes, text[1]) : NULL;

		buf[len++] = code != NULL ? bytes[code - codes] : *text;
		text += code != NULL;
	}
	say(t, buf, len);
}

static void
say_often(struct talk *t, const char *args)
{
	char line[4096];
	char *text;
	long n = strtol(args, &text, 10);
	int len = snprintf(line, sizeof(line), "%s\r\n", text + 1);

	while (n-- > 0)
		say(t, line, (size_t)len);
}

/* Wait for a client; without one the script is over. */
static void
meet(struct talk *t)
{
	const int on = 1;

	t->len = 0;
	t->fd = accept(t->s->listener, NULL, NULL);
	if (t->fd < 0)
		return;
	t->s->connections++;
	setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Let little be on its way in either direction. */
static void
narrow(struct talk *t)
{
	const int small = 2048;

	setsockopt(t->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(t->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
}

static void
act(struct talk *t, const char *line)
{
	const struct linger at_once = { .l_onoff = 1 };
	char text[4096];
	int len = snprintf(text, sizeof(text), "%s\r\n", line + 2);

	if (*line == '<')
		say(t, text, (size_t)len);
	else if (*line == '=')
		say_raw(t, line + 2);
	else if (*line == '*')
		say_often(t, line + 2);
	else if (*line == '>')
		expect(t, line + 2, false);
	else if (*line == '!')
		expect(t, line + 2, true);
	else if (*line == '~')
		say_escaped(t, line + 2);
	else if (strcmp(line, "data") == 0)
		hear_data(t);
	else if (strcmp(line, "chunk") == 0)
		hear_chunk(t, "");
	else if (strcmp(line, "last") == 0)
		hear_chunk(t, " LAST");
	else if (strcmp(line, "hold") == 0)
		hold(t);
	else if (strcmp(line, "half") == 0)
		shutdown(t->fd, SHUT_WR);
	else if (strcmp(line, "reset") == 0)
		setsockopt(
		    t->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	else if (strcmp(line, "narrow") == 0)
		narrow(t);
	else if (strcmp(line, "cancel") == 0)
		smtpd_cancel_trigger(t->s->cancel);
	else if (strcmp(line, "next") == 0) {
		close(t->fd);
		meet(t);
	} else if (strncmp(line, "sleep", 5) == 0)
		poll(NULL, 0, (int)strtol(line + 6, NULL, 10));
	else
		snprintf(
		    t->s->wrong, sizeof(t->s->wrong), "script: %.200s", line);
}

static void *
run(void *arg)
{
	struct scripted *s = arg;
	struct talk t = { .s = s };
	const char *at = s->script;

	meet(&t);
	while (t.fd >= 0 && *at != '\0') {
		char line[4096];
		size_t len = strcspn(at, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, at);
		act(&t, line);
		at += len + (at[len] != '\0');
	}
	if (t.fd >= 0)
		close(t.fd);
	return NULL;
}

struct smtpd_target
scripted_target(const char *host, const char *name)
{
	struct smtpd_target t = { SMTPD_TARGET_INIT, .host = name };
	struct sockaddr_in *in = (struct sockaddr_in *)&t.addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&t.addr;

	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		t.len = sizeof(*in);
	} else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		t.len = sizeof(*in6);
	} else {
		fail_msg("%s is no address", host);
	}
	return t;
}

struct smtpd_targets *
scripted_targets(const struct smtpd_target *list, size_t count)
{
	struct smtpd_mx_host *hosts = calloc(count, sizeof(*hosts));
	struct smtpd_mx_address *at = calloc(count, sizeof(*at));
	const struct smtpd_mx_list found = { .at = at, .count = count };
	struct smtpd_targets *targets;

	assert_non_null(hosts);
	assert_non_null(at);
	for (size_t i = 0; i < count; i++) {
		const struct sockaddr_in *in =
		    (const struct sockaddr_in *)&list[i].addr;

		snprintf(
		    hosts[i].name, sizeof(hosts[i].name), "%s", list[i].host);
		hosts[i].preference = list[i].preference;
		at[i].host = i;
		at[i].ip = smtpd__ip_make(AF_INET, &in->sin_addr);
	}
	targets = smtpd__targets_found(hosts, count, &found);
	assert_non_null(targets);
	free(hosts);
	free(at);
	return targets;
}

/* Bind S to HOST and PORT.  Return false when that is somebody else's. */
void
scripted_listen(struct scripted *s, const char *script)
{
	s->script = script;
	assert_int_equal(listen(s->listener, 5), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
	s->listens = true;
}

void
scripted_fill(struct scripted *s)
{
	struct sockaddr_in in;

	assert_int_equal(listen(s->listener, 0), 0);
	memcpy(&in, &s->target.addr, sizeof(in));
	in.sin_port = htons(s->port);
	for (size_t i = 0; i < SCRIPTED_FILLERS; i++) {
		s->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(s->fillers[i] >= 0);
		connect(s->fillers[i], (struct sockaddr *)&in, sizeof(in));
	}
	s->full = true;
}

void
scripted_start(struct scripted *s, const char *script)
{
	scripted_bind(s, 1);
	scripted_listen(s, script);
}

void
scripted_bind(struct scripted *s, size_t count)
{
	int fds[SCRIPTED_MAX];
	uint16_t port;

	assert_in_range(count, 1, SCRIPTED_MAX);
	port = loopback_bind(fds, count);
	for (size_t i = 0; i < count; i++) {
		char host[32];

		memset(&s[i], 0, sizeof(s[i]));
		snprintf(host, sizeof(host), "127.0.0.%zu", i + 1);
		s[i].target = scripted_target(host, "a.example");
		s[i].listener = fds[i];
		s[i].port = port;
	}
}

void
scripted_finish(struct scripted *s)
{
	shutdown(s->listener, SHUT_RDWR);
	if (s->listens)
		pthread_join(s->thread, NULL);
	for (size_t i = 0; s->full && i < SCRIPTED_FILLERS; i++)
		close(s->fillers[i]);
	close(s->listener);
	if (s->wrong[0] != '\0')
		fail_msg("the peer heard %s", s->wrong);
}
