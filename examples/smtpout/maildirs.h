/* SPDX-License-Identifier: MIT */
#ifndef MAILDIRS_H
#define MAILDIRS_H

/*
 * The Maildirs of local users that routes lead to.  They belong to the user of
 * this program; one is made for each account of this host, and for postmaster
 * and mailer-daemon, when mail for it comes.
 */

#include <stddef.h>

#include <smtpd/maildir.h>
#include <smtpd/route.h>

struct maildirs_place;

/* All zero: none. */
struct maildirs {
	struct maildirs_place **items;
	size_t count;
	struct smtpd_maildir *shared; /* NULL until there is one */
};

/*
 * Set OUT to a target that delivers into the Maildirs of the pattern TEXT, as
 * mailbox.h has it, of which the directories from the byte ROOT_LEN on are made
 * where they are missing; 0: those from its first "%" on.  OUT points into M.
 * Return 0, or an exit status with what is wrong in WHY of SIZE bytes.
 */
int maildirs_target(struct maildirs *m, const char *text, size_t root_len,
    struct smtpd_route_target *out, char *why, size_t size);

/* Free what M holds: after the queue. */
void maildirs_finish(struct maildirs *m);

#endif
