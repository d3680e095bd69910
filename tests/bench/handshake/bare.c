/* SPDX-License-Identifier: MIT */
/*
 * bare CERT KEY ROUNDS: what the server's half of a handshake costs when there
 * is nothing but mbedTLS, both halves in memory.  Prints microseconds of CPU
 * for a full and for a resumed one: alone in a process, and where there is
 * another thread, as in any server that has some.  Memory costs more there,
 * and mbedTLS asks for much.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "half.h"

#define PIPE_SIZE 32768

/* Bytes on their way to one half. */
struct pipe {
	unsigned char data[PIPE_SIZE];
	size_t at, end;
};

struct half {
	mbedtls_ssl_context ssl;
	struct pipe *in, *out;
};

static int
pipe_write(void *arg, const unsigned char *buf, size_t len)
{
	struct pipe *p = ((struct half *)arg)->out;

	if (p->at == p->end)
		p->at = p->end = 0;
	if (len > PIPE_SIZE - p->end)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	memcpy(p->data + p->end, buf, len);
	p->end += len;
	return (int)len;
}

static int
pipe_read(void *arg, unsigned char *buf, size_t len)
{
	struct pipe *p = ((struct half *)arg)->in;

	if (p->at == p->end)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (len > p->end - p->at)
		len = p->end - p->at;
	memcpy(buf, p->data + p->at, len);
	p->at += len;
	return (int)len;
}

static double
cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void
half_init(struct half *h, struct side *s, struct pipe *in, struct pipe *out)
{
	h->in = in;
	h->out = out;
	mbedtls_ssl_init(&h->ssl);
	if (mbedtls_ssl_setup(&h->ssl, &s->conf) != 0)
		die("no memory");
	mbedtls_ssl_set_bio(&h->ssl, h, pipe_write, pipe_read, NULL);
}

/* Go on as far as the other half lets it; whether that was to the end. */
static bool
advance(struct half *h)
{
	int result = mbedtls_ssl_handshake(&h->ssl);

	if (result != 0 && result != MBEDTLS_ERR_SSL_WANT_READ)
		die("a handshake failed");
	return result == 0;
}

/* Let the client see what follows a handshake of TLS 1.3: its ticket. */
static void
fetch_ticket(struct half *client)
{
	unsigned char byte;
	int result;

	do {
		result = mbedtls_ssl_read(&client->ssl, &byte, 1);
	} while (is_no_data(result) && client->in->at != client->in->end);
}

/* One handshake, resuming SESSION if RESUME; SESSION is kept for the next.
 * Return what the server spent. */
static double
shake(struct side *server_side, struct side *client_side,
    mbedtls_ssl_session *session, bool resume)
{
	static struct pipe up, down;
	static struct half server, client;
	bool server_done = false, client_done = false;
	double spent = 0, begin;

	up.at = up.end = down.at = down.end = 0;
	half_init(&client, client_side, &down, &up);
	mbedtls_ssl_set_hostname(&client.ssl, NULL);
	if (resume && mbedtls_ssl_set_session(&client.ssl, session) != 0)
		die("no session");
	begin = cpu_us();
	half_init(&server, server_side, &up, &down);
	spent += cpu_us() - begin;
	while (!server_done || !client_done) {
		if (!client_done)
			client_done = advance(&client);
		begin = cpu_us();
		if (!server_done)
			server_done = advance(&server);
		spent += cpu_us() - begin;
	}
	fetch_ticket(&client);
	mbedtls_ssl_session_free(session);
	mbedtls_ssl_session_init(session);
	if (mbedtls_ssl_get_session(&client.ssl, session) != 0)
		die("no session to resume");
	mbedtls_ssl_free(&client.ssl);
	begin = cpu_us();
	mbedtls_ssl_free(&server.ssl);
	return spent + cpu_us() - begin;
}

struct bench {
	struct side server, client;
	mbedtls_ssl_session session;
	const char *name;
	int rounds;
};

static double
mean(struct bench *b, bool resume)
{
	double sum = 0;

	for (int i = 0; i < b->rounds; i++)
		sum += shake(&b->server, &b->client, &b->session, resume);
	return sum / b->rounds;
}

static void *
measure(void *arg)
{
	struct bench *b = arg;

	shake(&b->server, &b->client, &b->session, false);
	printf("%s full %.1f\n", b->name, mean(b, false));
	printf("%s resumed %.1f\n", b->name, mean(b, true));
	return NULL;
}

int
main(int argc, char **argv)
{
	static struct bench b;
	pthread_t thread;
	int rounds = argc == 4 ? (int)strtol(argv[3], NULL, 10) : 0;

	if (rounds <= 0)
		die("usage: bare CERT KEY ROUNDS");
	side_init_server(&b.server, argv[1], argv[2]);
	side_init_client(&b.client);
	mbedtls_ssl_session_init(&b.session);
	b.rounds = rounds;
	b.name = "alone";
	measure(&b);
	b.name = "threads";
	if (pthread_create(&thread, NULL, measure, &b) != 0)
		die("no thread");
	pthread_join(thread, NULL);
	mbedtls_ssl_session_free(&b.session);
	side_finish(&b.client);
	side_finish(&b.server);
	return 0;
}
