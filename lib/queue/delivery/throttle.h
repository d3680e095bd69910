/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_THROTTLE_H
#define SMTPD_QUEUE_DELIVERY_THROTTLE_H

/*
 * Replies that say that messages come too fast.
 */

#include <smtpd/client.h>

#include "queue/schedule/learned_rate.h"

/*
 * How likely RESULT says so.  It is sure by the words of the reply, or by
 * 4.7.28, a flood of mail; a 4.7.x without either may be greylisting as well,
 * and is none where it says that.  Too many connections are something else.
 */
enum smtpd_throttle smtpd__throttle_read(const struct smtpd_result *result);

#endif
