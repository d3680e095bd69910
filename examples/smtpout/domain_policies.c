/* SPDX-License-Identifier: MIT */
#include "domain_policies.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "complain.h"
#include "tls_report_mail.h"

/* Read TEXT, the value of OPTION, to *ON. */
static int
read_switch(const char *option, const char *text, bool *on)
{
	*on = strcmp(text, "on") == 0;
	if (*on || strcmp(text, "off") == 0)
		return 0;
	return complain(PROGRAM, EX_USAGE, "%s: \"%s\" is neither on nor off",
	    option, text);
}

int
domain_policies_complete(struct settings *s)
{
	int status = 0;

	s->uses_sts = https_is_available();
	if (s->mta_sts != NULL)
		status = read_switch("--mta-sts", s->mta_sts, &s->uses_sts);
	if (status != 0)
		return status;
	if (s->uses_sts && !https_is_available())
		return complain(PROGRAM, EX_USAGE,
		    "--mta-sts on: smtpout was built without libcurl "
		    "(-Dmta_sts), so it cannot fetch policies");
	/* Mail with a report must be signed (RFC 8460, 3). */
	s->sends_reports = s->dkim.count > 0;
	if (s->tls_report == NULL)
		return 0;
	return read_switch("--tls-report", s->tls_report, &s->sends_reports);
}

/* Send REPORT to the destination TO.  Return 0, or -1 with the reason in WHY of
 * SIZE bytes. */
static int
send_to(struct domain_policies *p, const struct smtpd_tls_report *report,
    const struct tls_report_file *file, const char *to, char *why, size_t size)
{
	static const char mailto[] = "mailto:";

	if (strncmp(to, mailto, sizeof(mailto) - 1) != 0)
		return https_post(&p->https, to, file->type, file->data,
		    file->len, report->cancel, why, size);
	if (!p->is_signing) {
		snprintf(why, size, "mail with it must be signed: --dkim");
		return -1;
	}
	if (tls_report_mail_queue(
		p->queue, p->name, report, file, to + sizeof(mailto) - 1) == 0)
		return 0;
	snprintf(why, size, "%s", strerror(errno));
	return -1;
}

/* A smtpd_tls_report_fn: one destination is enough. */
static int
send_report(const struct smtpd_tls_report *report, void *user)
{
	struct domain_policies *p = user;
	struct tls_report_file file;
	int status = tls_report_file_make(report, &file);
	char why[512] = "no memory";

	for (size_t i = 0; i < report->nrua && file.data != NULL; i++) {
		status =
		    send_to(p, report, &file, report->rua[i], why, sizeof(why));
		log_line(p->log,
		    status == 0 ? SMTPD_LOG_INFO : SMTPD_LOG_WARNING,
		    "report about TLS domain=%s to=%s: %s", report->domain,
		    report->rua[i], status == 0 ? "sent" : why);
		if (status == 0)
			break;
	}
	tls_report_file_finish(&file);
	return status;
}

int
domain_policies_begin(struct domain_policies *p, const struct settings *s,
    struct log *log, struct smtpd_policy_settings *out)
{
	*p = (struct domain_policies){
		.https.ca = s->mta_sts_ca,
		.log = log,
		.name = s->in.name,
		.is_signing = s->dkim.count > 0,
	};
	if (https_begin(&p->https) == -1)
		return complain(PROGRAM, EX_OSERR, "libcurl does not start");
	if (s->uses_sts) {
		out->fetch = https_fetch;
		out->fetch_user = &p->https;
	}
	if (s->sends_reports) {
		out->report = send_report;
		out->report_user = p;
	}
	return 0;
}

void
domain_policies_end(struct domain_policies *p)
{
	https_end(&p->https);
}
