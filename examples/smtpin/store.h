/* SPDX-License-Identifier: MIT */
#ifndef STORE_H
#define STORE_H

/*
 * A message on its way into the mailboxes of its recipients: all of them in
 * SMTP, those that can have it in LMTP.
 */

#include "delivery.h"
#include "transaction.h"

/* Write the path of OWNER's mailbox to BUF of SIZE bytes; PATH_MAX are enough,
 * as it fitted at RCPT. */
void store_path(const struct delivery *d, const struct owner *owner, char *buf,
    size_t size);

/* The delivery callback; USER is a struct delivery.  The data of the
 * transaction are a struct transaction. */
smtpd_deliver_fn store_message;

#endif
