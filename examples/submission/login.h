/* SPDX-License-Identifier: MIT */
#ifndef LOGIN_H
#define LOGIN_H

/*
 * Who the client is: its password, or what SCRAM shows of it, against the
 * accounts.
 */

#include <smtpd/auth.h>

/* For the settings of the library; USER is the struct accounts. */
smtpd_auth_fn login_judge;

#endif
