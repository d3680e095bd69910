/* SPDX-License-Identifier: MIT */
#ifndef PAGE_H
#define PAGE_H

/*
 * The page: files that were put into the program when it was built.
 */

#include "http.h"

/* Send the file that the request names. */
enum MHD_Result page_send(const struct http_request *r);

#endif
