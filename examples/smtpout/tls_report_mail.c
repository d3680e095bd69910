/* SPDX-License-Identifier: MIT */
#include "tls_report_mail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef WITH_ZLIB
#include <zlib.h>
#endif

/* Octets of a file in a line of base64, and characters of that. */
#define LINE_OCTETS 57
#define LINE_SIZE   (LINE_OCTETS / 3 * 4 + 3)

#define BOUNDARY "tls-report"

#ifdef WITH_ZLIB
/* With the head and the end of gzip. */
#define GZIP_BITS (15 + 16)

int
tls_report_file_make(
    const struct smtpd_tls_report *report, struct tls_report_file *out)
{
	z_stream z = { .next_in = Z_NULL };
	int status;

	*out = (struct tls_report_file){ .type = "application/tlsrpt+gzip" };
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_BITS, 8,
		Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	out->len = deflateBound(&z, (uLong)report->json_len);
	out->data = malloc(out->len);
	z.next_in = (unsigned char *)(uintptr_t)report->json;
	z.avail_in = (uInt)report->json_len;
	z.next_out = out->data;
	z.avail_out = (uInt)out->len;
	status = out->data != NULL ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
	out->len = z.total_out;
	deflateEnd(&z);
	return status == Z_STREAM_END ? 0 : -1;
}
#else
int
tls_report_file_make(
    const struct smtpd_tls_report *report, struct tls_report_file *out)
{
	*out = (struct tls_report_file){
		.type = "application/tlsrpt+json",
		.data = malloc(report->json_len),
		.len = report->json_len,
	};
	if (out->data == NULL)
		return -1;
	memcpy(out->data, report->json, report->json_len);
	return 0;
}
#endif

void
tls_report_file_finish(struct tls_report_file *f)
{
	free(f->data);
	f->data = NULL;
}

static int write_text(struct smtpd_queue_message *m, const char *format, ...)
    SMTPD_PRINTF(2, 3);

static int
write_text(struct smtpd_queue_message *m, const char *format, ...)
{
	char text[2048];
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if ((size_t)len < sizeof(text))
		return smtpd_queue_write(m, text, (size_t)len);
	errno = EINVAL;
	return -1;
}

/* RFC 2045, 6.8 */
static int
write_base64(struct smtpd_queue_message *m, const unsigned char *at, size_t len)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789+/";

	while (len > 0) {
		const size_t take = len < LINE_OCTETS ? len : LINE_OCTETS;
		char line[LINE_SIZE];
		size_t n = 0;

		for (size_t i = 0; i < take; i += 3) {
			const size_t left = take - i;
			const unsigned bits = (unsigned)at[i] << 16 |
			    (left > 1 ? (unsigned)at[i + 1] << 8 : 0) |
			    (left > 2 ? at[i + 2] : 0u);

			line[n++] = letters[bits >> 18];
			line[n++] = letters[bits >> 12 & 63];
			line[n++] = left > 1 ? letters[bits >> 6 & 63] : '=';
			line[n++] = left > 2 ? letters[bits & 63] : '=';
		}
		memcpy(line + n, "\r\n", 2);
		if (smtpd_queue_write(m, line, n + 2) == -1)
			return -1;
		at += take;
		len -= take;
	}
	return 0;
}

static int
write_header(struct smtpd_queue_message *m, const char *name,
    const struct smtpd_tls_report *report, const char *to)
{
	return write_text(m,
	    "From: <%s>\r\n"
	    "To: <%s>\r\n"
	    "Subject: Report Domain: %s\r\n"
	    " Submitter: %s\r\n"
	    " Report-ID: <%s>\r\n"
	    "TLS-Report-Domain: %s\r\n"
	    "TLS-Report-Submitter: %s\r\n"
	    "TLS-Required: No\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n"
	    "\tboundary=\"" BOUNDARY "\"\r\n"
	    "\r\n",
	    report->contact, to, report->domain, name, report->id,
	    report->domain, name);
}

static int
write_parts(struct smtpd_queue_message *m, const char *name,
    const struct smtpd_tls_report *report, const struct tls_report_file *file)
{
	if (write_text(m,
		"--" BOUNDARY "\r\n"
		"Content-Type: text/plain; charset=us-ascii\r\n"
		"\r\n"
		"This is a report about TLS between %s and the mail\r\n"
		"hosts of %s, in the format of RFC 8460.\r\n"
		"\r\n"
		"--" BOUNDARY "\r\n"
		"Content-Type: %s\r\n"
		"Content-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment;\r\n"
		"\tfilename=\"%s!%s!%lld!%lld.json%s\"\r\n"
		"\r\n",
		name, report->domain, file->type, name, report->domain,
		(long long)report->begin_s, (long long)report->end_s,
		strstr(file->type, "gzip") != NULL ? ".gz" : "") == -1)
		return -1;
	if (write_base64(m, file->data, file->len) == -1)
		return -1;
	return write_text(m, "\r\n--" BOUNDARY "--\r\n");
}

int
tls_report_mail_queue(struct smtpd_queue *queue, const char *name,
    const struct smtpd_tls_report *report, const struct tls_report_file *file,
    const char *to)
{
	const struct smtpd_outgoing_rcpt rcpt = { SMTPD_OUTGOING_RCPT_INIT,
		.address = to };
	const struct smtpd_outgoing_envelope envelope = {
		SMTPD_OUTGOING_ENVELOPE_INIT,
		/* What cannot be delivered is reported to nobody. */
		.sender = "",
		.rcpts = &rcpt,
		.nrcpts = 1,
	};
	const struct smtpd_queue_options options = {
		SMTPD_QUEUE_OPTIONS_INIT,
		.fix = SMTPD_FIX_DATE | SMTPD_FIX_MESSAGE_ID,
	};
	struct smtpd_queue_message *m =
	    smtpd_queue_begin(queue, &envelope, &options);

	if (m == NULL)
		return -1;
	if (write_header(m, name, report, to) == 0 &&
	    write_parts(m, name, report, file) == 0)
		return smtpd_queue_commit(m, NULL);
	smtpd_queue_abort(m);
	return -1;
}
