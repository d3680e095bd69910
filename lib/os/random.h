/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_RANDOM_H
#define SMTPD_OS_RANDOM_H

/* Random numbers from the system, good enough for ids and secrets. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fill LEN bytes at BUF, at most 256, with what nobody can foretell.  Return
 * false when the system has nothing to give. */
bool smtpd__random_bytes(void *buf, size_t len);

/* A number below N, which is at least 1, each as likely as the others; 0 when
 * the system has nothing to give. */
uint32_t smtpd__random_below(uint32_t n);

#endif
