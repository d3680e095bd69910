/* SPDX-License-Identifier: MIT */
#ifndef CALL_AGENT_H
#define CALL_AGENT_H

/* A file about the delivery agent: it brings a message to up to three hosts. */

#include "script.h"

/* Hold the conversations, and fail the test where they differ. */
void call_agent_run(const struct call_script *s);

#endif
