/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_TXT_H
#define SMTPD_RESOLVE_TXT_H

/*
 * The record of its kind that a name has in the DNS: of all TXT records those
 * of another kind are passed over, and of several none counts (RFC 8461, 3.1;
 * RFC 8460, 3).
 */

#include <smtpd/cancel.h>
#include <smtpd/resolve.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "resolve/dns_message.h"

/* Room for a record; what is longer is none. */
#define SMTPD_TXT_SIZE 4096

enum smtpd_txt_status {
	SMTPD_TXT_FOUND,
	SMTPD_TXT_NONE,   /* there is none, or more than one */
	SMTPD_TXT_FAILED, /* there is no clear answer */
};

struct smtpd_txt {
	enum smtpd_txt_status status;
	uint32_t ttl_s;
	size_t len;
	char text[SMTPD_TXT_SIZE]; /* the strings of the record, joined */
};

/* The DNS servers that are asked. */
struct smtpd_txt_source;

/* NULL with errno, as of smtpd_resolver_create(). */
struct smtpd_txt_source *smtpd__txt_create(
    const struct smtpd_resolver_settings *settings);
void smtpd__txt_destroy(struct smtpd_txt_source *s);

/* Append the strings of the record that begins at number I of ANSWER to TEXT,
 * and return the number of the next record. */
size_t smtpd__txt_join(
    const struct smtpd_dns_answer *answer, size_t i, struct smtpd_text *text);

/* Look up the TXT record of NAME that IS_KIND says is one.  Blocks.  Any
 * thread. */
void smtpd__txt_find(struct smtpd_txt_source *s, const char *name,
    bool (*is_kind)(const char *text, size_t len),
    const struct smtpd_cancel *cancel, struct smtpd_txt *out);

#endif
