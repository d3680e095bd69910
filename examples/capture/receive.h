/* SPDX-License-Identifier: MIT */
#ifndef RECEIVE_H
#define RECEIVE_H

/*
 * The SMTP side: everything is accepted, from anyone for anyone, and kept in
 * the store.
 */

#include <smtpd/server.h>

#include "store.h"

/* The callback that lets every client be the user that it says. */
int receive_auth(struct smtpd_session *s, const struct smtpd_auth_request *r,
    struct smtpd_scram_key *key, void *user);

/* Have SRV give what it receives to STORE.  Return 0 or -1, as
 * smtpd_server_error() says. */
int receive_register(struct smtpd_server *srv, struct store *store);

#endif
