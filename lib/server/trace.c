/* SPDX-License-Identifier: MIT */
#include "server/trace.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "grammar/address_key.h"
#include "grammar/received.h"
#include "os/clock.h"
#include "server/body.h"

/* "with" of the trace field (RFC 3848; RFC 6531, 4.3). */
static const char *
protocol_name(const struct smtpd_session *s)
{
	static const char *const smtp[] = { "ESMTP", "ESMTPA", "ESMTPS",
		"ESMTPSA", "UTF8SMTP", "UTF8SMTPA", "UTF8SMTPS", "UTF8SMTPSA" };
	static const char *const lmtp[] = { "LMTP", "LMTPA", "LMTPS", "LMTPSA",
		"UTF8LMTP", "UTF8LMTPA", "UTF8LMTPS", "UTF8LMTPSA" };
	size_t which = (s->envelope.smtputf8 ? 4 : 0) +
	    (s->stream.tls != NULL ? 2 : 0) + (s->user != NULL ? 1 : 0);

	if (s->lmtp)
		return lmtp[which];
	return which > 0 || s->esmtp ? smtp[which] : "SMTP";
}

/* Append an empty line to the LEN bytes in BUF of SIZE bytes. */
static int
add_empty_line(char *buf, size_t size, size_t len)
{
	if (size - len < sizeof("\r\n"))
		return -1;
	memcpy(buf + len, "\r\n", sizeof("\r\n"));
	return (int)(len + strlen("\r\n"));
}

int
smtpd_session_received(struct smtpd_session *s, char *buf, size_t size)
{
	const struct smtpd_envelope *e = &s->envelope;
	const struct smtpd_tls_info *tls = smtpd_session_tls(s);
	char uid[24] = "", rcpt[SMTPD_ADDRESS_MAX];
	struct smtpd_text t;
	const struct smtpd_received trace = {
		.helo = s->helo,
		.peer = smtpd__socket_is_local(&s->peer) ? NULL : s->peer_text,
		.uid = s->uid_known ? uid : NULL,
		.by = s->config->hostname,
		.with = protocol_name(s),
		.tls = tls != NULL ? tls->version : NULL,
		.cipher = tls != NULL ? tls->cipher : NULL,
		.id = e->id,
		.rcpt = e->nrcpts == 1
		    ? smtpd__address_key_ascii(
			  s->rcpts.list[0].address.text, rcpt)
		    : NULL,
		.utf8 = e->smtputf8,
		.priority = e->prioritized ? &e->priority : NULL,
		.when = (time_t)(smtpd__clock_wall_ms() / 1000),
	};
	int len;

	if (buf == NULL || !s->open) {
		errno = EINVAL;
		return -1;
	}
	smtpd__text_init(&t, uid, sizeof(uid));
	smtpd__text_number(&t, s->uid);
	len = smtpd__received_write(&trace, buf, size);
	if (len >= 0 && s->body != NULL && smtpd__body_is_headless(s->body))
		len = add_empty_line(buf, size, (size_t)len);
	if (len == -1)
		errno = ERANGE;
	return len;
}

int
smtpd_session_trace(struct smtpd_session *s, const struct smtpd_rcpt *rcpt,
    char *buf, size_t size)
{
	struct smtpd_text t;
	int len;

	if (buf == NULL || !s->open) {
		errno = EINVAL;
		return -1;
	}
	smtpd__text_init(&t, buf, size);
	smtpd__text_format(
	    &t, "Return-Path: <%s>\r\n", s->envelope.sender.text);
	if (rcpt != NULL)
		smtpd__text_format(
		    &t, "Delivered-To: %s\r\n", rcpt->address.text);
	if (t.cut) {
		errno = ERANGE;
		return -1;
	}
	len = smtpd_session_received(s, buf + t.len, size - t.len);
	return len == -1 ? -1 : (int)t.len + len;
}
