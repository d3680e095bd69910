/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"

#include <string.h>

#include "test.h"

static struct smtpd_crc32c crc;

static int
setup(void **state)
{
	(void)state;
	smtpd__crc32c_init(&crc);
	return 0;
}

/* RFC 3720, B.4: its examples, and the check value of the catalogues. */
static void
test_known(void **state)
{
	uint8_t bytes[4][32];

	(void)state;
	memset(bytes[0], 0, 32);
	memset(bytes[1], 255, 32);
	for (int i = 0; i < 32; i++) {
		bytes[2][i] = (uint8_t)i;
		bytes[3][i] = (uint8_t)(31 - i);
	}
	assert_int_equal(smtpd__crc32c(&crc, 0, "123456789", 9), 0xE3069283);
	assert_int_equal(smtpd__crc32c_short(0, "123456789", 9), 0xE3069283);
	assert_int_equal(smtpd__crc32c(&crc, 0, bytes[0], 32), 0x8A9136AA);
	assert_int_equal(smtpd__crc32c(&crc, 0, bytes[1], 32), 0x62A8AB43);
	assert_int_equal(smtpd__crc32c(&crc, 0, bytes[2], 32), 0x46DD794E);
	assert_int_equal(smtpd__crc32c(&crc, 0, bytes[3], 32), 0x113FDB5C);
}

static uint32_t
bit_by_bit(const uint8_t *p, size_t len)
{
	uint32_t sum = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		sum ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			sum = sum & 1 ? sum >> 1 ^ 0x82F63B78 : sum >> 1;
	}
	return ~sum;
}

/* Any length from any address, in one piece or in two. */
static void
test_pieces(void **state)
{
	uint8_t bytes[80];

	(void)state;
	for (size_t i = 0; i < COUNT(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (size_t from = 0; from < 8; from++) {
		for (size_t len = 0; len <= 64; len++) {
			const uint8_t *p = bytes + from;
			uint32_t sum = bit_by_bit(p, len);
			uint32_t half = smtpd__crc32c(&crc, 0, p, len / 3);

			assert_int_equal(smtpd__crc32c(&crc, 0, p, len), sum);
			assert_int_equal(smtpd__crc32c_short(
					     half, p + len / 3, len - len / 3),
			    sum);
			half = smtpd__crc32c(
			    &crc, half, p + len / 3, len - len / 3);
			assert_int_equal(half, sum);
		}
	}
	assert_int_equal(smtpd__crc32c(&crc, 77, NULL, 0), 77);
}

/* The CRC of two pieces is that of both, whatever their lengths. */
static void
test_join(void **state)
{
	static const size_t lengths[] = { 0, 1, 2, 7, 64, 1000, 4095 };
	static uint8_t bytes[8192];

	(void)state;
	for (size_t i = 0; i < COUNT(bytes); i++)
		bytes[i] = (uint8_t)(i * 89 + i / 256);
	for (size_t a = 0; a < COUNT(lengths); a++) {
		for (size_t b = 0; b < COUNT(lengths); b++) {
			uint32_t first =
			    smtpd__crc32c(&crc, 0, bytes, lengths[a]);
			uint32_t second = smtpd__crc32c(
			    &crc, 0, bytes + lengths[a], lengths[b]);

			assert_int_equal(
			    smtpd__crc32c_join(first, second, lengths[b]),
			    smtpd__crc32c(
				&crc, 0, bytes, lengths[a] + lengths[b]));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_join),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
