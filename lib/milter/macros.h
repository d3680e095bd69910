/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_MACROS_H
#define SMTPD_MILTER_MACROS_H

/*
 * The macros that go before a command: those that the filter asked for, or
 * those that filters expect at that stage.
 */

#include "milter/negotiate.h"

/* The value of macro NAME, which has no braces; NULL: there is none. */
typedef const char *smtpd_macro_fn(void *user, const char *name);

/* Append the macros of STAGE, which COMMAND follows, to W, by VALUE with USER;
 * nothing where none has a value. */
void smtpd__macros_write(struct smtpd_packet_writer *w,
    const struct smtpd_negotiated *agreed, enum smtpd_milter_stage stage,
    enum smtpd_milter_command command, smtpd_macro_fn *value, void *user);

#endif
