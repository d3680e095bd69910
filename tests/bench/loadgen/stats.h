/* SPDX-License-Identifier: MIT */
#ifndef LOADGEN_STATS_H
#define LOADGEN_STATS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Latencies are counted in classes 1/64 of their value wide. */
#define STATS_CLASSES (64 * 40)

/* What was seen so far.  Times in nanoseconds of the monotonic clock. */
struct stats {
	uint64_t begun; /* when the first message might be sent */
	uint64_t ended; /* when the last reply came */
	uint64_t messages;
	uint64_t connections;
	uint64_t closed_421; /* connections that the server ended so */
	uint64_t unexpected; /* replies, closed or failed connections */
	uint64_t max_latency;
	uint32_t latency[STATS_CLASSES];
	bool pipelined;        /* the server offered it, and it was used */
	bool chunked;          /* likewise */
	char first_error[160]; /* the first of the unexpected; "" for none */
};

/* The monotonic clock, in nanoseconds. */
uint64_t stats_clock(void);

/* A message that was begun at BEGUN is accepted NOW. */
void stats_message(struct stats *st, uint64_t begun, uint64_t now);

/* Something unexpected came at STEP: TEXT, a reply or an error. */
void stats_unexpected(struct stats *st, const char *step, const char *text);

/* The latency that FRACTION of all messages did not exceed, in nanoseconds. */
uint64_t stats_percentile(const struct stats *st, double fraction);

/* Write the results to FILE, for people or as one line of JSON. */
void stats_print(const struct stats *st, bool json, FILE *file);

#endif
