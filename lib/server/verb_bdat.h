/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_VERB_BDAT_H
#define SMTPD_SERVER_VERB_BDAT_H

/*
 * BDAT, which carries a message in chunks of a known size, with the message
 * that it brings (RFC 3030, 2).
 */

#include "server/verb_table.h"

smtpd_verb_fn smtpd__verb_bdat;

#endif
