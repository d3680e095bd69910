/* SPDX-License-Identifier: MIT */
#ifndef LOGINS_H
#define LOGINS_H

/*
 * What smtpout logs in by at other hosts.
 */

#include "passwords.h"
#include "tokens.h"

/* All zero: nothing. */
struct logins {
	struct passwords passwords;
	struct tokens tokens;
};

#endif
