/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_CONTAINER_H
#define SMTPD_BASE_CONTAINER_H

/*
 * From a node of a ring, heap or table to the struct that it is part of.
 */

#include <stddef.h>

/* The struct of TYPE whose MEMBER is at POINTER, which is not NULL. */
#define SMTPD_CONTAINER_OF(pointer, type, member) \
	((type *)(void *)((char *)(pointer) - offsetof(type, member)))

#endif
