/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_HEADER_FIELD_H
#define SMTPD_GRAMMAR_HEADER_FIELD_H

/*
 * smtpd_header_next(): the fields of a header that is in memory, one after the
 * other.
 */

#include <smtpd/body.h>

#endif
