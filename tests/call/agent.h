/* SPDX-License-Identifier: MIT */
#ifndef CALL_AGENT_H
#define CALL_AGENT_H

/* A file about the delivery agent: it brings messages to the hosts of a
 * route. */

#include "script.h"

/* Hold the conversations, and fail the test where they differ. */
void call_agent_run(struct call_script *s);

#endif
