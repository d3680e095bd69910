/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_MAILBOX_LIST_H
#define SMTPD_GRAMMAR_MAILBOX_LIST_H

/*
 * The domains of the mailboxes in a From field (RFC 5322, 3.4), with display
 * names, comments, quoting and groups, also in the forms of RFC 5322, 4.4.
 */

#include <stdbool.h>
#include <stddef.h>

/*
 * Write the domain of the next mailbox of the LEN bytes at *AT to DOMAIN of
 * SIZE bytes, without white space and comments; "" when the mailbox has none,
 * "." when it does not fit.  Move *AT and *LEN past it.  Return false when
 * there is no further one.
 */
bool smtpd__mailbox_list_next(
    const char **at, size_t *len, char *domain, size_t size);

#endif
