/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"

#include "base/little.h"

/* The polynomial 0x1EDC6F41 with its bits reversed. */
#define POLYNOMIAL 0x82F63B78u

static uint32_t
of_byte(uint32_t crc)
{
	for (int bit = 0; bit < 8; bit++)
		crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
	return crc;
}

void
smtpd__crc32c_init(struct smtpd_crc32c *c)
{
	for (uint32_t i = 0; i < 256; i++)
		c->table[0][i] = of_byte(i);
	for (int k = 1; k < 8; k++) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t crc = c->table[k - 1][i];

			c->table[k][i] = crc >> 8 ^ c->table[0][crc & 255];
		}
	}
}

uint32_t
smtpd__crc32c(
    const struct smtpd_crc32c *c, uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8) {
		uint32_t a = crc ^ smtpd_get_u32(p);
		uint32_t b = smtpd_get_u32(p + 4);

		crc = c->table[7][a & 255] ^ c->table[6][a >> 8 & 255] ^
		    c->table[5][a >> 16 & 255] ^ c->table[4][a >> 24] ^
		    c->table[3][b & 255] ^ c->table[2][b >> 8 & 255] ^
		    c->table[1][b >> 16 & 255] ^ c->table[0][b >> 24];
	}
	for (; len > 0; len--)
		crc = crc >> 8 ^ c->table[0][(crc ^ *p++) & 255];
	return ~crc;
}

uint32_t
smtpd__crc32c_short(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (; len > 0; len--)
		crc = of_byte(crc ^ *p++);
	return ~crc;
}

/* A times B, as polynomials modulo that of the CRC; the highest bit is the
 * lowest power. */
static uint32_t
multiply_powers(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (uint32_t bit = UINT32_C(1) << 31; bit != 0; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b & 1 ? b >> 1 ^ POLYNOMIAL : b >> 1;
	}
	return product;
}

/* A CRC is linear: FIRST moves on by LEN octets, which is a multiplication by
 * x to the power of 8 LEN. */
uint32_t
smtpd__crc32c_join(uint32_t first, uint32_t second, uint64_t len)
{
	uint32_t power = UINT32_C(1) << 23; /* x to the power of 8 */

	for (; len > 0; len >>= 1) {
		if (len & 1)
			first = multiply_powers(power, first);
		power = multiply_powers(power, power);
	}
	return first ^ second;
}
