/* SPDX-License-Identifier: MIT */
#include "server/session_proxy.h"

#include <string.h>

#include "net/proxy_header.h"
#include "os/clock.h"
#include "server/session_end.h"
#include "server/session_peer.h"

/* Read the header, and nothing behind it: that may be TLS.  When there is none,
 * *FAULT says why. */
static enum smtpd_io_status
read_header(struct smtpd_session *s, struct smtpd_proxy_header *header,
    const char **fault)
{
	const uint64_t deadline = smtpd__clock_after(
	    smtpd__clock_ms(), s->config->settings.proxy_timeout_ms);

	for (;;) {
		size_t len;
		const char *data = smtpd__stream_peek(&s->stream, &len);
		int missing =
		    smtpd__proxy_header_read(data, len, header, fault);
		enum smtpd_io_status status;

		if (missing <= 0) {
			smtpd__stream_take(&s->stream, len);
			return SMTPD_IO_OK;
		}
		status = smtpd__stream_fill_exactly(
		    &s->stream, (size_t)missing, deadline);
		if (status == SMTPD_IO_TIMEOUT)
			*fault = "it did not come in time";
		else if (status == SMTPD_IO_CLOSED && len > 0)
			*fault = "it was cut off";
		if (status != SMTPD_IO_OK)
			return status;
	}
}

/* The session is that of PEER, whom a proxy relays. */
static void
relay_client(struct smtpd_session *s, const struct smtpd_sockaddr *peer)
{
	memcpy(s->proxy_text, s->peer_text, sizeof(s->proxy_text));
	if (smtpd__session_peer_change(s, peer))
		smtpd__logger_write(&s->config->logger, SMTPD_LOG_DEBUG,
		    "relayed session=%llu peer=%s proxy=%s",
		    (unsigned long long)s->id, s->peer_text, s->proxy_text);
}

void
smtpd__session_proxy_begin(struct smtpd_session *s)
{
	struct smtpd_proxy_header header;
	const char *fault = NULL;
	enum smtpd_io_status status;

	s->phase = SMTPD_PHASE_PROXY;
	status = read_header(s, &header, &fault);
	if (fault != NULL)
		smtpd__session_end_log(s, "no PROXY header", fault);
	if (fault != NULL && status == SMTPD_IO_OK) {
		smtpd__session_count(s, SMTPD_COUNTER_REFUSED_PROTOCOL);
		smtpd__session_close(s, SMTPD_CLOSE_REFUSED);
		return;
	}
	if (status != SMTPD_IO_OK) {
		smtpd__session_end_lose(s, status);
		return;
	}
	s->phase = SMTPD_PHASE_COMMAND;
	if (header.relayed)
		relay_client(s, &header.peer);
}
