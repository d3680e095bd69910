/* SPDX-License-Identifier: MIT */
#include "base/sized.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* No struct grows by more than this: a larger size was never set. */
#define GROWTH_MAX 4096

/* Read the size of GIVEN.  Return -1 with errno when it cannot be one: each
 * struct consists of whole words, so that no member is split. */
static int
read_size(const void *given, size_t known_size, size_t *size)
{
	if (given == NULL) {
		errno = EINVAL;
		return -1;
	}
	memcpy(size, given, sizeof(*size));
	if (*size >= sizeof(*size) && *size <= known_size + GROWTH_MAX &&
	    *size % sizeof(*size) == 0)
		return 0;
	errno = EINVAL;
	return -1;
}

/* Copy GIVEN of SIZE bytes into KNOWN, whose size is KNOWN_SIZE afterwards. */
static int
copy_known(void *known, size_t known_size, const void *given, size_t size)
{
	const unsigned char *bytes = given;

	for (size_t i = known_size; i < size; i++)
		if (bytes[i] != 0) {
			errno = EINVAL;
			return -1;
		}
	memset(known, 0, known_size);
	memcpy(known, given, size < known_size ? size : known_size);
	memcpy(known, &known_size, sizeof(known_size));
	return 0;
}

int
smtpd__sized_copy(void *known, size_t known_size, const void *given)
{
	size_t size;

	if (given == NULL) {
		memset(known, 0, known_size);
		memcpy(known, &known_size, sizeof(known_size));
		return 0;
	}
	if (read_size(given, known_size, &size) == -1)
		return -1;
	return copy_known(known, known_size, given, size);
}

int
smtpd__sized_copy_nth(
    void *known, size_t known_size, const void *array, size_t i)
{
	size_t stride;

	if (read_size(array, known_size, &stride) == -1)
		return -1;
	return copy_known(
	    known, known_size, (const char *)array + i * stride, stride);
}

int
smtpd__sized_fill(void *given, const void *known, size_t known_size)
{
	const size_t head = sizeof(size_t);
	size_t size;

	if (read_size(given, known_size, &size) == -1)
		return -1;
	memset((char *)given + head, 0, size - head);
	if (size > known_size)
		size = known_size;
	memcpy((char *)given + head, (const char *)known + head, size - head);
	return 0;
}
