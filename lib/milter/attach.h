/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_ATTACH_H
#define SMTPD_MILTER_ATTACH_H

/*
 * smtpd_server_add_milter(): a milter as a filter of a server, with handlers of
 * MAIL and RCPT.
 */

#include <smtpd/milter.h>

#endif
