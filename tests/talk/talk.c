/* SPDX-License-Identifier: MIT */
/*
 * Hold the conversation that a file describes with a server, over a socket
 * pair, and compare.  README has the form of the files.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "script.h"

/* The server may take so long for one step, and for all. */
#define STEP_MS   10000
#define ALL_LIMIT 60

/* Of bytes that differ so many are shown. */
#define SHOWN_MAX 400

struct talk {
	const struct script *script;
	const struct step *step; /* the present one */
	struct host host;
	pthread_t thread;
	int server_in, server_out;
	int in, out;        /* the client's; -1: closed */
	struct bytes input; /* what came and was not expected yet */
	bool ended;         /* the server closed */
};

static long
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The conversation went another way than written. */
static _Noreturn void
differ(const struct talk *t, const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", t->script->path,
	    t->step == NULL ? 0 : t->step->line, what);
	if (t->step != NULL) {
		fputs("  file: ", stderr);
		bytes_print(&t->step->bytes, stderr, SHOWN_MAX);
	}
	fputs("\n  here: ", stderr);
	bytes_print(&t->input, stderr, SHOWN_MAX);
	fputs("\n", stderr);
	exit(1);
}

/* Read what has come; nothing more to do at the end. */
static void
take_input(struct talk *t)
{
	char buf[65536];
	ssize_t n = read(t->in, buf, sizeof(buf));

	if (n > 0)
		bytes_add(&t->input, buf, (size_t)n);
	else if (n == 0 || errno == ECONNRESET)
		t->ended = true;
	else if (errno != EAGAIN && errno != EINTR)
		differ(t, strerror(errno));
}

/* Wait until something came, up to DEADLINE; false: nothing did. */
static bool
wait_input(struct talk *t, long deadline)
{
	struct pollfd pfd = { .fd = t->in, .events = POLLIN };
	long left = deadline - now_ms();

	if (t->ended)
		return false;
	if (left <= 0 || poll(&pfd, 1, (int)left) <= 0)
		return false;
	take_input(t);
	return true;
}

static void
close_client(struct talk *t)
{
	if (t->out >= 0 && t->out != t->in)
		close(t->out);
	if (t->in >= 0)
		close(t->in);
	t->in = t->out = -1;
}

/* A server that closes early does not read the rest: that is no failure. */
static void
send_bytes(struct talk *t)
{
	const char *at = t->step->bytes.data;
	size_t len = t->step->bytes.len;
	long deadline = now_ms() + STEP_MS;

	while (len > 0) {
		struct pollfd pfd[2] = {
			{ .fd = t->out, .events = POLLOUT },
			{ .fd = t->ended ? -1 : t->in, .events = POLLIN },
		};
		ssize_t n;

		if (now_ms() >= deadline)
			differ(t, "the server does not read");
		poll(pfd, 2, STEP_MS);
		if (pfd[1].revents != 0)
			take_input(t);
		n = write(t->out, at, len);
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
}

/* The length of the line that has come, with its end; waits for it. */
static size_t
wait_line(struct talk *t)
{
	long deadline = now_ms() + STEP_MS;

	for (;;) {
		const char *lf = t->input.len == 0
		    ? NULL
		    : memchr(t->input.data, '\n', t->input.len);
		size_t len;

		if (lf == NULL) {
			if (wait_input(t, deadline))
				continue;
			differ(t,
			    t->ended ? "the server closed" : "no reply came");
		}
		len = (size_t)(lf - t->input.data) + 1;
		if (len < 6 || lf[-1] != '\r' || len > 512)
			differ(t, "that is no line of a reply");
		return len;
	}
}

static void
expect_line(struct talk *t)
{
	const struct step *step = t->step;
	size_t len = wait_line(t) - 2;
	bool same = step->kind == STEP_PREFIX ? len >= step->bytes.len
					      : len == step->bytes.len;

	if (!same ||
	    memcmp(t->input.data, step->bytes.data, step->bytes.len) != 0)
		differ(t, "another reply");
	bytes_drop(&t->input, len + 2);
}

static void
expect_reply(struct talk *t)
{
	bool last;

	do {
		size_t len = wait_line(t);

		last = t->input.data[3] == ' ';
		if ((int)strtol(t->input.data, NULL, 10) != t->step->number ||
		    (!last && t->input.data[3] != '-'))
			differ(t, "another reply");
		bytes_drop(&t->input, len);
	} while (!last);
}

static void
expect_silence(struct talk *t)
{
	long deadline = now_ms() + t->step->number;

	while (t->input.len == 0 && wait_input(t, deadline))
		continue;
	if (t->input.len > 0)
		differ(t, "a reply too early");
	while (t->ended && now_ms() < deadline)
		poll(NULL, 0, 1);
}

static void
expect_end(struct talk *t)
{
	long deadline = now_ms() + STEP_MS;

	while (!t->ended && t->input.len == 0 && wait_input(t, deadline))
		continue;
	if (t->input.len > 0)
		differ(t, "one reply too many");
	if (!t->ended)
		differ(t, "the server does not close");
}

/* The client sends no more. */
static void
finish_sending(struct talk *t)
{
	if (t->in == t->out) {
		shutdown(t->out, SHUT_WR);
		return;
	}
	close(t->out);
	t->out = -1;
}

static void
run_step(struct talk *t)
{
	switch (t->step->kind) {
	case STEP_SEND:
		send_bytes(t);
		break;
	case STEP_LINE:
	case STEP_PREFIX:
		expect_line(t);
		break;
	case STEP_REPLY:
		expect_reply(t);
		break;
	case STEP_SILENCE:
		expect_silence(t);
		break;
	case STEP_CLOSED:
		expect_end(t);
		break;
	case STEP_DONE:
		finish_sending(t);
		break;
	case STEP_GONE:
		close_client(t);
		break;
	}
}

static void *
serve(void *arg)
{
	struct talk *t = arg;

	if (smtpd_server_serve(t->host.server, t->server_in, t->server_out,
		t->host.flags) != 0)
		die("%s: the server does not serve: %s", t->script->path,
		    smtpd_server_error(t->host.server));
	close(t->server_in);
	if (t->server_out != t->server_in)
		close(t->server_out);
	return NULL;
}

static void
connect_pipes(struct talk *t)
{
	int up[2], down[2];

	if (pipe(up) != 0 || pipe(down) != 0)
		die("no pipes");
	t->server_in = up[0];
	t->out = up[1];
	t->in = down[0];
	t->server_out = down[1];
}

static void
connect_socket(struct talk *t)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		die("no socket pair");
	t->server_in = t->server_out = pair[0];
	t->in = t->out = pair[1];
}

static void
start(struct talk *t)
{
	if (t->host.pipes)
		connect_pipes(t);
	else
		connect_socket(t);
	fcntl(t->in, F_SETFL, O_NONBLOCK);
	fcntl(t->out, F_SETFL, O_NONBLOCK);

	/* What the first step sends is there before the server looks. */
	if (t->script->nsteps > 0 && t->script->steps[0].kind == STEP_SEND) {
		t->step = &t->script->steps[0];
		send_bytes(t);
	}
	if (pthread_create(&t->thread, NULL, serve, t) != 0)
		die("no thread");
}

static void
compare_events(const struct talk *t)
{
	const struct entries *want = &t->script->events;
	const struct entries *seen = &t->host.seen;

	for (size_t i = 0; i < want->count || i < seen->count; i++) {
		const struct bytes none = { 0 };
		const struct bytes *a =
		    i < want->count ? &want->list[i].rest : &none;
		const struct bytes *b =
		    i < seen->count ? &seen->list[i].rest : &none;

		if (a->len == b->len &&
		    (a->len == 0 || memcmp(a->data, b->data, a->len) == 0))
			continue;
		fprintf(stderr,
		    "%s:%d: another event\n  file: ", t->script->path,
		    i < want->count ? want->list[i].line : 0);
		bytes_print(a, stderr, SHOWN_MAX);
		fputs("\n  here: ", stderr);
		bytes_print(b, stderr, SHOWN_MAX);
		die("%s", "");
	}
}

static void
compare_counts(const struct talk *t)
{
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };

	smtpd_server_count(t->host.server, &c);
	for (size_t i = 0; i < t->script->counts.count; i++) {
		const struct entry *e = &t->script->counts.list[i];
		uint64_t value = host_counter(&c, e->word);

		if (value != strtoull(e->rest.data, NULL, 10))
			die("%s:%d: %s is %llu, not %s", t->script->path,
			    e->line, e->word, (unsigned long long)value,
			    e->rest.data);
	}
}

static void
run(struct talk *t)
{
	const struct script *s = t->script;
	size_t first = s->nsteps > 0 && s->steps[0].kind == STEP_SEND;

	start(t);
	for (size_t i = first; i < s->nsteps; i++) {
		t->step = &s->steps[i];
		for (int n = 0; n < t->step->times; n++)
			run_step(t);
	}
	if (t->out >= 0)
		finish_sending(t);
	if (t->in >= 0)
		expect_end(t);
	close_client(t);
	pthread_join(t->thread, NULL);
	if (s->events.count > 0)
		compare_events(t);
	compare_counts(t);
}

/* The conversation in the file at PATH, or die. */
static void
hold(const char *path)
{
	struct script script;
	struct talk t = { .script = &script };

	alarm(ALL_LIMIT);
	script_read(&script, path);
	host_init(&t.host, &script);
	run(&t);
	host_finish(&t.host);
	bytes_finish(&t.input);
	script_finish(&script);
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		die("usage: talk FILE...");
	signal(SIGPIPE, SIG_IGN);
	for (int i = 1; i < argc; i++) {
		fprintf(stderr, "%s\n", argv[i]);
		hold(argv[i]);
	}
	return 0;
}
