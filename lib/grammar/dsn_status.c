/* SPDX-License-Identifier: MIT */
#include "grammar/dsn_status.h"

#include <string.h>

#include "base/text.h"
#include "grammar/address_key.h"
#include "grammar/reply.h"
#include "grammar/unitext.h"
#include "grammar/xtext.h"

/* What each action is called, and its status if there is no better one. */
static const struct {
	const char *action;
	const char *status;
} names[] = {
	[SMTPD_DSN_FAILED] = { "failed", "5.0.0" },
	[SMTPD_DSN_DELAYED] = { "delayed", "4.0.0" },
	[SMTPD_DSN_RELAYED] = { "relayed", "2.0.0" },
	[SMTPD_DSN_DELIVERED] = { "delivered", "2.0.0" },
};

/* per-message-fields (RFC 3464, 2.2) */
static void
report_message(struct smtpd_fold *f, const struct smtpd_dsn_report *r)
{
	char envid[SMTPD_ENVID_MAX + 1];

	if (smtpd__dsn_param_envid_is_valid(r->envid)) {
		smtpd__xtext_decode(
		    r->envid, strlen(r->envid), envid, sizeof(envid));
		smtpd__fold_line(f, "Original-Envelope-Id: ", envid, "");
	}
	smtpd__fold_line(f, "Reporting-MTA: dns; ", r->hostname, "");
	if (r->others > 0)
		return;
	smtpd__fold_line(f, "X-Queue-ID: ", r->about.id, "");
	smtpd__fold_date(f, "Arrival-Date:", r->arrival);
}

/* Write field NAME with ADDRESS, of the type "utf-8", in that form of it that
 * may stand in the report (RFC 6533, 3).  One that fits no line there is left
 * out, as part of it is another address. */
static void
report_utf8(struct smtpd_fold *f, const char *name, const char *address)
{
	char coded[SMTPD_FOLD_MAX - 64];
	struct smtpd_text t;

	smtpd__text_init(&t, coded, sizeof(coded));
	if (f->utf8)
		smtpd__text_add(&t, address);
	else
		smtpd__unitext_encode(&t, address);
	if (t.cut)
		return;
	smtpd__fold_add(f, name);
	smtpd__fold_line(f, "utf-8; ", coded, "");
}

static void
report_original(struct smtpd_fold *f, const char *orcpt)
{
	char address[SMTPD_ORCPT_MAX + 1];
	char type[SMTPD_ORCPT_MAX + 1];
	struct smtpd_text t;
	const char *coded;

	if (!smtpd__dsn_param_orcpt_is_valid(orcpt))
		return;
	coded = strchr(orcpt, ';') + 1;
	if (smtpd__dsn_param_orcpt_is_utf8(orcpt)) {
		/* Some send the xtext of other types. */
		if (smtpd__unitext_decode(
			coded, strlen(coded), address, sizeof(address)) == -1)
			smtpd__xtext_decode(
			    coded, strlen(coded), address, sizeof(address));
		report_utf8(f, "Original-Recipient: ", address);
		return;
	}
	smtpd__text_init(&t, type, sizeof(type));
	smtpd__text_bytes(&t, orcpt, (size_t)(coded - 1 - orcpt));
	smtpd__xtext_decode(coded, strlen(coded), address, sizeof(address));
	smtpd__fold_add(f, "Original-Recipient: ");
	smtpd__fold_add(f, type);
	smtpd__fold_line(f, "; ", address, "");
}

static void
report_final(struct smtpd_fold *f, const char *address)
{
	char ascii[SMTPD_ADDRESS_MAX];
	const char *text = smtpd__address_key_ascii(address, ascii);

	if (smtpd__text_is_ascii(text, strlen(text)))
		smtpd__fold_line(f, "Final-Recipient: rfc822; ", text, "");
	else
		report_utf8(f, "Final-Recipient: ", text);
}

static const char *
status_of(const struct smtpd_dsn_rcpt *rcpt)
{
	const char *s = rcpt->status;

	if (s != NULL && smtpd__text_is_digit(s[0]) &&
	    smtpd__reply_is_valid((s[0] - '0') * 100, s))
		return s;
	return names[rcpt->action].status;
}

/* per-recipient-fields (RFC 3464, 2.3) */
static void
report_rcpt(struct smtpd_fold *f, const struct smtpd_dsn_report *r,
    const struct smtpd_dsn_rcpt *rcpt)
{
	smtpd__fold_end(f);
	report_original(f, rcpt->original);
	report_final(f, rcpt->address);
	smtpd__fold_field(f, "Action:", names[rcpt->action].action);
	smtpd__fold_field(f, "Status:", status_of(rcpt));
	if (rcpt->remote != NULL)
		smtpd__fold_line(f, "Remote-MTA: dns; ", rcpt->remote, "");
	if (rcpt->diagnostic != NULL)
		smtpd__fold_field(f,
		    rcpt->remote_said ? "Diagnostic-Code: smtp;"
				      : "Diagnostic-Code: X-Local;",
		    rcpt->diagnostic);
	if (rcpt->last_attempt != 0)
		smtpd__fold_date(f, "Last-Attempt-Date:", rcpt->last_attempt);
	if (rcpt->action == SMTPD_DSN_DELAYED && r->retry_until != 0)
		smtpd__fold_date(f, "Will-Retry-Until:", r->retry_until);
	if (rcpt->about != NULL)
		smtpd__fold_line(f, "X-Queue-ID: ", rcpt->about->id, "");
}

void
smtpd__dsn_status_write(struct smtpd_fold *f, const struct smtpd_dsn_report *r)
{
	report_message(f, r);
	for (size_t i = 0; i < r->nrcpts; i++)
		report_rcpt(f, r, &r->rcpts[i]);
}
