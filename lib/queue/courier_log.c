/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "grammar/trace.h"
#include "net/clock.h"
#include "queue/tour.h"
#include "queue/trail.h"

#define LOG_LINE_MAX 2048

/* The number of a reply, and a blank; "" for what nobody has said. */
struct code {
	char text[16];
};

static struct code
write_code(const struct smtpd_result *r)
{
	struct code code;
	struct smtpd_text t;

	smtpd_text_init(&t, code.text, sizeof(code.text));
	if (r->code != 0)
		smtpd_text_format(&t, "%d ", r->code);
	return code;
}

void
smtpd_tour_tell_stop(
    struct smtpd_tour *t, const struct smtpd_stop *stop, bool old)
{
	bool plain = strcmp(stop->tls, "none") == 0;

	smtpd_trail_add(t->errand->trail, "%s [%s]:%u: %s%s", stop->host,
	    stop->address, (unsigned)stop->port,
	    old ? "connection kept open, " : "",
	    plain ? "not encrypted" : stop->tls);
}

void
smtpd_tour_tell_result(struct smtpd_tour *t, const struct smtpd_stop *stop,
    const struct smtpd_result *result)
{
	struct code code = write_code(result);

	smtpd_trail_add(t->errand->trail, "%s: %s%s %s", stop->host, code.text,
	    result->status, result->text);
}

static const char *
address_of(const struct smtpd_tour *t, size_t place)
{
	const struct smtpd_errand *e = t->errand;

	return e->letter->rcpts[e->rcpts[place].rcpt].address;
}

void
smtpd_tour_tell_rcpt(struct smtpd_tour *t, size_t place)
{
	const struct smtpd_rcpt_progress *p = &t->errand->rcpts[place];
	struct code code = write_code(&p->result);

	smtpd_trail_add(t->errand->trail, "rcpt %s: %s%s %s (%s)",
	    address_of(t, place), code.text, p->result.status, p->result.text,
	    p->host);
}

/* Append an address so that it ends where it seems to. */
static void
put_address(struct smtpd_text *line, const char *address)
{
	for (; *address != '\0'; address++)
		if (strchr(" <>\"", *address) != NULL)
			smtpd_text_byte(line, '?');
		else
			smtpd_text_filtered(line, address, 1);
}

/* The same of words between quotes. */
static void
put_words(struct smtpd_text *line, const char *words)
{
	for (; *words != '\0'; words++)
		if (*words == '"')
			smtpd_text_byte(line, '\'');
		else
			smtpd_text_filtered(line, words, 1);
}

static void
put_relay(struct smtpd_text *line, const struct smtpd_stop *stop)
{
	if (stop->host[0] == '\0') {
		smtpd_text_add(line, " relay=none tls=none");
		return;
	}
	smtpd_text_format(line, " relay=%s[%s]:%u tls=%s", stop->host,
	    stop->address, (unsigned)stop->port, stop->tls);
}

/* Seconds since the letter came; the clock may have been set back. */
static uint64_t
delay_of(const struct smtpd_letter *letter)
{
	uint64_t now = smtpd_clock_wall_ms();

	return now > letter->arrived_ms ? (now - letter->arrived_ms) / 1000 : 0;
}

static void
write_line(const struct smtpd_tour *t, size_t place, struct smtpd_text *line)
{
	static const char *const words[] = {
		[SMTPD_SENT] = "sent",
		[SMTPD_TEMPORARY] = "deferred",
		[SMTPD_PERMANENT] = "bounced",
		[SMTPD_UNKNOWN] = "unknown",
	};
	const struct smtpd_letter *letter = t->errand->letter;
	const struct smtpd_result *r = &t->errand->rcpts[place].result;
	char id[SMTPD_ID_MAX];

	smtpd_trace_id(letter->id, id);
	smtpd_text_format(line, "id=%s to=<", id);
	put_address(line, address_of(t, place));
	smtpd_text_byte(line, '>');
	put_relay(line, &t->stops[t->parcels[place].stop]);
	smtpd_text_format(line,
	    " delay=%" PRIu64 " dsn=%s status=%s reply=\"%s", delay_of(letter),
	    r->status, words[r->outcome], write_code(r).text);
	put_words(line, r->text);
	smtpd_text_byte(line, '"');
}

void
smtpd_tour_log(const struct smtpd_tour *t)
{
	const struct smtpd_courier_settings *set = t->courier->set;
	char line[LOG_LINE_MAX];
	struct smtpd_text text;

	if (set->log == NULL || set->log_level < SMTPD_LOG_INFO)
		return;
	for (size_t i = 0; i < t->errand->nrcpts; i++) {
		smtpd_text_init(&text, line, sizeof(line));
		write_line(t, i, &text);
		set->log(SMTPD_LOG_INFO, line, set->log_user);
	}
}
