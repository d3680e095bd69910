/* SPDX-License-Identifier: MIT */
#ifndef EVENTS_H
#define EVENTS_H

/*
 * Server-sent events: the page learns that the store has changed, and asks for
 * what it shows.  So however many messages come at once, and however slow the
 * browser is, there is never more than one event to be sent.
 */

#include "http.h"

enum MHD_Result events_send(const struct http_request *r);

#endif
