/* SPDX-License-Identifier: MIT */
#ifndef UNIT_LOOPBACK_H
#define UNIT_LOOPBACK_H

/* Sockets at several addresses and one port, which nobody else has at any of
 * them. */

#include <stddef.h>
#include <stdint.h>

/* Bind a TCP socket at 127.0.0.1, 127.0.0.2 and so on, and return their port.
 * Each refuses connections until it listens. */
uint16_t loopback_bind(int *fds, size_t count);

#endif
