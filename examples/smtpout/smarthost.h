/* SPDX-License-Identifier: MIT */
#ifndef SMARTHOST_H
#define SMARTHOST_H

/*
 * The options about the smarthost: which it is, and how to log in there.
 */

#include "settings.h"

/* Check them, and complete what S derives from them.  Return 0, or EX_USAGE
 * after complaining of a mistake. */
int smarthost_complete(struct settings *s);

#endif
