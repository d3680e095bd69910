/* SPDX-License-Identifier: MIT */
#include "target.h"

#include "places.h"

const char *
target_name(const struct arguments *a, size_t i)
{
	static const char *const names[] = { SMTPOUT_SOCKET, "127.0.0.1" };

	if (a->host != NULL)
		return i == 0 ? a->host : NULL;
	return i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}
