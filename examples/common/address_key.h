/* SPDX-License-Identifier: MIT */
#ifndef ADDRESS_KEY_H
#define ADDRESS_KEY_H

/*
 * The key by which an address is looked up in a file of addresses.
 */

#include <stddef.h>

/* The key of an address, local@domain, with its NUL. */
#define ADDRESS_KEY_SIZE 1024

/* Write the key of LOCAL at DOMAIN to KEY of ADDRESS_KEY_SIZE; return where the
 * domain begins in it, or 0 when it does not fit. */
size_t address_key(const char *local, const char *domain, char *key);

#endif
