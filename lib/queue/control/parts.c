/* SPDX-License-Identifier: MIT */
#include "queue/control/parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "queue/control/protocol.h"

int
smtpd__control_parts_ask_all(const struct smtpd_control_peer *peer,
    const struct smtpd_control_call *call)
{
	const char *words[SMTPD_CONTROL_WORDS];
	char place[SMTPD_CONTROL_LINE_MAX], end[SMTPD_CONTROL_LINE_MAX];
	struct smtpd_control_call part = *call;
	int code;

	if (call->count >= SMTPD_CONTROL_WORDS) {
		snprintf(call->end, call->size, "too many words");
		return EINVAL;
	}
	memcpy(words, call->words, call->count * sizeof(*words));
	words[call->count] = place;
	part.words = words;
	part.end = end;
	part.size = sizeof(end);
	code = peer->ask(peer->whom, &part);
	part.count = call->count + 1;
	while (code == 0 && end[0] != '\0') {
		memcpy(place, end, sizeof(place));
		code = peer->ask(peer->whom, &part);
	}
	snprintf(call->end, call->size, "%s", end);
	return code;
}
