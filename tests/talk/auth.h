/* SPDX-License-Identifier: MIT */
#ifndef TALK_AUTH_H
#define TALK_AUTH_H

/* The users of the server under test, and a mechanism of a handler. */

#include "host.h"

smtpd_auth_fn auth_on_request;
smtpd_handler_fn auth_on_command;

#endif
