/* SPDX-License-Identifier: MIT */
#include "ascii.h"

bool
ascii_is(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text > 0x7f)
			return false;
	return true;
}
