/* SPDX-License-Identifier: MIT */
#include "base/id.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

/* Without I, L, O and U, which are misread; in the order of ASCII. */
static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void
smtpd__id_write(uint64_t n, char *buf)
{
	for (size_t i = SMTPD_ID_SIZE - 1; i-- > 0; n /= 32)
		buf[i] = digits[n % 32];
	buf[SMTPD_ID_SIZE - 1] = '\0';
}

int
smtpd__id_parse(const char *text, uint64_t *n)
{
	uint64_t value = 0;

	if (strlen(text) != SMTPD_ID_SIZE - 1)
		return -1;
	for (; *text != '\0'; text++) {
		const char *at =
		    strchr(digits, smtpd__text_to_upper((unsigned char)*text));

		/* 13 digits of 5 bits are one bit more than there are. */
		if (at == NULL || value > UINT64_MAX / 32)
			return -1;
		value = value * 32 + (uint64_t)(at - digits);
	}
	*n = value;
	return 0;
}
