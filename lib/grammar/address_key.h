/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_ADDRESS_KEY_H
#define SMTPD_GRAMMAR_ADDRESS_KEY_H

/* The keys by which the parts of an address are compared: the functions of
 * smtpd/address.h. */

#include <smtpd/address.h>

#endif
