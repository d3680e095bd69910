/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_SELF_H
#define SMTPD_RESOLVE_SELF_H

/* Which addresses are this host's. */

#include <stdbool.h>
#include <stdint.h>

#include "resolve/ip.h"

/* The addresses of the interfaces, looked up again when they are a minute old.
 * Any number of threads may use one at a time. */
struct smtpd_self;

/* NULL without memory. */
struct smtpd_self *smtpd__self_create(void);
void smtpd__self_destroy(struct smtpd_self *s);

/* Whether IP is local, or an interface's.  NOW is that of smtpd__clock_ms(). */
bool smtpd__self_has(
    struct smtpd_self *s, const struct smtpd_ip *ip, uint64_t now);

#endif
