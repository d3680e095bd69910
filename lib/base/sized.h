/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_SIZED_H
#define SMTPD_BASE_SIZED_H

/*
 * Public structs that begin with their own size, so that they can grow at
 * their end: how a library takes those of an older or newer program.
 */

#include <stddef.h>

/*
 * Copy GIVEN, whose first member is its size, into KNOWN of KNOWN_SIZE bytes.
 * What a smaller struct lacks becomes zero, and KNOWN's size is KNOWN_SIZE.
 * GIVEN may be NULL: then all is zero.  Return 0, or -1 with errno EINVAL: the
 * size is not set, or splits a member, or the struct is larger and a byte
 * behind KNOWN_SIZE is not zero, so that the program asks for what this library
 * does not know.
 */
int smtpd__sized_copy(void *known, size_t known_size, const void *given);

/* The same for element I of ARRAY, whose elements all have the size that the
 * first one says. */
int smtpd__sized_copy_nth(
    void *known, size_t known_size, const void *array, size_t i);

/*
 * Copy KNOWN of KNOWN_SIZE bytes into GIVEN, which the caller made and whose
 * first member is its size; that stays.  Members that only GIVEN has become
 * zero.  Return 0, or -1 with errno EINVAL when the size is not set, or GIVEN
 * is NULL.
 */
int smtpd__sized_fill(void *given, const void *known, size_t known_size);

#endif
