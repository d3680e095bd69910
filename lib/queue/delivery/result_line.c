/* SPDX-License-Identifier: MIT */
#include "queue/delivery/result_line.h"

#include <inttypes.h>
#include <string.h>

#include "base/id.h"
#include "os/clock.h"

/* Append an address so that it ends where it seems to. */
static void
put_address(struct smtpd_text *line, const char *address)
{
	for (; *address != '\0'; address++)
		if (strchr(" <>\"", *address) != NULL)
			smtpd__text_byte(line, '?');
		else
			smtpd__text_filtered(line, address, 1);
}

/* The same of words between quotes. */
static void
put_words(struct smtpd_text *line, const char *words)
{
	for (; *words != '\0'; words++)
		if (*words == '"')
			smtpd__text_byte(line, '\'');
		else
			smtpd__text_filtered(line, words, 1);
}

/* Seconds since the loaded came; the clock may have been set back. */
static uint64_t
delay_of(const struct smtpd_loaded_message *loaded)
{
	uint64_t now = smtpd__clock_wall_ms();

	return now > loaded->arrived_ms ? (now - loaded->arrived_ms) / 1000 : 0;
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
	char id[SMTPD_ID_SIZE];

	smtpd__id_write(loaded->id, id);
	smtpd__text_format(line, "id=%s to=<", id);
	put_address(line, loaded->rcpts[r->rcpt].address);
	smtpd__text_format(line,
	    "> %s delay=%" PRIu64 " dsn=%s status=%s reply=\"", relay,
	    delay_of(loaded), r->result.status, words[r->result.outcome]);
	if (r->result.code != 0)
		smtpd__text_format(line, "%d ", r->result.code);
	put_words(line, r->result.text);
	smtpd__text_byte(line, '"');
}
