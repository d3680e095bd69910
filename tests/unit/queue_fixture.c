/* SPDX-License-Identifier: MIT */
/* For nftw(). */
#define _XOPEN_SOURCE 700
#include "queue_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#define TYPE_A   1
#define TYPE_MX  15
#define NXDOMAIN 3
#define PATIENCE 2000 /* times 10 ms */

static void
answer(void *user, const struct dns_query *q, struct dns_reply *reply)
{
	char text[64];
	int n = 0;

	(void)user;
	if (strncmp(q->name, "mute", 4) == 0) {
		reply->how = DNS_SILENT;
		return;
	}
	if (sscanf(q->name, "mx%d.test", &n) == 1) {
		snprintf(text, sizeof(text), "127.0.0.%d", n);
		if (q->type == TYPE_A)
			dns_address(&reply->p, q->name, 300, text);
	} else if (sscanf(q->name, "a%d.test", &n) == 1 ||
	    sscanf(q->name, "b%d.test", &n) == 1) {
		snprintf(text, sizeof(text), "mx%d.test", n);
		if (q->type == TYPE_MX)
			dns_mx(&reply->p, q->name, 300, 10, text);
	} else {
		dns_set(&reply->p, 2, DNS_QR | DNS_RD | DNS_RA | NXDOMAIN);
	}
}

static void
keep_log(enum smtpd_log_level level, const char *text, void *user)
{
	struct world *w = user;
	size_t room;
	int n;

	pthread_mutex_lock(&w->lock);
	room = sizeof(w->log) - w->log_len;
	n = snprintf(w->log + w->log_len, room, "%d %s\n", (int)level, text);
	if ((size_t)n < room)
		w->log_len += (size_t)n;
	pthread_mutex_unlock(&w->lock);
}

static void
set_settings(struct world *w)
{
	w->resolver = (struct smtpd_resolver_settings){
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = dns_server_address(w->dns),
		.self_is_good = true,
		.timeout_ms = 3000,
	};
	w->client = (struct smtpd_client_settings){ SMTPD_CLIENT_SETTINGS_INIT,
		.quit_ms = 500 };
	w->settings = (struct smtpd_queue_settings){
		SMTPD_QUEUE_SETTINGS_INIT,
		.hostname = "queue.test",
		.resolver = &w->resolver,
		.client = &w->client,
		.port = w->hosts[0].port,
		.workers = 8,
		.idle_ms = 200,
		.retry_min_s = 1,
		.retry_max_s = 1,
		.min_free = 1,
		.segment_size = 1048576,
		.log = keep_log,
		.log_user = w,
	};
}

int
world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	pthread_mutex_init(&w->lock, NULL);
	/* Tests look for "\n" and how a line begins. */
	w->log[w->log_len++] = '\n';
	snprintf(w->parent, sizeof(w->parent), "/var/tmp/test_queue.XXXXXX");
	assert_non_null(mkdtemp(w->parent));
	snprintf(w->path, sizeof(w->path), "%s/queue", w->parent);
	mail_host_bind(w->hosts, WORLD_ADDRESSES);
	for (int i = 0; i < WORLD_HOSTS; i++)
		mail_host_start(&w->hosts[i]);
	w->dns = dns_server_start(answer, w);
	set_settings(w);
	*state = w;
	return 0;
}

static int
remove_file(
    const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

int
world_teardown(void **state)
{
	struct world *w = *state;

	smtpd_queue_close(w->queue);
	for (int i = 0; i < WORLD_ADDRESSES; i++)
		mail_host_stop(&w->hosts[i]);
	dns_server_stop(w->dns);
	nftw(w->parent, remove_file, 8, FTW_DEPTH | FTW_PHYS);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return 0;
}

void
world_open(struct world *w)
{
	w->queue =
	    smtpd_queue_open(w->path, &w->settings, w->error, sizeof(w->error));
	if (w->queue == NULL)
		fail_msg("%s", w->error);
}

void
world_start(struct world *w)
{
	if (smtpd_queue_start(w->queue, w->error, sizeof(w->error)) != 0)
		fail_msg("%s", w->error);
}

void
world_begin(struct world *w)
{
	world_open(w);
	world_start(w);
}

void
world_close(struct world *w, uint32_t ms)
{
	smtpd_queue_stop(w->queue, ms);
	smtpd_queue_close(w->queue);
	w->queue = NULL;
}

struct smtpd_queue_message *
world_begin_mail(struct world *w, struct world_mail *mail)
{
	mail->envelope.size = sizeof(mail->envelope);
	mail->options.size = sizeof(mail->options);
	return smtpd_queue_begin(w->queue, &mail->envelope, &mail->options);
}

void
world_send_mail(struct world *w, struct world_mail *mail, const char *content)
{
	struct smtpd_queue_message *d = world_begin_mail(w, mail);

	assert_non_null(d);
	assert_int_equal(smtpd_queue_write(d, content, strlen(content)), 0);
	assert_int_equal(smtpd_queue_commit(d, w->id), 0);
}

void
world_send_notify(
    struct world *w, const char *sender, const char *rcpts, const char *notify)
{
	struct smtpd_outgoing_rcpt list[MAIL_HOST_RCPTS];
	struct world_mail mail = { .envelope.sender = sender,
		.envelope.rcpts = list };
	char text[1024];
	char *rest = text, *rcpt;

	snprintf(text, sizeof(text), "%s", rcpts);
	while ((rcpt = strtok_r(rest, " ", &rest)) != NULL)
		list[mail.envelope.nrcpts++] =
		    (struct smtpd_outgoing_rcpt){ SMTPD_OUTGOING_RCPT_INIT,
			    .address = rcpt, .notify = notify };
	world_send_mail(w, &mail, "Subject: x\r\n\r\nhi\r\n");
}

void
world_send(struct world *w, const char *sender, const char *rcpts)
{
	world_send_notify(w, sender, rcpts, NULL);
}

struct smtpd_queue_counters
world_counters(struct world *w)
{
	struct smtpd_queue_counters c = { SMTPD_QUEUE_COUNTERS_INIT };

	smtpd_queue_count(w->queue, &c);
	return c;
}

void
world_sleep(int ms)
{
	poll(NULL, 0, ms);
}

void
world_await(struct world *w, uint64_t count)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (world_counters(w).messages == count)
			return;
		world_sleep(10);
	}
	assert_int_equal(world_counters(w).messages, count);
}

static uint64_t
counter(struct world *w, size_t offset)
{
	struct smtpd_queue_counters c = world_counters(w);
	uint64_t value;

	memcpy(&value, (const char *)&c + offset, sizeof(value));
	return value;
}

void
world_await_counter(struct world *w, size_t offset, uint64_t value)
{
	for (int i = 0; i < PATIENCE && counter(w, offset) < value; i++)
		world_sleep(10);
	assert_true(counter(w, offset) >= value);
}

struct reader {
	char *out;
	size_t size, len;
};

static int
take(void *user, const void *data, size_t len)
{
	struct reader *r = user;

	if (len >= r->size - r->len)
		len = r->size - r->len - 1;
	memcpy(r->out + r->len, data, len);
	r->len += len;
	r->out[r->len] = '\0';
	return 0;
}

int
world_ask(struct world *w, const char *verb, const char *argument, char *out,
    size_t size)
{
	const char *words[] = { verb, argument };
	struct reader r = { .out = out, .size = size };

	out[0] = '\0';
	if (smtpd_queue_ask(w->path, words, argument != NULL ? 2 : 1, take, &r,
		w->error, sizeof(w->error)) == 0)
		return 0;
	return errno;
}

size_t
world_count_files(struct world *w, const char *name, const char *suffix)
{
	char path[160];
	struct dirent *message;
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", w->path, name);
	dir = opendir(path);
	assert_non_null(dir);
	while ((message = readdir(dir)) != NULL) {
		size_t len = strlen(message->d_name);

		n += len > strlen(suffix) &&
		    strcmp(message->d_name + len - strlen(suffix), suffix) == 0;
	}
	closedir(dir);
	return n;
}

size_t
world_logged(struct world *w, const char *text)
{
	const char *at = w->log;
	size_t n = 0;

	pthread_mutex_lock(&w->lock);
	while ((at = strstr(at, text)) != NULL) {
		n++;
		at += strlen(text);
	}
	pthread_mutex_unlock(&w->lock);
	return n;
}

void
world_await_log(struct world *w, const char *text)
{
	for (int i = 0; i < PATIENCE && world_logged(w, text) == 0; i++)
		world_sleep(10);
	assert_true(world_logged(w, text) > 0);
}
