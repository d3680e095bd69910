/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Connections that are not greeted yet: less than any listener's backlog. */
#define OPENING_MAX 64
#define EVENTS_MAX  256

static volatile sig_atomic_t interrupted;

static void
interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = interrupt };
	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
}

int
load_init(struct load *l, const struct options *opt)
{
	*l = (struct load){ .opt = opt, .epoll = -1 };
	catch_signals();
	if (text_body_create(&l->body, opt) < 0)
		return -1;
	l->sessions = calloc(opt->sessions, sizeof(*l->sessions));
	if (l->sessions == NULL)
		return -1;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	return l->epoll < 0 ? -1 : 0;
}

void
load_finish(struct load *l)
{
	for (uint32_t i = 0; i < l->opened; i++)
		session_finish(&l->sessions[i]);
	free(l->sessions);
	text_body_destroy(&l->body);
	if (l->epoll >= 0)
		close(l->epoll);
}

static void
go(struct load *l)
{
	l->going = true;
	l->stats.begun = stats_clock();
	if (l->opt->seconds > 0)
		l->deadline =
		    l->stats.begun + (uint64_t)(l->opt->seconds * 1e9);
}

bool
load_take(struct load *l, uint64_t *seq)
{
	if (l->stopped)
		return false;
	if (l->opt->messages > 0 && l->taken - l->back >= l->opt->messages)
		return false;
	if (l->deadline > 0 && stats_clock() >= l->deadline)
		return false;
	l->taken++;
	*seq = l->seq++;
	return true;
}

void
load_give_back(struct load *l)
{
	l->back++;
}

/* All are greeted: those that wait begin. */
static void
begin_all(struct load *l)
{
	go(l);
	for (uint32_t i = 0; i < l->opened; i++) {
		if (l->sessions[i].step == STEP_READY)
			session_next(l, &l->sessions[i]);
	}
}

static void
open_more(struct load *l)
{
	while (l->opened < l->opt->sessions && !l->stopped &&
	    l->opened - l->ready < OPENING_MAX) {
		uint32_t i = l->opened++;
		session_open(l, &l->sessions[i], i);
	}
}

void
load_ready(struct load *l)
{
	l->ready++;
	if (l->ready == l->opt->sessions && !l->going && !l->opt->idle)
		begin_all(l);
}

static void
give_up(struct load *l)
{
	char text[64];
	snprintf(text, sizeof(text), "no progress, %u of %u sessions open",
	    l->ready, l->opt->sessions);
	stats_unexpected(&l->stats, "all", text);
	l->stopped = true;
}

/* Wait for events and let the sessions have them.  Return their number. */
static int
turn(struct load *l)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(l->epoll, events, EVENTS_MAX, 1000);
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == NULL)
			interrupted = 1;
		else
			session_event(l, events[i].data.ptr, events[i].events);
	}
	return n;
}

static void
work(struct load *l)
{
	uint64_t patience = (uint64_t)l->opt->timeout * 1000000000;
	uint64_t last = stats_clock();
	while (l->over < l->opt->sessions && !interrupted) {
		open_more(l);
		if (l->opt->idle && l->ready == l->opt->sessions)
			return;
		if (l->stopped && l->over == l->opened)
			return;
		if (turn(l) != 0) {
			last = stats_clock();
			continue;
		}
		if (stats_clock() - last >= patience) {
			give_up(l);
			return;
		}
	}
}

static void
hold(struct load *l)
{
	/* A standard input that cannot be waited for says nothing. */
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
	epoll_ctl(l->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &ev);

	printf("open %u\n", l->ready);
	fflush(stdout);
	while (!interrupted && !l->stopped)
		turn(l);
}

void
load_run(struct load *l)
{
	uint64_t begun = stats_clock();
	if (l->opt->new_connections)
		go(l);
	work(l);
	if (l->opt->idle) {
		l->stats.begun = begun;
		l->stats.ended = stats_clock();
		hold(l);
	}
}
