/* SPDX-License-Identifier: MIT */
#include "queue/delivery/history.h"

#include <smtpd/address.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "net/socket.h"
#include "os/clock.h"

/* The size of a line; a longer one is cut off. */
#define LINE_SIZE 2048

void
smtpd__history_add(struct smtpd_text *history, const char *format, ...)
{
	char line[LINE_SIZE];
	struct smtpd_text t;
	va_list ap;

	smtpd__text_init(&t, line, sizeof(line));
	va_start(ap, format);
	smtpd__text_vformat(&t, format, ap);
	va_end(ap);
	if (history->size - history->len < t.len + 2) {
		history->cut = true;
		return;
	}
	smtpd__text_filtered(history, line, t.len);
	smtpd__text_byte(history, '\n');
}

void
smtpd__history_add_result(struct smtpd_text *history, const char *name,
    const struct smtpd_result *r, const char *host)
{
	char code[16], address[LINE_SIZE / 2];

	/* The host's words as it said them, or ours with our status. */
	snprintf(code, sizeof(code), "%d", r->code);
	if (host == NULL)
		smtpd__history_add(history, "%s: %s %s", name,
		    r->code != 0 ? code : r->status, r->text);
	else
		smtpd__history_add(history, "rcpt <%s>: %s %s (%s)",
		    smtpd_address_escape(name, address, sizeof(address)),
		    r->code != 0 ? code : r->status, r->text, host);
}

/* Append ADDRESS as the field NAME. */
static void
put_address(struct smtpd_text *line, const char *name, const char *address)
{
	char text[SMTPD_LOGGER_LINE_SIZE / 2];

	smtpd__text_format(line, " %s=<%s>", name,
	    smtpd_address_escape(address, text, sizeof(text)));
}

/* Append the words of R, in which no quote ends them, and the quote that
 * does. */
static void
put_reply(struct smtpd_text *line, const struct smtpd_result *r)
{
	size_t begin = line->len;

	if (r->code != 0)
		smtpd__text_format(line, "%d ", r->code);
	smtpd__text_add(line, r->text);
	for (char *c = line->at + begin; (c = strchr(c, '"')) != NULL;)
		*c = '\'';
	smtpd__text_byte(line, '"');
}

void
smtpd__history_log_result(const struct smtpd_logger *logger,
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
	char buf[SMTPD_LOGGER_LINE_SIZE];
	struct smtpd_text line;

	/* The clock may have been set back. */
	if (now > loaded->arrived_ms)
		delay_s = (now - loaded->arrived_ms) / 1000;
	smtpd__id_write(loaded->id, id);
	smtpd__text_init(&line, buf, sizeof(buf));
	smtpd__text_format(&line, "id=%s", id);
	put_address(&line, "to", loaded->envelope.rcpts[r->rcpt].address);
	smtpd__text_format(&line,
	    " %s delay=%" PRIu64 " dsn=%s status=%s reply=\"", relay, delay_s,
	    r->result.status, words[r->result.outcome]);
	put_reply(&line, &r->result);
	smtpd__logger_write(logger, SMTPD_LOG_INFO, "%s", buf);
}

void
smtpd__history_log_conversion(const struct smtpd_logger *logger,
    const struct smtpd_loaded_message *loaded, const char *host,
    const char *reason, const char *words)
{
	char id[SMTPD_ID_SIZE];

	smtpd__id_write(loaded->id, id);
	smtpd__logger_write(logger, SMTPD_LOG_INFO,
	    "id=%s host=%s content=\"%s\" reason=\"%s\"", id, host, words,
	    reason);
}

void
smtpd__history_log_dead(const struct smtpd_logger *logger,
    const struct smtpd_loaded_message *loaded,
    const struct smtpd_rcpt_progress *r, const char *about, uint64_t count)
{
	char id[SMTPD_ID_SIZE];
	char buf[SMTPD_LOGGER_LINE_SIZE];
	struct smtpd_text line;

	smtpd__id_write(loaded->id, id);
	smtpd__text_init(&line, buf, sizeof(buf));
	smtpd__text_format(&line, "id=%s", id);
	if (about[0] != '\0')
		smtpd__text_format(&line, " report of id=%s", about);
	put_address(&line, "to", loaded->envelope.rcpts[r->rcpt].address);
	smtpd__text_format(&line, " status=dead file=dead/%s.eml reply=\"", id);
	put_reply(&line, &r->result);
	smtpd__text_format(&line, "; %" PRIu64 " there", count);
	smtpd__logger_write(logger, SMTPD_LOG_WARNING, "%s", buf);
}

void
smtpd__history_log_report(const struct smtpd_logger *logger,
    const struct smtpd_queued_message *report, const char *to, uint64_t about)
{
	char id[SMTPD_ID_SIZE], about_id[SMTPD_ID_SIZE];
	char buf[SMTPD_LOGGER_LINE_SIZE];
	struct smtpd_text line;

	smtpd__id_write(report->id, id);
	smtpd__id_write(about, about_id);
	smtpd__text_init(&line, buf, sizeof(buf));
	smtpd__text_format(
	    &line, "queued id=%s report of id=%s from=<>", id, about_id);
	put_address(&line, "to", to);
	smtpd__text_format(&line, " nrcpt=1 size=%" PRIu64, report->size);
	smtpd__logger_write(logger, SMTPD_LOG_INFO, "%s", buf);
}

void
smtpd__history_log_expired(const struct smtpd_logger *logger,
    const struct smtpd_loaded_message *loaded,
    const struct smtpd_rcpt_progress *r, const char *domain, unsigned attempts)
{
	char id[SMTPD_ID_SIZE];
	char buf[SMTPD_LOGGER_LINE_SIZE];
	struct smtpd_text line;

	smtpd__id_write(loaded->id, id);
	smtpd__text_init(&line, buf, sizeof(buf));
	smtpd__text_format(&line, "id=%s", id);
	put_address(&line, "from", loaded->envelope.sender);
	put_address(&line, "to", loaded->envelope.rcpts[r->rcpt].address);
	smtpd__text_format(&line,
	    " attempts=%u domain=%s status=expired reply=\"", attempts, domain);
	put_reply(&line, &r->result);
	smtpd__logger_write(logger, SMTPD_LOG_INFO, "%s", buf);
}

void
smtpd__history_add_targets(struct smtpd_text *history,
    const struct smtpd_targets *targets, bool smart, const char *name)
{
	bool found = targets->outcome == SMTPD_RESOLVE_FOUND;
	const char *last = "";
	char line[1024];
	struct smtpd_text t;

	smtpd__text_init(&t, line, sizeof(line));
	if (!found)
		smtpd__text_format(
		    &t, " %s %s", targets->status, targets->reason);
	else if (!smart && *name != '[')
		smtpd__text_add(&t, targets->mx ? " MX" : " no MX,");
	for (size_t i = 0; found && i < targets->count; i++) {
		const struct smtpd_target *to = smtpd_targets_get(targets, i);
		const struct smtpd_sockaddr a = { to->addr, to->len };
		char address[SMTPD_ADDRESS_TEXT_SIZE];

		if (strcmp(to->host, last) != 0 && targets->mx)
			smtpd__text_format(
			    &t, " %s %u", to->host, (unsigned)to->preference);
		smtpd__socket_host(&a, address, sizeof(address));
		smtpd__text_format(&t, " [%s]", address);
		last = to->host;
	}
	smtpd__history_add(
	    history, "%s %s:%s", smart ? "smarthost" : "dns", name, line);
}
