/* SPDX-License-Identifier: MIT */
#include "crypto/secret.h"

#include <stdlib.h>
#include <string.h>

void
smtpd__secret_wipe(void *data, size_t len)
{
	memset(data, 0, len);
	/* The compiler must take the bytes for read, or it leaves out what
	 * nothing needs. */
	__asm__ __volatile__("" : : "r"(data) : "memory");
}

void
smtpd__secret_free(char *text)
{
	if (text != NULL)
		smtpd__secret_wipe(text, strlen(text));
	free(text);
}

bool
smtpd__secret_same(const void *a, const void *b, size_t len)
{
	const unsigned char *one = a;
	const unsigned char *other = b;
	unsigned char differs = 0;

	for (size_t i = 0; i < len; i++)
		differs |= one[i] ^ other[i];
	return differs == 0;
}
