/* SPDX-License-Identifier: MIT */
#ifndef TLS_FILES_H
#define TLS_FILES_H

/*
 * The certificates and keys of a daemon: read, given to its server, read again
 * when they change, and watched for the day they expire.  One thread uses it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <smtpd/server.h>
#include <smtpd/tls.h>

#include "file_stamp.h"
#include "log.h"
#include "text_list.h"

struct tls_files {
	/* For the caller to set.  They outlive this. */
	struct smtpd_server *server;
	struct log *log;
	const struct text_list *certs;
	const struct text_list *keys; /* as many, each of the same place */
	bool cbc_suites;              /* as in smtpd_tls_settings, both */
	bool no_tickets;

	struct smtpd_tls *tls; /* that of the server; NULL: none yet */
	bool partial;          /* a pair could not be read */
	struct file_stamp *stamps;
	const char *first; /* the file that expires first, and when */
	time_t expires;
	size_t warned; /* how many of the warnings were given */
};

/*
 * At the start, read all files and give them to the server.  Pairs that cannot
 * be read are left out, those that have expired or are not valid yet are used,
 * both with an error in the log: mail comes in meanwhile.  Return 0, or an exit
 * status (EX_CONFIG, EX_UNAVAILABLE, EX_OSERR) with file and reason in WHY of
 * SIZE bytes.  Without any certificate there is nothing to do.
 */
int tls_files_load(struct tls_files *t, char *why, size_t size);

/* What --check ends with when all else is well: 0, or EX_CONFIG where a pair
 * could not be read, without which a start would go on. */
int tls_files_status(const struct tls_files *t);

/* Read all again.  If anything is wrong with them the old ones stay in use,
 * with a warning in the log; where one was missing, the rest is used as at the
 * start. */
void tls_files_reload(struct tls_files *t);

/* Call it once a minute: read the files again if one has changed, or one that
 * could not be read can be, and warn when at the time NOW 14, 7, 1 or 0 days
 * are left, once each. */
void tls_files_look(struct tls_files *t, time_t now);

/* Free what T holds; the server keeps its certificates. */
void tls_files_finish(struct tls_files *t);

#endif
