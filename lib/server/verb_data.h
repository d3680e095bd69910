/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_VERB_DATA_H
#define SMTPD_SERVER_VERB_DATA_H

/*
 * DATA: the message is received and given to the program.
 */

#include "server/verb_table.h"

smtpd_verb_fn smtpd__verb_data;

#endif
