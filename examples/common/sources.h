/* SPDX-License-Identifier: MIT */
#ifndef SOURCES_H
#define SOURCES_H

/*
 * The addresses that mail goes out from, as options and routes have them.
 */

#include <smtpd/client.h>

#include "log.h"

/* One of each family. */
#define SOURCES_MAX 2

/*
 * Read TEXT, ADDRESS or ADDRESS=NAME, as one more of LIST, which has COUNT of
 * them, points into TEXT, and has room for SOURCES_MAX.  Return 0, or -1 with
 * what is wrong in WHY of SIZE bytes.
 */
int sources_read(char *text, struct smtpd_source *list, size_t *count,
    char *why, size_t size);

/* Warn of those of COUNT addresses in LIST, given in OPTION, that this host
 * does not have now. */
void sources_warn(const struct smtpd_source *list, size_t count,
    const char *option, struct log *log);

#endif
