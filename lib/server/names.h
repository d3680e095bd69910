/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_NAMES_H
#define SMTPD_SERVER_NAMES_H

/*
 * A short list of names that a program registered: parameters of MAIL and RCPT.
 */

#include <stdbool.h>
#include <stddef.h>

/* All zero: empty. */
struct smtpd_names {
	char **names;
	size_t count;
};

/* Add a copy of NAME.  Return 0, or -1 without memory. */
int smtpd__names_add(struct smtpd_names *list, const char *name);

/* Whether NAME, its case ignored, is in LIST. */
bool smtpd__names_have(const struct smtpd_names *list, const char *name);

/* Free what LIST holds. */
void smtpd__names_finish(struct smtpd_names *list);

#endif
