/* SPDX-License-Identifier: MIT */
#ifndef TLS_REPORT_MAIL_H
#define TLS_REPORT_MAIL_H

/*
 * A report about TLS as a file and as a message (RFC 8460, 5.1; RFC 8460, 5.3):
 * compressed, where zlib is built in.
 */

#include <stddef.h>

#include <smtpd/policy.h>
#include <smtpd/queue.h>

struct tls_report_file {
	const char *type; /* its media type */
	unsigned char *data;
	size_t len;
};

/* Make the file of REPORT.  Return 0, or -1 without memory; to be finished in
 * any case. */
int tls_report_file_make(
    const struct smtpd_tls_report *report, struct tls_report_file *out);
void tls_report_file_finish(struct tls_report_file *f);

/* Queue the message with FILE to the mailbox TO, on behalf of the host NAME.
 * Return 0, or -1 with errno. */
int tls_report_mail_queue(struct smtpd_queue *queue, const char *name,
    const struct smtpd_tls_report *report, const struct tls_report_file *file,
    const char *to);

#endif
