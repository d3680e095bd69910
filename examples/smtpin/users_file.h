/* SPDX-License-Identifier: MIT */
#ifndef USERS_FILE_H
#define USERS_FILE_H

/*
 * The parser of the file with the map of users: lines "user : address ..." and
 * "address -> user ...", see smtpin(8).
 */

#include <stddef.h>

#include "users_table.h"

/* The most bytes that a line of the map, and a user's name, may have. */
#define USERS_LINE_MAX 8192
#define USERS_NAME_MAX 64

/*
 * Read the map in file PATH into TABLE, which is empty.  Return 0, or an exit
 * status (EX_NOINPUT, EX_CONFIG, EX_OSERR) with the reason in WHY of SIZE
 * bytes: "FILE:LINE: reason".
 */
int users_file_read(
    const char *path, struct users_table *table, char *why, size_t size);

#endif
