/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_H
#define SMTPD_H

/* The whole public interface of libsmtpd. */

#include <smtpd/address.h>
#include <smtpd/auth.h>
#include <smtpd/body.h>
#include <smtpd/cancel.h>
#include <smtpd/client.h>
#include <smtpd/dkim.h>
#include <smtpd/filter.h>
#include <smtpd/lookup.h>
#include <smtpd/maildir.h>
#include <smtpd/milter.h>
#include <smtpd/outgoing.h>
#include <smtpd/policy.h>
#include <smtpd/queue.h>
#include <smtpd/replies.h>
#include <smtpd/resolve.h>
#include <smtpd/route.h>
#include <smtpd/server.h>
#include <smtpd/session.h>
#include <smtpd/settings.h>
#include <smtpd/tls.h>
#include <smtpd/verify.h>
#include <smtpd/version.h>

#endif
