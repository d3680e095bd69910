/* SPDX-License-Identifier: MIT */
#include "server/counters.h"

#include <stddef.h>

#define PLACE(member) offsetof(struct smtpd_server_counters, member)

static const size_t places[SMTPD_COUNTER_NONE] = {
	[SMTPD_COUNTER_CONNECTIONS] = PLACE(connections),
	[SMTPD_COUNTER_CONNECTIONS_NOW] = PLACE(connections_now),
	[SMTPD_COUNTER_MESSAGES] = PLACE(messages),
	[SMTPD_COUNTER_MESSAGES_REFUSED] = PLACE(messages_refused),
	[SMTPD_COUNTER_RECIPIENTS] = PLACE(recipients),
	[SMTPD_COUNTER_BYTES_IN] = PLACE(bytes_in),
	[SMTPD_COUNTER_BYTES_OUT] = PLACE(bytes_out),
	[SMTPD_COUNTER_COMMANDS] = PLACE(commands),
	[SMTPD_COUNTER_TLS] = PLACE(tls),
	[SMTPD_COUNTER_REFUSED_CONNECTIONS] = PLACE(refused_connections),
	[SMTPD_COUNTER_REFUSED_SENDERS] = PLACE(refused_senders),
	[SMTPD_COUNTER_REFUSED_RECIPIENTS] = PLACE(refused_recipients),
	[SMTPD_COUNTER_REFUSED_SIZE] = PLACE(refused_size),
	[SMTPD_COUNTER_REFUSED_CONTENT] = PLACE(refused_content),
	[SMTPD_COUNTER_REFUSED_SYNTAX] = PLACE(refused_syntax),
	[SMTPD_COUNTER_REFUSED_PROTOCOL] = PLACE(refused_protocol),
	[SMTPD_COUNTER_REFUSED_ABUSE] = PLACE(refused_abuse),
	[SMTPD_COUNTER_REFUSED_TLS] = PLACE(refused_tls),
	[SMTPD_COUNTER_TIMEOUTS] = PLACE(timeouts),
	[SMTPD_COUNTER_DISCONNECTS] = PLACE(disconnects),
	[SMTPD_COUNTER_ERRORS] = PLACE(errors),
	[SMTPD_COUNTER_LONG_LINES] = PLACE(long_lines),
	[SMTPD_COUNTER_AUTHENTICATED] = PLACE(authenticated),
	[SMTPD_COUNTER_REFUSED_AUTH] = PLACE(refused_auth),
	[SMTPD_COUNTER_SLOW_DELIVERIES] = PLACE(slow_deliveries),
};

void
smtpd__counters_add(
    struct smtpd_counters *c, enum smtpd_counter which, int64_t n)
{
	if (which == SMTPD_COUNTER_NONE)
		return;
	atomic_fetch_add_explicit(
	    &c->values[which], (uint64_t)n, memory_order_relaxed);
}

void
smtpd__counters_read(
    const struct smtpd_counters *c, struct smtpd_server_counters *out)
{
	for (size_t i = 0; i < SMTPD_COUNTER_NONE; i++)
		*(uint64_t *)(void *)((char *)out + places[i]) =
		    atomic_load_explicit(&c->values[i], memory_order_relaxed);
}
