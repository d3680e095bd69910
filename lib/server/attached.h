/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_ATTACHED_H
#define SMTPD_SERVER_ATTACHED_H

/*
 * smtpd_session_attach(): data that parts of a program keep for a session, each
 * its own.
 */

struct smtpd_attached;

/* Destroy all in LIST, which is empty then. */
void smtpd__attached_clear(struct smtpd_attached **list);

#endif
