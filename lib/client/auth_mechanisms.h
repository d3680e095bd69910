/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_AUTH_MECHANISMS_H
#define SMTPD_CLIENT_AUTH_MECHANISMS_H

/* The mechanisms of AUTH that the client knows, and their exchanges. */

#include "client/client_state.h"

/* All of them, the best first. */
#define SMTPD_CLIENT_MECHANISMS "SCRAM-SHA-256 OAUTHBEARER XOAUTH2 PLAIN LOGIN"

struct smtpd_client_mechanism {
	const char *name;
	bool takes_token; /* and no password */

	/* Log in as the user of C by its secret.  Return the last reply's code;
	 * or -1, and the exchange has failed. */
	int (*run)(struct smtpd_client *c);
};

/* The mechanism whose name is the first word of LIST, in any case; NULL: it is
 * not known. */
const struct smtpd_client_mechanism *smtpd__client_auth_mechanisms_find(
    const char *list);

#endif
