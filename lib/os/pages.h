/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_PAGES_H
#define SMTPD_OS_PAGES_H

/*
 * Memory by the page: what an idle connection does not need goes back to the
 * system, while its addresses stay.  The calls of Linux live here.
 */

#include <stddef.h>

/* SIZE bytes of zeros, which cost nothing until touched; NULL: no memory. */
void *smtpd__pages_map(size_t size);

/* Give back what smtpd__pages_map() made; NULL is fine. */
void smtpd__pages_unmap(void *pages, size_t size);

/*
 * Let the system take the whole pages within SIZE bytes at PAGES, which read
 * as zeros afterwards.
 */
void smtpd__pages_release(void *pages, size_t size);

#endif
