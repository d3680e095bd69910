/* SPDX-License-Identifier: MIT */
#ifndef UNIT_CERTS_H
#define UNIT_CERTS_H

/* The certificates of the tests, in a directory of this program's own. */

/* Copy them there: a cmocka set-up of a group, 0 when all is well. */
int certs_copy(void **state);

/* Remove them, with all else in the directory: its tear-down. */
int certs_remove(void **state);

/* The path of file NAME there, "" of the directory; the last four stay. */
const char *certs_at(const char *name);

#endif
