/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_AUTH_RESULTS_H
#define SMTPD_SERVER_AUTH_RESULTS_H

/*
 * smtpd_server_claim_auth_results(): a filter that removes what others say in
 * the name of this host (RFC 8601, 5).
 */

#include <smtpd/filter.h>

#endif
