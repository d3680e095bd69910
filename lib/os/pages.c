/* SPDX-License-Identifier: MIT */
#include "os/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

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
