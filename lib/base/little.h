/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_LITTLE_H
#define SMTPD_BASE_LITTLE_H

/* Numbers in files: the least significant byte first, at any address.  Without
 * loops, of which compilers would not make one access. */

#include <stdint.h>

static inline uint16_t
smtpd_get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

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
smtpd_put_u16(uint8_t *p, uint16_t n)
{
	p[0] = (uint8_t)n;
	p[1] = (uint8_t)(n >> 8);
}

static inline void
smtpd_put_u32(uint8_t *p, uint32_t n)
{
	smtpd_put_u16(p, (uint16_t)n);
	smtpd_put_u16(p + 2, (uint16_t)(n >> 16));
}

static inline void
smtpd_put_u64(uint8_t *p, uint64_t n)
{
	smtpd_put_u32(p, (uint32_t)n);
	smtpd_put_u32(p + 4, (uint32_t)(n >> 32));
}

#endif
