/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_LISTENER_H
#define SMTPD_SERVER_LISTENER_H

/*
 * The listeners of a server: which flags each has, and which TLS.
 */

#include <smtpd/server.h>

struct smtpd_listener_options {
	unsigned flags;        /* of enum smtpd_listen_flag */
	struct smtpd_tls *tls; /* its own, or NULL: the server's */
};

/* A reference to the TLS that a session through listener OPTIONS, or NULL for
 * none, gets now; NULL: there is none.  The server's lock is held. */
struct smtpd_tls *smtpd__listener_get_tls(const struct smtpd_server *srv,
    const struct smtpd_listener_options *options);

/* Close all listeners of SRV and free their options. */
void smtpd__listener_finish_all(struct smtpd_server *srv);

#endif
