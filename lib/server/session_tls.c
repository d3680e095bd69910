/* SPDX-License-Identifier: MIT */
#include "server/session_tls.h"

#include "base/sizes.h"
#include "base/text.h"
#include "os/clock.h"
#include "server/session_end.h"
#include "server/transaction.h"

struct smtpd_tls_conn *
smtpd__session_tls_prepare(struct smtpd_session *s)
{
	if (s->tls == NULL)
		return NULL;
	return smtpd__tls_conn_create(s->tls, !s->tls_first, &s->stream.wire);
}

/* There was no handshake, because of STATUS and REASON. */
static void
lose_handshake(
    struct smtpd_session *s, enum smtpd_io_status status, const char *reason)
{
	smtpd__session_count(s, SMTPD_COUNTER_REFUSED_TLS);
	smtpd__session_end_log(s, "no TLS", reason);
	smtpd__session_end_lose(s, status);
}

void
smtpd__session_tls_start(struct smtpd_session *s, struct smtpd_tls_conn *conn)
{
	const struct smtpd_tls_info *info;
	enum smtpd_io_status status;
	char name[SMTPD_HOSTNAME_SIZE + 64];
	uint64_t deadline = smtpd__clock_after(
	    smtpd__clock_ms(), s->config->settings.handshake_timeout_ms);
	char reason[SMTPD_ERROR_TEXT_SIZE] = "nothing could be sent";

	s->phase = SMTPD_PHASE_HANDSHAKE;
	status = smtpd__stream_start_tls(
	    &s->stream, conn, deadline, reason, sizeof(reason));
	if (status != SMTPD_IO_OK) {
		lose_handshake(s, status, reason);
		return;
	}
	s->phase = SMTPD_PHASE_COMMAND;
	smtpd__transaction_start_over(s);
	smtpd__session_forget_user(s);
	smtpd__session_count(s, SMTPD_COUNTER_TLS);
	info = smtpd_session_tls(s);
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_DEBUG,
	    "tls session=%llu version=%s cipher=%s name=%s",
	    (unsigned long long)s->id, info->version, info->cipher,
	    smtpd__text_value(info->server_name, name, sizeof(name)));
	smtpd__events_tls(s);
}

void
smtpd__session_tls_begin(struct smtpd_session *s)
{
	struct smtpd_tls_conn *conn = smtpd__session_tls_prepare(s);

	if (conn != NULL) {
		smtpd__session_tls_start(s, conn);
		return;
	}
	s->phase = SMTPD_PHASE_HANDSHAKE;
	lose_handshake(s, SMTPD_IO_ERROR, "none is available");
}
