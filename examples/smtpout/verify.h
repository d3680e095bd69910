/* SPDX-License-Identifier: MIT */
#ifndef VERIFY_H
#define VERIFY_H

/*
 * What VRFY and EXPN say: who gets the mail for a name, and how (RFC 5321,
 * 3.5.1).  Those who ask are programs of this host.
 */

#include <smtpd/server.h>
#include <smtpd/verify.h>

/* Have SRV answer both from QUEUE, which must outlive it.  In a transaction the
 * answer is for mail from its sender.  Return 0, or -1 without memory. */
int verify_register(struct smtpd_server *srv, struct smtpd_queue *queue);

#endif
