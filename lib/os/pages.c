/* SPDX-License-Identifier: MIT */
#include "os/pages.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Below a frame: what the call to the system itself may write. */
#define STACK_SLACK 256

void *
smtpd__pages_map(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

void
smtpd__pages_unmap(void *pages, size_t size)
{
	if (pages != NULL)
		munmap(pages, size);
}

void
smtpd__pages_release(void *pages, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t begin = ((uintptr_t)pages + page - 1) / page * page;
	uintptr_t end = ((uintptr_t)pages + size) / page * page;

	if (end > begin)
		madvise((void *)begin, end - begin, MADV_DONTNEED);
}

char *
smtpd__pages_stack_bottom(void)
{
	pthread_attr_t attr;
	void *bottom = NULL;
	size_t size;

	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return NULL;
	if (pthread_attr_getstack(&attr, &bottom, &size) != 0)
		bottom = NULL;
	pthread_attr_destroy(&attr);
	return bottom;
}

void
smtpd__pages_stack_release(char *bottom)
{
	char *frame = __builtin_frame_address(0);

	if (bottom != NULL && frame - STACK_SLACK > bottom)
		smtpd__pages_release(
		    bottom, (size_t)(frame - STACK_SLACK - bottom));
}
