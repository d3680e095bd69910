/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_CRC32C_H
#define SMTPD_BASE_CRC32C_H

/* CRC-32C (Castagnoli), as of iSCSI (RFC 3720, B.4). */

#include <stddef.h>
#include <stdint.h>

/* 8 KiB, made once; then any number of threads may use it. */
struct smtpd_crc32c {
	uint32_t table[8][256];
};

void smtpd__crc32c_init(struct smtpd_crc32c *c);

/* The CRC of LEN bytes at DATA, which follow those whose CRC is CRC; 0: they
 * follow nothing. */
uint32_t smtpd__crc32c(
    const struct smtpd_crc32c *c, uint32_t crc, const void *data, size_t len);

/* The same without a table, for a few bytes now and then. */
uint32_t smtpd__crc32c_short(uint32_t crc, const void *data, size_t len);

/* The CRC of bytes whose CRC is FIRST, followed by LEN bytes whose CRC is
 * SECOND. */
uint32_t smtpd__crc32c_join(uint32_t first, uint32_t second, uint64_t len);

#endif
