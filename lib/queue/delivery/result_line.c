/* SPDX-License-Identifier: MIT */
#include "queue/delivery/result_line.h"

#include <inttypes.h>
#include <string.h>

#include "base/id.h"
#include "os/clock.h"

/* Append TEXT, printable and with each character of UNSAFE replaced, so that it
 * ends where it seems to. */
static void
put_text(struct smtpd_text *line, const char *text, const char *unsafe,
    char replacement)
{
	for (; *text != '\0'; text++)
		if (strchr(unsafe, *text) != NULL)
			smtpd__text_byte(line, replacement);
		else
			smtpd__text_filtered(line, text, 1);
}

void
smtpd__result_line_write(struct smtpd_text *line,
    const struct smtpd_loaded_message *loaded,
    const struct smtpd_rcpt_progress *r, const char *relay)
{
	static const char *const words[] = {
		[SMTPD_OUTCOME_SENT] = "sent",
		[SMTPD_OUTCOME_TEMPORARY] = "deferred",
		[SMTPD_OUTCOME_PERMANENT] = "bounced",
		[SMTPD_OUTCOME_IN_DOUBT] = "unknown",
	};
	uint64_t now = smtpd__clock_wall_ms();
	uint64_t delay_s = 0;
	char id[SMTPD_ID_SIZE];

	/* The clock may have been set back. */
	if (now > loaded->arrived_ms)
		delay_s = (now - loaded->arrived_ms) / 1000;
	smtpd__id_write(loaded->id, id);
	smtpd__text_format(line, "id=%s to=<", id);
	put_text(line, loaded->rcpts[r->rcpt].address, " <>\"", '?');
	smtpd__text_format(line,
	    "> %s delay=%" PRIu64 " dsn=%s status=%s reply=\"", relay, delay_s,
	    r->result.status, words[r->result.outcome]);
	if (r->result.code != 0)
		smtpd__text_format(line, "%d ", r->result.code);
	put_text(line, r->result.text, "\"", '\'');
	smtpd__text_byte(line, '"');
}
