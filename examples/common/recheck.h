/* SPDX-License-Identifier: MIT */
#ifndef RECHECK_H
#define RECHECK_H

/*
 * Reading a configuration again before it is used: the program is run with
 * --check, and with the arguments of the daemon, so that a mistake anywhere
 * changes nothing in that.
 */

#include <stdbool.h>

#include "log.h"

/*
 * Whether the program ARGV could start now; if not, LOG has an error for each
 * of its complaints, behind OUTCOME, what follows from them.  When that cannot
 * be found out within half a minute, LOG says so, and it is true.
 */
bool recheck_passes(char *const *argv, const char *outcome, struct log *log);

#endif
