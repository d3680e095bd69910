/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_HASH_H
#define SMTPD_BASE_HASH_H

/*
 * FNV-1a in 32 bits, for tables in memory.  Begin with SMTPD_HASH_START, or
 * with a secret number where others choose the keys.
 */

#include <stddef.h>
#include <stdint.h>

#define SMTPD_HASH_START UINT32_C(2166136261)

/* Add LEN bytes at DATA to HASH and return the result. */
uint32_t smtpd__hash_bytes(uint32_t hash, const void *data, size_t len);

/* Add the characters of a string to HASH; the second form adds them in lower
 * case. */
uint32_t smtpd__hash_text(uint32_t hash, const char *text);
uint32_t smtpd__hash_text_lower(uint32_t hash, const char *text);

/* Spread HASH over its low bits, for a table whose size is a power of two. */
uint32_t smtpd__hash_spread(uint32_t hash);

#endif
