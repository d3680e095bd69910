/* SPDX-License-Identifier: MIT */
#include "mail_host.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "loopback.h"
#include "test.h"

#define PATIENCE_S 20
#define SLOW_MS    333

/* One connection. */
struct guest {
	struct mail_host *host;
	int fd;
	char in[8192];
	size_t len;
	bool hangs, slow;
	struct mail_host_message message;
};

static bool
say(const struct guest *g, const char *line)
{
	char text[256];
	int len = snprintf(text, sizeof(text), "%s\r\n", line);

	return send(g->fd, text, (size_t)len, MSG_NOSIGNAL) == len;
}

/* The next line, without its end. */
static bool
hear(struct guest *g, char *line, size_t size)
{
	char *lf;

	while ((lf = memchr(g->in, '\n', g->len)) == NULL) {
		ssize_t n = g->len == sizeof(g->in)
		    ? -1
		    : recv(g->fd, g->in + g->len, sizeof(g->in) - g->len, 0);

		if (n <= 0)
			return false;
		g->len += (size_t)n;
	}
	snprintf(line, size, "%.*s", (int)(lf - g->in), g->in);
	line[strcspn(line, "\r")] = '\0';
	g->len -= (size_t)(lf + 1 - g->in);
	memmove(g->in, lf + 1, g->len);
	return true;
}

/* What stands in angle brackets. */
static void
copy_address(const char *line, char *out, size_t size)
{
	const char *at = strchr(line, '<');

	out[0] = '\0';
	if (at != NULL)
		snprintf(out, size, "%.*s", (int)strcspn(at + 1, ">"), at + 1);
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Whether RCPT was put off before, and remember that it is. */
static bool
was_deferred(struct mail_host *h, const char *rcpt)
{
	for (size_t i = 0; i < h->ndeferred; i++)
		if (strcmp(h->deferred[i], rcpt) == 0)
			return true;
	if (h->ndeferred < MAIL_HOST_MAX)
		snprintf(h->deferred[h->ndeferred++], sizeof(h->deferred[0]),
		    "%s", rcpt);
	return false;
}

static bool
begin_message(struct guest *g, const char *line)
{
	struct mail_host_message *m = &g->message;

	memset(m, 0, sizeof(*m));
	g->hangs = g->slow = false;
	copy_address(line, m->sender, sizeof(m->sender));
	if (m->sender[0] == '\0' && g->host->refuse_null)
		return say(g, "550 5.7.1 no reports here");
	return say(g, "250 2.1.0 fine");
}

static bool
add_rcpt(struct guest *g, const char *line)
{
	struct mail_host *h = g->host;
	struct mail_host_message *m = &g->message;
	char rcpt[64];
	bool again;

	copy_address(line, rcpt, sizeof(rcpt));
	pthread_mutex_lock(&h->lock);
	h->offers++;
	again = !begins(rcpt, "once") || was_deferred(h, rcpt);
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	if (begins(rcpt, "no"))
		return say(g, "550 5.1.1 no such user");
	if (begins(rcpt, "later") || !again)
		return say(g, "450 4.2.0 not now");
	g->hangs = g->hangs || begins(rcpt, "hang");
	g->slow = g->slow || begins(rcpt, "slow");
	if (m->nrcpts < MAIL_HOST_RCPTS)
		memcpy(m->rcpts[m->nrcpts++], rcpt, sizeof(rcpt));
	return say(g, "250 2.1.5 fine");
}

static void
store(struct guest *g)
{
	struct mail_host *h = g->host;

	pthread_mutex_lock(&h->lock);
	if (h->count < MAIL_HOST_MAX)
		h->messages[h->count++] = g->message;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

static bool
take_data(struct guest *g)
{
	struct mail_host_message *m = &g->message;
	size_t len = 0;
	char line[2048];

	if (m->nrcpts == 0)
		return say(g, "554 5.5.1 no recipients");
	if (!say(g, "354 go"))
		return false;
	while (hear(g, line, sizeof(line))) {
		if (strcmp(line, ".") != 0) {
			int n = snprintf(
			    m->data + len, sizeof(m->data) - len, "%s\n", line);

			if ((size_t)n < sizeof(m->data) - len)
				len += (size_t)n;
			continue;
		}
		pthread_mutex_lock(&g->host->lock);
		g->host->dots++;
		g->host->hanging += g->hangs;
		pthread_cond_broadcast(&g->host->changed);
		pthread_mutex_unlock(&g->host->lock);
		if (g->hangs) {
			hear(g, line, sizeof(line));
			return false;
		}
		if (g->slow)
			poll(NULL, 0, SLOW_MS);
		store(g);
		return say(g, "250 2.0.0 taken");
	}
	return false;
}

static bool
answer(struct guest *g, const char *line)
{
	if (begins(line, "EHLO"))
		return g->host->dsn ? say(g, "250-host\r\n250 DSN")
				    : say(g, "250 host");
	if (begins(line, "MAIL"))
		return begin_message(g, line);
	if (begins(line, "RCPT"))
		return add_rcpt(g, line);
	if (begins(line, "DATA"))
		return take_data(g);
	if (!begins(line, "QUIT"))
		return say(g, "250 2.0.0 fine");
	pthread_mutex_lock(&g->host->lock);
	g->host->quits++;
	pthread_mutex_unlock(&g->host->lock);
	say(g, "221 2.0.0 bye");
	return false;
}

static void *
serve(void *arg)
{
	struct guest *g = arg;
	struct mail_host *h = g->host;
	char line[2048];
	bool go_on = say(g, h->busy ? "421 4.3.2 too busy" : "220 host");

	while (go_on && !h->busy && hear(g, line, sizeof(line)))
		go_on = answer(g, line);
	close(g->fd);
	free(g);
	pthread_mutex_lock(&h->lock);
	h->open--;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

static void
welcome(struct mail_host *h, int fd)
{
	struct guest *g = calloc(1, sizeof(*g));
	pthread_t thread;

	g->host = h;
	g->fd = fd;
	pthread_mutex_lock(&h->lock);
	h->open++;
	if (h->open > h->peak)
		h->peak = h->open;
	g->message.connection = ++h->connections;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	pthread_create(&thread, NULL, serve, g);
	pthread_detach(thread);
}

static void *
run(void *arg)
{
	struct mail_host *h = arg;
	int fd;

	while ((fd = accept(h->listener, NULL, NULL)) >= 0)
		welcome(h, fd);
	return NULL;
}

void
mail_host_bind(struct mail_host *hosts, size_t count)
{
	int fds[MAIL_HOSTS_MAX];
	uint16_t port;

	assert_in_range(count, 1, MAIL_HOSTS_MAX);
	port = loopback_bind(fds, count);
	for (size_t i = 0; i < count; i++) {
		hosts[i].listener = fds[i];
		hosts[i].port = port;
	}
}

void
mail_host_start(struct mail_host *h)
{
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	h->messages = calloc(MAIL_HOST_MAX, sizeof(*h->messages));
	assert_non_null(h->messages);
	assert_int_equal(listen(h->listener, 64), 0);
	assert_int_equal(pthread_create(&h->thread, NULL, run, h), 0);
}

static struct timespec
in_ms(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* Wait until *FIGURE is VALUE at least; the lock is held. */
static bool
wait_for(struct mail_host *h, const size_t *count, const unsigned *figure,
    size_t value, int64_t ms)
{
	struct timespec until = in_ms(ms);
	int error = 0;

	while ((count != NULL ? *count : *figure) < value && error == 0)
		error = pthread_cond_timedwait(&h->changed, &h->lock, &until);
	return error == 0;
}

/* All clients have closed by then. */
void
mail_host_stop(struct mail_host *h)
{
	struct timespec until = in_ms(PATIENCE_S * 1000);
	int error = 0;

	if (h->messages == NULL) {
		close(h->listener);
		return;
	}
	shutdown(h->listener, SHUT_RDWR);
	pthread_join(h->thread, NULL);
	close(h->listener);
	pthread_mutex_lock(&h->lock);
	while (h->open > 0 && error == 0)
		error = pthread_cond_timedwait(&h->changed, &h->lock, &until);
	pthread_mutex_unlock(&h->lock);
	assert_int_equal(error, 0);
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
	free(h->messages);
	h->messages = NULL;
}

void
mail_host_expect(struct mail_host *h, size_t count, int too_many_ms)
{
	bool enough;
	size_t came;

	pthread_mutex_lock(&h->lock);
	enough = wait_for(h, &h->count, NULL, count, PATIENCE_S * 1000);
	if (enough && too_many_ms > 0)
		wait_for(h, &h->count, NULL, count + 1, too_many_ms);
	came = h->count;
	pthread_mutex_unlock(&h->lock);
	assert_int_equal(came, count);
}

const struct mail_host_message *
mail_host_message(struct mail_host *h, size_t i)
{
	const struct mail_host_message *m;

	pthread_mutex_lock(&h->lock);
	m = i < h->count ? &h->messages[i] : NULL;
	pthread_mutex_unlock(&h->lock);
	assert_non_null(m);
	return m;
}

size_t
mail_host_copies(struct mail_host *h, const char *rcpt)
{
	size_t n = 0;

	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < h->count; i++)
		for (size_t k = 0; k < h->messages[i].nrcpts; k++)
			n += strcmp(h->messages[i].rcpts[k], rcpt) == 0;
	pthread_mutex_unlock(&h->lock);
	return n;
}

unsigned
mail_host_figure(struct mail_host *h, const unsigned *figure)
{
	unsigned value;

	pthread_mutex_lock(&h->lock);
	value = *figure;
	pthread_mutex_unlock(&h->lock);
	return value;
}

void
mail_host_await(struct mail_host *h, const unsigned *figure, unsigned value)
{
	bool enough;

	pthread_mutex_lock(&h->lock);
	enough = wait_for(h, NULL, figure, value, PATIENCE_S * 1000);
	pthread_mutex_unlock(&h->lock);
	assert_true(enough);
}
