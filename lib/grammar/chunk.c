/* SPDX-License-Identifier: MIT */
#include "grammar/chunk.h"

#include <string.h>

#include "base/text.h"
#include "grammar/param.h"

int
smtpd__chunk_parse(const char *s, size_t len, struct smtpd_chunk *out)
{
	static const char last[] = "LAST";
	const char *space = memchr(s, ' ', len);
	size_t n = space != NULL ? (size_t)(space - s) : len;
	char size[SMTPD_PARAM_DIGITS_MAX + 1];

	if (n >= sizeof(size))
		return -1;
	memcpy(size, s, n);
	size[n] = '\0';
	if (smtpd__param_number(size, &out->size) == -1)
		return -1;
	out->last = n < len;
	if (!out->last)
		return 0;
	while (n < len && s[n] == ' ')
		n++;
	return len - n == strlen(last) &&
		smtpd__text_same_bytes(s + n, last, len - n)
	    ? 0
	    : -1;
}
