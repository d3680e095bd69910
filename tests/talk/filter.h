/* SPDX-License-Identifier: MIT */
#ifndef TALK_FILTER_H
#define TALK_FILTER_H

/* The filters of the server under test. */

#include "host.h"

/* Add the filter that TEXT describes, as README has it.  Return 0 or -1. */
int filter_add(struct host *h, const char *text);

#endif
