/* SPDX-License-Identifier: MIT */
#include "grammar/idn.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>

bool
smtpd__idn_is_available(void)
{
	return true;
}

int
smtpd__idn_to_ascii(const char *name, char *out, size_t size)
{
	char *ascii = NULL;
	int status = -1;
	size_t len;

	if (idn2_to_ascii_8z(
		name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return -1;
	len = strlen(ascii);
	if (len < size) {
		memcpy(out, ascii, len + 1);
		status = 0;
	}
	idn2_free(ascii);
	return status;
}

int
smtpd__idn_lower(const char *text, size_t len, char *out, size_t size)
{
	size_t room = size;
	uint8_t *lower = u8_tolower((const uint8_t *)text, len, NULL,
	    UNINORM_NFC, (uint8_t *)out, &room);
	int status = -1;

	/* It is in OUT if it found room there. */
	if (lower == (uint8_t *)out && room < size) {
		out[room] = '\0';
		status = 0;
	}
	if (lower != (uint8_t *)out)
		free(lower);
	return status;
}
