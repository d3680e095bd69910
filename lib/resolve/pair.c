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

/* Ask for both, side by side if there can be a thread for that. */
static void
ask_both(struct smtpd_dns *d, const char *name, uint64_t soon,
    uint64_t deadline, const struct smtpd_cancel *cancel,
    struct smtpd_pair *out)
{
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
		out->six =
		    smtpd__dns_ask(d, name, SMTPD_DNS_AAAA, deadline, cancel);
		out->four =
		    smtpd__dns_ask(d, name, SMTPD_DNS_A, deadline, cancel);
	}
	smtpd_cancel_destroy(x.cancel);
	smtpd_cancel_destroy(x.done);
}

void
smtpd__pair_get(struct smtpd_dns *d, struct smtpd_cache *c, const char *name,
    uint64_t deadline, const struct smtpd_cancel *cancel,
    struct smtpd_pair *out)
{
	uint64_t now = smtpd__clock_ms();
	uint64_t soon = smtpd__clock_earlier(
	    deadline, smtpd__clock_after(now, PATIENCE_MS));
	bool six_known, four_known;

	out->six = smtpd__cache_get(c, name, SMTPD_DNS_AAAA, now);
	out->four = smtpd__cache_get(c, name, SMTPD_DNS_A, now);
	six_known = out->six != NULL;
	four_known = out->four != NULL;
	if (!six_known && !four_known)
		ask_both(d, name, soon, deadline, cancel, out);
	else if (!six_known)
		out->six = smtpd__dns_ask(d, name, SMTPD_DNS_AAAA,
		    is_found(out->four) ? soon : deadline, cancel);
	else if (!four_known)
		out->four = smtpd__dns_ask(d, name, SMTPD_DNS_A,
		    is_found(out->six) ? soon : deadline, cancel);
	now = smtpd__clock_ms();
	if (!six_known && out->six != NULL)
		smtpd__cache_put(c, name, SMTPD_DNS_AAAA, out->six, now);
	if (!four_known && out->four != NULL)
		smtpd__cache_put(c, name, SMTPD_DNS_A, out->four, now);
}
