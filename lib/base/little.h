/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_LITTLE_H
#define SMTPD_BASE_LITTLE_H

/* Numbers in files: the least significant byte first, at any address. */

#include <stdint.h>

static inline uint32_t
smtpd_get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static inline uint64_t
smtpd_get_u64(const uint8_t *p)
{
	return smtpd_get_u32(p) | (uint64_t)smtpd_get_u32(p + 4) << 32;
}

static inline void
smtpd_put_u32(uint8_t *p, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(n >> 8 * i);
}

static inline void
smtpd_put_u64(uint8_t *p, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(n >> 8 * i);
}

#endif
