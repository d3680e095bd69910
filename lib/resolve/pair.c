/* SPDX-License-Identifier: MIT */
#include "resolve/pair.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "os/clock.h"
#include "os/poll.h"
#include "os/thread.h"

/* How long the second answer is waited for, since both were asked for. */
#define PATIENCE_MS 2000

#define STACK_SIZE 65536

/* The question for AAAA, on a thread of its own. */
struct six {
	struct smtpd_dns *dns;
	const char *name;
	uint64_t deadline;
	struct smtpd_cancel *cancel; /* ends it */
	struct smtpd_cancel *done;   /* triggered at its end */
	struct smtpd_dns_answer *answer;
};

static void *
ask_six(void *arg)
{
	struct six *x = arg;

	smtpd__thread_set_name("smtpd-resolve");
	x->answer = smtpd__dns_ask(
	    x->dns, x->name, SMTPD_DNS_AAAA, x->deadline, x->cancel);
	smtpd_cancel_trigger(x->done);
	return NULL;
}

static bool
is_found(const struct smtpd_dns_answer *answer)
{
	return answer != NULL && answer->status == SMTPD_DNS_FOUND;
}

/* Ask for A; for longer than until SOON only if AAAA has given nothing. */
static struct smtpd_dns_answer *
ask_four(const struct six *x, uint64_t soon, const struct smtpd_cancel *cancel)
{
	struct smtpd_dns_answer *answer =
	    smtpd__dns_ask(x->dns, x->name, SMTPD_DNS_A, soon, cancel);

	if (answer == NULL || answer->status != SMTPD_DNS_FAILED ||
	    smtpd__clock_ms() < soon || soon >= x->deadline ||
	    (smtpd_cancel_is_triggered(x->done) && is_found(x->answer)))
		return answer;
	free(answer);
	return smtpd__dns_ask(
	    x->dns, x->name, SMTPD_DNS_A, x->deadline, cancel);
}

void
smtpd__pair_ask(struct smtpd_dns *d, const char *name, uint64_t deadline,
    const struct smtpd_cancel *cancel, struct smtpd_pair *out)
{
	uint64_t soon = smtpd__clock_earlier(
	    deadline, smtpd__clock_after(smtpd__clock_ms(), PATIENCE_MS));
	struct six x = {
		.dns = d,
		.name = name,
		.deadline = deadline,
		.cancel = smtpd_cancel_create(),
		.done = smtpd_cancel_create(),
	};
	pthread_t thread;

	if (x.cancel != NULL && x.done != NULL &&
	    smtpd__thread_start(&thread, STACK_SIZE, ask_six, &x) == 0) {
		out->four = ask_four(&x, soon, cancel);
		smtpd__poll_wait(smtpd_cancel_fd(x.done), POLLIN,
		    smtpd_cancel_fd(cancel),
		    is_found(out->four) ? soon : deadline);
		smtpd_cancel_trigger(x.cancel);
		pthread_join(thread, NULL);
		out->six = x.answer;
	} else {
		/* There is no other way than one after the other. */
		out->six =
		    smtpd__dns_ask(d, name, SMTPD_DNS_AAAA, deadline, cancel);
		out->four =
		    smtpd__dns_ask(d, name, SMTPD_DNS_A, deadline, cancel);
	}
	smtpd_cancel_destroy(x.cancel);
	smtpd_cancel_destroy(x.done);
}

bool
smtpd__pair_find(
    struct smtpd_cache *c, const char *name, struct smtpd_pair *out)
{
	uint64_t now = smtpd__clock_ms();

	out->six = smtpd__cache_get(c, name, SMTPD_DNS_AAAA, now);
	out->four = smtpd__cache_get(c, name, SMTPD_DNS_A, now);
	if (out->six != NULL && out->four != NULL)
		return true;
	free(out->six);
	free(out->four);
	return false;
}

void
smtpd__pair_keep(
    struct smtpd_cache *c, const char *name, const struct smtpd_pair *p)
{
	uint64_t now = smtpd__clock_ms();

	if (p->six != NULL)
		smtpd__cache_put(c, name, SMTPD_DNS_AAAA, p->six, now);
	if (p->four != NULL)
		smtpd__cache_put(c, name, SMTPD_DNS_A, p->four, now);
}
