/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SEVEN_BIT_H
#define SMTPD_QUEUE_SEVEN_BIT_H

/*
 * A message that will be signed, made one that any host takes as it is (RFC
 * 6376, 5.3): what converted it later would break the signature.
 */

#include "queue/submit.h"

/*
 * Convert the content of M, whose header was edited to its end, if it is to be
 * signed and has bytes outside ASCII or long lines, and may be converted.  What
 * M knows of these is true of the new content.  Return 0, or -1 with errno.
 */
int smtpd__seven_bit_convert(struct smtpd_queue_message *m);

#endif
