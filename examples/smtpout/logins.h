/* SPDX-License-Identifier: MIT */
#ifndef LOGINS_H
#define LOGINS_H

/*
 * What targets of routes need that outlives these: what smtpout logs in by at
 * other hosts, and Maildirs.
 */

#include "maildirs.h"
#include "passwords.h"
#include "tokens.h"

/* All zero: nothing. */
struct logins {
	struct passwords passwords;
	struct tokens tokens;
	struct maildirs maildirs;
};

#endif
