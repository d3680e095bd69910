/* SPDX-License-Identifier: MIT */
#include "failing.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_smtpd__pages_map(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_smtpd__pages_map(size_t size);

/* How many allocations of this thread go well before one fails; below 0: all
 * do. */
static _Thread_local int left = -1;
static _Thread_local bool failed;

static bool
fails(void)
{
	if (left < 0 || left-- > 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void
failing_after(int n)
{
	left = n;
	failed = false;
}

bool
failing_ended(void)
{
	left = -1;
	return failed;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

void *
__wrap_smtpd__pages_map(size_t size)
{
	return fails() ? NULL : __real_smtpd__pages_map(size);
}
