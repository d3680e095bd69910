/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SERVER_ERROR_H
#define SMTPD_SERVER_SERVER_ERROR_H

/*
 * Why a call on a server failed: errno, and a sentence for
 * smtpd_server_error().
 */

#include <smtpd/server.h>

struct smtpd_error_list;

/* The sentences of a server: one for each thread, since some calls may be made
 * by several at a time.  NULL: no memory. */
struct smtpd_error_list *smtpd__server_error_create(void);
void smtpd__server_error_destroy(struct smtpd_error_list *list);

/* Set errno to ERROR and store a sentence.  Return -1. */
int smtpd__server_error_set(struct smtpd_server *srv, int error,
    const char *format, ...) SMTPD_PRINTF(3, 4);

/* The same with the system's words for ERROR behind WHAT. */
int smtpd__server_error_errno(
    struct smtpd_server *srv, int error, const char *what);

/* The same for a lack of memory. */
int smtpd__server_error_memory(struct smtpd_server *srv);

/* The same for argument NAME, which is NULL. */
int smtpd__server_error_null(struct smtpd_server *srv, const char *name);

#endif
