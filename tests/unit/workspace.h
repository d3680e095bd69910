/* SPDX-License-Identifier: MIT */
#ifndef UNIT_WORKSPACE_H
#define UNIT_WORKSPACE_H

/* The memory of a session of the server. */

#include <smtpd/session.h>

/* Whether TEXT stands anywhere in the buffers of S. */
bool workspace_has(const struct smtpd_session *s, const char *text);

#endif
