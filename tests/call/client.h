/* SPDX-License-Identifier: MIT */
#ifndef CALL_CLIENT_H
#define CALL_CLIENT_H

/* A file about the client: it connects to the hosts, and sends. */

#include "script.h"

/* Hold the conversation, and fail the test where it differs. */
void call_client_run(struct call_script *s);

#endif
