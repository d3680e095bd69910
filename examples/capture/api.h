/* SPDX-License-Identifier: MIT */
#ifndef API_H
#define API_H

/*
 * The interface for tests and for the page: which path means what.  README.md
 * has it.
 */

#include "http.h"

/* Answer a request that the guard has let in. */
enum MHD_Result api_answer(const struct http_request *r);

#endif
