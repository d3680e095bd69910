/* SPDX-License-Identifier: MIT */
#ifndef POLICIES_H
#define POLICIES_H

/*
 * The option --tls: how mail to all domains, or to one, is secured.
 */

#include "settings.h"

/* Check them, and complete what S derives from them.  Return 0, or EX_USAGE
 * after complaining of a mistake, or EX_OSERR. */
int policies_complete(struct settings *s);

#endif
