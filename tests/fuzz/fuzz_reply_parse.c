/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "base/text.h"
#include "grammar/reply_parse.h"

static void
must_be_sound(const struct smtpd_peer_reply *r)
{
	size_t len = strlen(r->enhanced);

	must(len <= SMTPD_ENHANCED_MAX);
	must(len == 0 || len >= strlen("2.0.0"));
	must(len == 0 || r->enhanced[0] - '0' == r->code / 100);
	must(strlen(r->text) < sizeof(r->text));
	must(is_printable(r->text, strlen(r->text)));
	must(is_printable(r->enhanced, len));
	must(r->octets <= SMTPD_PEER_REPLY_MAX + SMTPD_PEER_LINE_MAX);
}

/* Lines divided by LF, as a stream would give them; CR is part of them. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data;
	const char *end = at + size;
	struct smtpd_peer_reply r;

	smtpd__reply_parse_init(&r);
	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		const char *stop = lf != NULL ? lf : end;
		size_t len = (size_t)(stop - at);
		enum smtpd_peer_step step;

		if (len >= SMTPD_PEER_LINE_MAX)
			return 0;
		step = smtpd__reply_parse_line(&r, at, len);
		must_be_sound(&r);
		if (step == SMTPD_PEER_BAD)
			return 0;
		must(r.code >= 200 && r.code <= 599);
		must(r.code / 100 == at[0] - '0');
		must(
		    len == 3 || at[3] == (step == SMTPD_PEER_MORE ? '-' : ' '));
		if (step == SMTPD_PEER_DONE)
			smtpd__reply_parse_init(&r);
		at = stop + (lf != NULL);
	}
	return 0;
}
