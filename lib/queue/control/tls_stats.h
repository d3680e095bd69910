/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_TLS_STATS_H
#define SMTPD_QUEUE_CONTROL_TLS_STATS_H

/* How TLS went today with the hosts of each domain, as it is reported to them:
 * a line, or JSON object, for each. */

#include <stdbool.h>

#include "queue/control/output.h"

/* Append what TEXT, the counts of a day as tls-report/ has them, says to
 * ANSWER.  TEXT is changed. */
void smtpd__tls_stats_add(
    struct smtpd_control_output *answer, char *text, bool json);

#endif
