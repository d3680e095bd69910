/* SPDX-License-Identifier: MIT */
#ifndef SMARTHOST_H
#define SMARTHOST_H

/*
 * The options about the smarthost: which it is, and how to log in there.
 */

#include "log.h"
#include "passwords.h"
#include "settings.h"

/* Check them, and complete what S derives from them.  Return 0, or EX_USAGE
 * after complaining of a mistake. */
int smarthost_complete(struct settings *s);

/* Read the passwords of --password-file, and that of the smarthost to S.  The
 * file may be readable by root alone: this comes before the user changes.
 * Return 0, or an exit status, of which the user was told. */
int smarthost_read_password(
    struct settings *s, struct passwords *passwords, struct log *log);

#endif
