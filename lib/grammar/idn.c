/* SPDX-License-Identifier: MIT */
#include "grammar/idn.h"

#include <idn2.h>
#include <string.h>

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
