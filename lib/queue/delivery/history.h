/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_HISTORY_H
#define SMTPD_QUEUE_DELIVERY_HISTORY_H

/* What people are told of an attempt: the lines of its history, from the
 * look-up to the last reply, and the log line of each result. */

#include <smtpd/resolve.h>
#include <smtpd/version.h>

#include <stdbool.h>

#include "base/logger.h"
#include "base/text.h"
#include "queue/model/loaded_message.h"
#include "queue/spool/spool.h"

/* Append one line to HISTORY, filtered to printable ASCII.  A line that has no
 * room is left out as a whole. */
void smtpd__history_add(struct smtpd_text *history, const char *format, ...)
    SMTPD_PRINTF(2, 3);

/* Append the line of R, the result of the host NAME, or, unless HOST is NULL,
 * that of the recipient NAME there. */
void smtpd__history_add_result(struct smtpd_text *history, const char *name,
    const struct smtpd_result *r, const char *host);

/* Append what the DNS said of NAME; SMART: it is a host, not a domain. */
void smtpd__history_add_targets(struct smtpd_text *history,
    const struct smtpd_targets *targets, bool smart, const char *name);

/* The relay of what came to no host. */
#define SMTPD_HISTORY_NO_RELAY "relay=none tls=none"

/*
 * Log the result of R, a recipient of LOADED: "key=value" fields in which
 * neither addresses nor the words of others can forge one.  RELAY is where it
 * went, as fields.
 */
void smtpd__history_log_result(const struct smtpd_logger *logger,
    const struct smtpd_loaded_message *loaded,
    const struct smtpd_rcpt_progress *r, const char *relay);

/* Log likewise that HOST got LOADED, for a REASON, as WORDS say. */
void smtpd__history_log_conversion(const struct smtpd_logger *logger,
    const struct smtpd_loaded_message *loaded, const char *host,
    const char *reason, const char *words);

/* Log likewise that LOADED, a report about the message ABOUT ("": it is not
 * known), is one of COUNT in dead/, for R. */
void smtpd__history_log_dead(const struct smtpd_logger *logger,
    const struct smtpd_loaded_message *loaded,
    const struct smtpd_rcpt_progress *r, const char *about, uint64_t count);

/* Log that REPORT, about the message ABOUT, was queued for TO. */
void smtpd__history_log_report(const struct smtpd_logger *logger,
    const struct smtpd_queued_message *report, const char *to, uint64_t about);

/* Log that R, a recipient of LOADED, was given up after ATTEMPTS. */
void smtpd__history_log_expired(const struct smtpd_logger *logger,
    const struct smtpd_loaded_message *loaded,
    const struct smtpd_rcpt_progress *r, const char *domain, unsigned attempts);

#endif
