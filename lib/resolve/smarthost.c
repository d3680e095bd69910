/* SPDX-License-Identifier: MIT */
#include "resolve/smarthost.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "os/clock.h"
#include "os/poll.h"
#include "os/thread.h"
#include "resolve/hostname.h"
#include "resolve/resolver.h"
#include "resolve/targets.h"

#define ADDRESSES_MAX 8

/* Write HOST, an address with or without brackets and tag, as a literal of
 * the kind that FORMAT makes; whether it is one. */
static bool
make_literal(const char *host, const char *before, char *out)
{
	size_t len = strlen(host);
	struct smtpd_text t;
	struct smtpd_ip ip;

	if (len > 0 && *host == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	smtpd__text_init(&t, out, SMTPD_DNS_HOST_MAX);
	smtpd__text_add(&t, before);
	smtpd__text_bytes(&t, host, len);
	smtpd__text_byte(&t, ']');
	return !t.cut && smtpd__ip_parse_literal(out, &ip) == 0;
}

int
smtpd__smarthost_normalise(const char *host, char *out)
{
	if (make_literal(host, "[", out) || make_literal(host, "[IPv6:", out))
		return 0;
	return smtpd__hostname_normalise(host, out);
}

/* The addresses of an answer of the system. */
static struct smtpd_targets *
list_addresses(const char *host, const struct addrinfo *found)
{
	struct smtpd_mx_address addresses[ADDRESSES_MAX];
	struct smtpd_mx_list l = { .at = addresses };
	struct smtpd_mx_host name = { .preference = 0 };
	struct smtpd_text t;

	smtpd__text_init(&t, name.name, sizeof(name.name));
	smtpd__text_add(&t, host);
	memset(addresses, 0, sizeof(addresses));
	for (; found != NULL && l.count < ADDRESSES_MAX;
	    found = found->ai_next) {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;

		if (found->ai_family == AF_INET) {
			memcpy(&in, found->ai_addr, sizeof(in));
			addresses[l.count++].ip =
			    smtpd__ip_make(AF_INET, &in.sin_addr);
		} else if (found->ai_family == AF_INET6) {
			memcpy(&in6, found->ai_addr, sizeof(in6));
			addresses[l.count++].ip =
			    smtpd__ip_make(AF_INET6, &in6.sin6_addr);
		}
	}
	return smtpd__targets_found(&name, 1, &l);
}

/* A question to the system.  Nothing can end it, so it is asked on a thread
 * that nobody waits for when the look-up is cancelled. */
struct question {
	atomic_int users; /* the thread, and the one that asks */
	struct smtpd_cancel *done;
	struct addrinfo *found;
	int error;
	char host[SMTPD_DNS_HOST_MAX];
};

static void
leave_question(struct question *q)
{
	if (atomic_fetch_sub(&q->users, 1) > 1)
		return;
	if (q->found != NULL)
		freeaddrinfo(q->found);
	smtpd_cancel_destroy(q->done);
	free(q);
}

static void *
run_question(void *arg)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct question *q = arg;

	smtpd__thread_set_name("smtpd-resolve");
	q->error = getaddrinfo(q->host, NULL, &hints, &q->found);
	smtpd_cancel_trigger(q->done);
	leave_question(q);
	return NULL;
}

/* NULL if it cannot be asked. */
static struct question *
begin_question(const char *host)
{
	struct question *q = calloc(1, sizeof(*q));
	pthread_t thread;
	struct smtpd_text t;

	if (q == NULL)
		return NULL;
	atomic_init(&q->users, 2);
	q->done = smtpd_cancel_create();
	smtpd__text_init(&t, q->host, sizeof(q->host));
	smtpd__text_add(&t, host);
	if (q->done != NULL &&
	    smtpd__thread_start(&thread, 0, run_question, q) == 0) {
		pthread_detach(thread);
		return q;
	}
	smtpd_cancel_destroy(q->done);
	free(q);
	return NULL;
}

static struct smtpd_targets *
ask_system(const char *host, const struct smtpd_cancel *cancel)
{
	struct question *q = begin_question(host);
	struct smtpd_targets *t;

	if (q == NULL)
		return NULL;
	smtpd__poll_wait(smtpd_cancel_fd(q->done), POLLIN,
	    smtpd_cancel_fd(cancel), SMTPD_NEVER);
	if (!smtpd_cancel_is_triggered(q->done))
		t = smtpd__targets_none(SMTPD_RESOLVE_LATER, "4.4.3",
		    "%s: the look-up was cancelled", host);
	else if (q->error != 0)
		t = smtpd__targets_none(q->error == EAI_NONAME
			? SMTPD_RESOLVE_NEVER
			: SMTPD_RESOLVE_LATER,
		    "4.4.3", "%s: %s", host, gai_strerror(q->error));
	else
		t = list_addresses(host, q->found);
	leave_question(q);
	return t;
}

struct smtpd_targets *
smtpd__smarthost_find(struct smtpd_resolver *r, const char *host,
    const struct smtpd_cancel *cancel)
{
	struct smtpd_targets *known, *t;

	if (*host == '[')
		return smtpd_resolve(r, host, cancel);
	if (strchr(host, '.') == NULL)
		return ask_system(host, cancel);
	known = smtpd__resolver_host(r, host, cancel);
	if (known == NULL || known->outcome == SMTPD_RESOLVE_FOUND ||
	    smtpd_cancel_is_triggered(cancel))
		return known;
	t = ask_system(host, cancel);
	if (t != NULL && t->outcome == SMTPD_RESOLVE_FOUND) {
		smtpd_targets_free(known);
		return t;
	}
	smtpd_targets_free(t);
	return known;
}
