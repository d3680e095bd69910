/* SPDX-License-Identifier: MIT */
#include "os/random.h"

#include <errno.h>
#include <sys/random.h>

bool
smtpd__random_bytes(void *buf, size_t len)
{
	ssize_t n;

	do
		n = getrandom(buf, len, 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

/* The last, incomplete run of N numbers is not used. */
uint32_t
smtpd__random_below(uint32_t n)
{
	uint32_t limit = UINT32_MAX - UINT32_MAX % n;
	uint32_t got;

	do {
		if (!smtpd__random_bytes(&got, sizeof(got)))
			return 0;
	} while (got >= limit);
	return got % n;
}
