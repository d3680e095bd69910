/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_STATS_H
#define SMTPD_QUEUE_CONTROL_STATS_H

/*
 * The verb "stats": what a running queue has done, and what it knows of each
 * site.
 */

#include "queue/control/request.h"

int smtpd__control_stats_show(struct smtpd_control_request *r);

#endif
