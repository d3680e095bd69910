/* SPDX-License-Identifier: MIT */
#ifndef OPTIONS_H
#define OPTIONS_H

/*
 * Reading the command line of a daemon, and its configuration file, by a table
 * of options.  Besides those of the table there are always --config FILE,
 * --help and --version.
 */

#include "option_table.h"

/* The result of options_read() when the program is to continue. */
#define OPTIONS_GO (-1)

/*
 * Read the command line, and the file that --config names before the rest of
 * it, into SETTINGS, which holds the defaults and NULL for each text.  The
 * command line replaces what a file gives; lists add up, and anything else is
 * refused when one place gives it twice.
 *
 * Return OPTIONS_GO, or the status to exit with after --help and --version
 * (0) and after a mistake (EX_USAGE, EX_CONFIG, EX_NOINPUT, EX_OSERR), which
 * was told on stderr.  SETTINGS must be finished (option_table_finish()) in any
 * case.
 */
int options_read(
    const struct option_table *table, int argc, char **argv, void *settings);

#endif
