/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_SINK_H
#define SMTPD_BASE_SINK_H

/* Where what is written bit by bit goes. */

#include <stddef.h>

/* Take LEN bytes at DATA, which last until it returns.  Return 0, or -1: then
 * nothing more is written, and the writer says -1 too. */
typedef int smtpd_sink_fn(void *user, const void *data, size_t len);

#endif
