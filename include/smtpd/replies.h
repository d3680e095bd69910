/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_REPLIES_H
#define SMTPD_REPLIES_H

/* The replies that the library gives by itself, and other texts for them. */

#include <smtpd/server.h>
#include <smtpd/version.h>

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A reply that the library gives by itself.  Later versions may add members at
 * its end. */
struct smtpd_reply_text {
	const char *name; /* "too_many_recipients" */
	int code;
	const char *enhanced; /* "" for none */
	const char *text;     /* "{}" in it stands for what differs each time */
};

/* Reply I of SRV, counted from 0, with the text that is set at present; NULL
 * when there are fewer.  Since 0.2. */
SMTPD_API const struct smtpd_reply_text *smtpd_server_reply_text(
    const struct smtpd_server *srv, size_t i);

/*
 * Let reply NAME of SRV have a copy of TEXT, 1 to 400 characters of printable
 * ASCII, as in another language; its codes stay.  It may have one "{}", if the
 * library's text has.  Before start.  Return 0 or -1.  Since 0.2.
 */
SMTPD_API int smtpd_server_set_reply_text(
    struct smtpd_server *srv, const char *name, const char *text);

#ifdef __cplusplus
}
#endif

#endif
