/* SPDX-License-Identifier: MIT */
#include "grammar/idn.h"

bool
smtpd__idn_is_available(void)
{
	return false;
}

int
smtpd__idn_to_ascii(const char *name, char *out, size_t size)
{
	(void)name;
	(void)out;
	(void)size;
	return -1;
}

int
smtpd__idn_lower(const char *text, size_t len, char *out, size_t size)
{
	(void)text;
	(void)len;
	(void)out;
	(void)size;
	return -1;
}
