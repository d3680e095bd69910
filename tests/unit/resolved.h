/* SPDX-License-Identifier: MIT */
#ifndef UNIT_RESOLVED_H
#define UNIT_RESOLVED_H

/* What a resolver found, as text that a test compares. */

#include <smtpd/resolve.h>

#include <stdbool.h>

/* Write "found ADDRESS...", in their order, "later STATUS" or "never STATUS" to
 * BUF of SIZE bytes, and return it. */
const char *resolved_text(
    const struct smtpd_targets *t, char *buf, size_t size);

/* Whether T has what holds of every result, whatever the domain.  ASKED: it
 * comes from a server, so it does not live for long. */
bool resolved_is_sound(const struct smtpd_targets *t, bool asked);

#endif
