/* SPDX-License-Identifier: MIT */
#ifndef SOURCES_H
#define SOURCES_H

/*
 * The options about the addresses that mail goes out from.
 */

#include "log.h"
#include "settings.h"

/* Check them, and complete what S derives from them.  Return 0, or EX_USAGE
 * after complaining of a mistake. */
int sources_complete(struct settings *s);

/* Warn of addresses that this host does not have now. */
void sources_warn(const struct settings *s, struct log *log);

#endif
