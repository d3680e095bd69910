/* SPDX-License-Identifier: MIT */
#ifndef UNIT_BAD_SECTOR_H
#define UNIT_BAD_SECTOR_H

/* Bytes that cannot be read, of any file: for programs linked with its pread().
 */

#include <sys/types.h>

/* Reading any of the bytes from FROM to before TO fails with EIO; 0, 0: none.
 * Any thread. */
void bad_sector_set(off_t from, off_t to);

#endif
