/* SPDX-License-Identifier: MIT */
#include "milter/decision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "milter/protocol.h"

/* Let A be the reply CODE ENHANCED TEXT. */
static void
set_reply(
    struct smtpd_decision *a, int code, const char *enhanced, const char *text)
{
	a->kind = SMTPD_DECISION_REFUSE;
	a->code = code;
	snprintf(a->enhanced, sizeof(a->enhanced), "%s", enhanced);
	snprintf(a->text, sizeof(a->text), "%s", text);
}

/* The octets of the enhanced code that TEXT begins with, of the class of its
 * code and with a blank or the end behind it; 0: there is none. */
static size_t
measure_enhanced(const char *text, char class)
{
	size_t len = strspn(text, "0123456789.");
	int dots = 0;

	for (size_t i = 0; i < len; i++)
		dots += text[i] == '.';
	if (text[0] != class || dots != 2 || len > 9 || text[len - 1] == '.' ||
	    strstr(text, "..") != NULL || text[1] != '.' ||
	    (text[len] != ' ' && text[len] != '\0'))
		return 0;
	return len;
}

/* The length of the code that a further line may begin with: "550-" or
 * "550 ". */
static size_t
measure_code(const char *line, const char *code)
{
	return strncmp(line, code, 3) == 0 && (line[3] == '-' || line[3] == ' ')
	    ? 4
	    : 0;
}

/* Add LEN bytes of one line to T: what comes first is the enhanced code, where
 * it is the same, and "%%" is a percent sign. */
static void
add_line(
    struct smtpd_text *t, const char *line, size_t len, const char *enhanced)
{
	size_t skip = strlen(enhanced);

	if (skip > 0 && strncmp(line, enhanced, skip) == 0 && len >= skip) {
		line += skip;
		len -= skip;
		if (len > 0 && *line == ' ') {
			line++;
			len--;
		}
	}
	for (size_t i = 0; i < len; i++) {
		smtpd__text_byte(t, line[i]);
		if (line[i] == '%' && i + 1 < len && line[i + 1] == '%')
			i++;
	}
}

/* Read a reply as it stands on the wire, perhaps of several lines. */
static bool
read_reply(const char *text, struct smtpd_decision *out)
{
	const char *at = text + 4;
	struct smtpd_text t;
	size_t len;

	if (strlen(text) < 3 || strspn(text, "0123456789") != 3 ||
	    (text[0] != '4' && text[0] != '5') ||
	    (text[3] != '\0' && text[3] != ' ' && text[3] != '-'))
		return false;
	out->kind = SMTPD_DECISION_REFUSE;
	out->code =
	    (text[0] - '0') * 100 + (text[1] - '0') * 10 + text[2] - '0';
	smtpd__text_init(&t, out->text, sizeof(out->text));
	out->enhanced[0] = '\0';
	if (text[3] == '\0')
		return true;
	len = measure_enhanced(at, text[0]);
	snprintf(out->enhanced, sizeof(out->enhanced), "%.*s", (int)len, at);
	for (;;) {
		len = strcspn(at, "\r\n");
		add_line(&t, at, len, out->enhanced);
		at += len;
		at += strspn(at, "\r\n");
		if (*at == '\0')
			return true;
		smtpd__text_byte(&t, '\n');
		at += measure_code(at, text);
	}
}

bool
smtpd__decision_read(struct smtpd_packet *p, struct smtpd_decision *out)
{
	const char *text;

	switch ((enum smtpd_milter_answer)p->command) {
	case SMTPD_MILTER_CONTINUE:
		out->kind = SMTPD_DECISION_CONTINUE;
		return true;
	case SMTPD_MILTER_ACCEPT:
		out->kind = SMTPD_DECISION_ACCEPT;
		return true;
	case SMTPD_MILTER_SKIP:
		out->kind = SMTPD_DECISION_SKIP;
		return true;
	case SMTPD_MILTER_DISCARD:
		out->kind = SMTPD_DECISION_DISCARD;
		return true;
	case SMTPD_MILTER_REJECT:
		set_reply(out, 550, "5.7.1", "Command rejected");
		return true;
	case SMTPD_MILTER_TEMPFAIL:
		set_reply(
		    out, 451, "4.7.1", "Service unavailable, try again later");
		return true;
	case SMTPD_MILTER_SHUTDOWN:
		set_reply(out, 421, "4.7.0",
		    "Service not available, closing connection");
		return true;
	case SMTPD_MILTER_REPLY_CODE:
		text = smtpd__packet_get_text(p);
		return text != NULL && read_reply(text, out);
	default:
		return false;
	}
}
