/* SPDX-License-Identifier: MIT */
#include "queue/control/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "grammar/history_line.h"

static void
add_part(struct smtpd_control_output *a, const char *name,
    const struct smtpd_line_part *p)
{
	smtpd__control_output_format(a, ",\"%s\":", name);
	if (p->at == NULL)
		smtpd__control_output_json(a, NULL);
	else
		smtpd__control_output_json_bytes(a, p->at, p->len);
}

static void
add_number(struct smtpd_control_output *a, const char *name,
    const struct smtpd_line_part *p)
{
	if (p->at == NULL)
		smtpd__control_output_format(a, ",\"%s\":null", name);
	else
		smtpd__control_output_format(
		    a, ",\"%s\":%lu", name, strtoul(p->at, NULL, 10));
}

/* Write a member for an address, whose odd bytes are \xhh. */
static void
add_address(struct smtpd_control_output *a, const char *name,
    const struct smtpd_line_part *p)
{
	char buf[1024], hex[3] = "";
	struct smtpd_text text;
	struct smtpd_line_part plain = { p->at != NULL ? buf : NULL, 0 };

	smtpd__text_init(&text, buf, sizeof(buf));
	for (size_t i = 0; i < p->len; i++) {
		if (p->at[i] == '\\' && i + 3 < p->len) {
			memcpy(hex, p->at + i + 2, 2);
			smtpd__text_byte(&text, (char)strtoul(hex, NULL, 16));
			i += 3;
		} else {
			smtpd__text_byte(&text, p->at[i]);
		}
	}
	plain.len = text.len;
	add_part(a, name, &plain);
}

void
smtpd__control_history_reply(struct smtpd_control_output *a, const char *reply,
    size_t len, const char *status)
{
	struct smtpd_line_part words = { reply, len }, code, enhanced;

	smtpd__history_line_split_reply(&words, &code, &enhanced);
	if (enhanced.at == NULL && status != NULL)
		enhanced = (struct smtpd_line_part){ status, strlen(status) };
	add_number(a, "code", &code);
	add_part(a, "status", &enhanced);
	add_part(a, "reply", &words);
}

void
smtpd__control_history_json(
    struct smtpd_control_output *a, const char *lines, size_t len)
{
	struct smtpd_line_part rest = { lines, len };
	struct smtpd_history_line e = { 0 };
	const char *before = "[";

	while (smtpd__history_line_read(&rest, &e)) {
		smtpd__control_output_format(
		    a, "%s{\"event\":\"%s\"", before, e.what);
		add_part(a, "time", &e.time);
		add_number(a, "attempt", &e.attempt);
		add_address(a, "recipient", &e.recipient);
		add_part(a, "host", &e.host);
		add_part(a, "address", &e.address);
		add_number(a, "port", &e.port);
		add_part(a, "tls", &e.tls);
		smtpd__control_history_reply(a, e.reply.at, e.reply.len, NULL);
		add_part(a, "text", &e.words);
		smtpd__control_output_add(a, "}");
		before = ",";
	}
	smtpd__control_output_add(a, *before == '[' ? "[]" : "]");
}
