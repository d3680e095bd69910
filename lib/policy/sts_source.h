/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_STS_SOURCE_H
#define SMTPD_POLICY_STS_SOURCE_H

/*
 * Where policies of MTA-STS come from: the DNS, by servers of the program, and
 * web servers, which the program talks to.
 */

#include <smtpd/policy.h>
#include <smtpd/resolve.h>

#include "policy/sts.h"

struct smtpd_sts_source;

/* Make one that asks by SETTINGS, and fetches by FETCH with USER.  NULL with
 * errno, as of smtpd_resolver_create(). */
struct smtpd_sts_source *smtpd__sts_source_create(
    const struct smtpd_resolver_settings *settings, smtpd_sts_fetch_fn *fetch,
    void *user);
void smtpd__sts_source_destroy(struct smtpd_sts_source *s);

/* As the first of these, for the record that asks for reports. */
void smtpd__sts_source_tlsrpt(void *source, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_txt *out);

/* A smtpd_sts_txt_fn and a smtpd_sts_fetch_fn, of a struct smtpd_sts_source. */
void smtpd__sts_source_txt(void *source, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_txt *out);
enum smtpd_sts_fetched smtpd__sts_source_fetch(
    struct smtpd_sts_fetch *fetch, void *source);

#endif
