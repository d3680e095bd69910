/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_KEYWORDS_H
#define SMTPD_SERVER_KEYWORDS_H

/* The program's keywords in the reply to EHLO, and to which clients they are
 * announced. */

#include <smtpd/server.h>

#include "base/text.h"

struct smtpd_keyword {
	char *text;
	smtpd_keyword_fn *fn; /* NULL: it is announced to all */
	void *user;
};

/* All zero: empty. */
struct smtpd_keywords {
	struct smtpd_keyword *list;
	size_t count;
	size_t len; /* of all lines of them */
};

/* Add a copy of TEXT.  Return 0, or -1 with errno: ENOSPC, they would not fit
 * into the reply; ENOMEM. */
int smtpd__keywords_add(struct smtpd_keywords *k, const char *text,
    smtpd_keyword_fn *fn, void *user);

/* Append a line for each that the client of S may know. */
void smtpd__keywords_announce(const struct smtpd_keywords *k,
    struct smtpd_session *s, struct smtpd_text *t);

/* Free what K holds. */
void smtpd__keywords_finish(struct smtpd_keywords *k);

#endif
