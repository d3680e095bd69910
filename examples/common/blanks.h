/* SPDX-License-Identifier: MIT */
#ifndef BLANKS_H
#define BLANKS_H

/*
 * White space in the lines of files.
 */

/* Cut white space off the end of TEXT; return its first character that is not
 * white. */
char *blanks_trim(char *text);

#endif
