/* SPDX-License-Identifier: MIT */
#include "grammar/idn.h"

int
smtpd__idn_to_ascii(const char *name, char *out, size_t size)
{
	(void)name;
	(void)out;
	(void)size;
	return -1;
}
