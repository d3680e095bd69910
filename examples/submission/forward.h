/* SPDX-License-Identifier: MIT */
#ifndef FORWARD_H
#define FORWARD_H

/*
 * A message on its way to smtpout, while the client still sends it: it is
 * queued, and the client told so, when smtpout has said so.
 */

#include <time.h>

#include <smtpd/server.h>

/* The data of a transaction. */
struct forward {
	struct timespec begun;
	char id[64]; /* that smtpout gave it; "" */
};

/* The delivery callback; USER is a struct submission. */
smtpd_deliver_fn forward_deliver;

#endif
