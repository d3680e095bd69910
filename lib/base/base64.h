/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_BASE64_H
#define SMTPD_BASE_BASE64_H

/* Base64 (RFC 4648, 4), strict: padded, no line ends, no other bytes. */

#include <stddef.h>
#include <sys/types.h>

#include "base/text.h"

/* The length of the base64 of LEN bytes. */
#define SMTPD_BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Append the base64 of LEN bytes at DATA to T. */
void smtpd__base64_encode(struct smtpd_text *t, const void *data, size_t len);

/*
 * Decode LEN bytes at S into OUT of SIZE bytes.  Return the length, or -1: the
 * length is no multiple of four, a byte that is not of the alphabet, padding
 * that is not at the end or hides bits, or no room.
 */
ssize_t smtpd__base64_decode(const char *s, size_t len, void *out, size_t size);

#endif
