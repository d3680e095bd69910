/* SPDX-License-Identifier: MIT */
#ifndef EVENT_LOOP_RECEIVER_H
#define EVENT_LOOP_RECEIVER_H

/*
 * A server that takes any message and says from whom it is: what the event
 * loops have in common.
 */

#include <smtpd.h>

/* Start one, for connections that a loop accepts; NULL: it has said why not. */
struct smtpd_server *receiver_start(void);

#endif
