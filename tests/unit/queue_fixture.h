/* SPDX-License-Identifier: MIT */
#ifndef UNIT_QUEUE_FIXTURE_H
#define UNIT_QUEUE_FIXTURE_H

/*
 * A queue in a directory of its own, mail hosts, and a DNS that leads to them:
 *
 *	aN.test, bN.test   MX mxN.test
 *	mxN.test           A 127.0.0.N; hosts[N - 1] listens there if N is not
 *	                   above WORLD_HOSTS; up to WORLD_ADDRESSES it refuses
 *	                   connections until the test starts it
 *	mute...            no answer
 *	else               there is no such domain
 */

#include <smtpd.h>

#include <pthread.h>

#include "dns_server.h"
#include "mail_host.h"

#define WORLD_HOSTS     3
#define WORLD_ADDRESSES 9

struct world {
	char parent[64]; /* a temporary directory */
	char path[96];   /* of the queue */
	struct smtpd_queue_settings settings;
	struct smtpd_resolver_settings resolver;
	struct smtpd_client_settings client;
	struct smtpd_queue *queue;
	struct dns_server *dns;
	struct mail_host hosts[WORLD_ADDRESSES];
	char error[256];
	char id[SMTPD_QUEUE_ID_SIZE]; /* of what was sent last */

	pthread_mutex_t lock;
	char log[65536]; /* what the queue logged */
	size_t log_len;
};

/* For cmocka: hosts, DNS and settings with retries after a second; the queue is
 * not open yet. */
int world_setup(void **state);
int world_teardown(void **state);

/* Open and start; stop for up to MS milliseconds, and close. */
void world_open(struct world *w);
void world_start(struct world *w);
void world_begin(struct world *w); /* both */
void world_close(struct world *w, uint32_t ms);

/* Queue a message, its recipients divided by blanks, each with NOTIFY unless
 * that is NULL; it must work. */
void world_send(struct world *w, const char *sender, const char *rcpts);
void world_send_notify(
    struct world *w, const char *sender, const char *rcpts, const char *notify);
struct world_mail {
	struct smtpd_outgoing_envelope envelope; /* sizes need not be set */
	struct smtpd_queue_options options;
};
struct smtpd_queue_message *world_begin_mail(
    struct world *w, struct world_mail *mail);
void world_send_mail(
    struct world *w, struct world_mail *mail, const char *content);

/* Wait until the queue holds COUNT messages, and fail the test otherwise. */
void world_await(struct world *w, uint64_t count);

/* Wait until the counter at OFFSET of struct smtpd_queue_counters is VALUE at
 * least. */
void world_await_counter(struct world *w, size_t offset, uint64_t value);
struct smtpd_queue_counters world_counters(struct world *w);

/* Ask, with up to two WORDS; the answer is in OUT of SIZE bytes.  Return 0, or
 * errno. */
int world_ask(struct world *w, const char *verb, const char *argument,
    char *out, size_t size);

/* How many files whose name ends with SUFFIX are in directory NAME. */
size_t world_count_files(struct world *w, const char *name, const char *suffix);

/* How often TEXT was logged. */
size_t world_logged(struct world *w, const char *text);

/* Wait until TEXT was logged, and fail the test otherwise. */
void world_await_log(struct world *w, const char *text);

void world_sleep(int ms);

#endif
