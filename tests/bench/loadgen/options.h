/* SPDX-License-Identifier: MIT */
#ifndef LOADGEN_OPTIONS_H
#define LOADGEN_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* What the command line asks for. */
struct options {
	struct sockaddr_storage target;
	socklen_t target_len;
	uint32_t sessions;
	uint64_t messages;    /* 0: as many as go in the time */
	double seconds;       /* 0: as long as the messages take */
	uint64_t size;        /* octets of a message, header included */
	uint32_t recipients;  /* of each message */
	uint32_t rotate;      /* %d in a pattern runs from 0 to this - 1 */
	uint32_t sources;     /* addresses to connect from, 127.0.0.1 on */
	uint32_t max_errors;  /* unexpected replies before giving up */
	uint32_t timeout;     /* seconds without any progress */
	const char *from;     /* patterns of addresses */
	const char *to;       /* one %d in each, or none */
	bool pipelining;      /* where the server offers it */
	bool chunks;          /* likewise */
	bool new_connections; /* one for each message */
	bool idle;            /* open the sessions and hold them */
	bool sequence;        /* X-Bench-Seq: in each message */
	bool json;
};

/*
 * Read the command line into OUT, which keeps pointers into ARGV.  Return -1
 * to go on, or the exit status: 0 after --help, 64 after a mistake, which is
 * reported on stderr.
 */
int options_parse(int argc, char **argv, struct options *out);

#endif
