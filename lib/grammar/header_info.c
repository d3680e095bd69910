/* SPDX-License-Identifier: MIT */
#include "grammar/header_info.h"

#include <string.h>

#include "base/text.h"

/* Octets of a line without its end (RFC 5321, 4.5.3.1.6). */
#define BODY_LINE_MAX 998

/* What a field tells, and whether its value matters. */
enum field {
	NO_FIELD,
	DATE,
	SUBJECT,
	MESSAGE_ID,
	AUTO_SUBMITTED,
	PRECEDENCE,
	LIST,
	TLS_REQUIRED,
};

void
smtpd__header_info_init(struct smtpd_header_info *f)
{
	memset(f, 0, sizeof(*f));
}

static enum field
field_of(const char *name, size_t len)
{
	static const struct {
		const char *name;
		enum field field;
	} fields[] = {
		{ "Date", DATE },
		{ "Subject", SUBJECT },
		{ "Message-ID", MESSAGE_ID },
		{ "Auto-Submitted", AUTO_SUBMITTED },
		{ "Precedence", PRECEDENCE },
		{ "TLS-Required", TLS_REQUIRED },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (len == strlen(fields[i].name) &&
		    smtpd__text_same_bytes(name, fields[i].name, len))
			return fields[i].field;
	}
	if (len > strlen("List-") &&
	    smtpd__text_same_bytes(name, "List-", strlen("List-")))
		return LIST;
	return NO_FIELD;
}

/* Remember what of the value fits; of line ends only the CR. */
static void
read_value(struct smtpd_header_info *f, const char *data, size_t len)
{
	if (f->field == NO_FIELD || f->field == LIST)
		return;
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n')
			continue;
		if (f->len == sizeof(f->value) - 1)
			return;
		f->value[f->len++] = data[i];
	}
}

/* msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS], as far as another
 * header can hold it without harm */
static void
take_id(struct smtpd_header_info *f)
{
	const char *begin = memchr(f->value, '<', f->len);
	const char *end = f->value + f->len;

	if (f->id[0] != '\0' || begin == NULL)
		return;
	for (const char *at = begin + 1; at < end; at++) {
		size_t len = (size_t)(at + 1 - begin);

		if (*at <= ' ' || *at > '~' || *at == '<')
			return;
		if (*at != '>')
			continue;
		if (len > 2)
			memcpy(f->id, begin, len);
		return;
	}
}

/* Copy the value to OUT of SIZE bytes, unless an earlier field did. */
static void
take_text(const struct smtpd_header_info *f, char *out, size_t size)
{
	size_t skip = strspn(f->value, " \t\r");
	size_t len = f->len - skip;

	if (out[0] != '\0')
		return;
	while (len > 0 && strchr(" \t\r", f->value[skip + len - 1]) != NULL)
		len--;
	if (len >= size)
		len = size - 1;
	memcpy(out, f->value + skip, len);
	out[len] = '\0';
}

/* Whether the value's first word is WORD. */
static bool
begins_with(const struct smtpd_header_info *f, const char *word)
{
	size_t at = strspn(f->value, " \t\r");
	size_t len = strcspn(f->value + at, " \t\r;(");

	return len == strlen(word) &&
	    smtpd__text_same_bytes(f->value + at, word, len);
}

static void
end_field(struct smtpd_header_info *f)
{
	f->value[f->len] = '\0';
	switch ((enum field)f->field) {
	case NO_FIELD:
		break;
	case DATE:
		f->date = true;
		take_text(f, f->date_text, sizeof(f->date_text));
		break;
	case SUBJECT:
		take_text(f, f->subject, sizeof(f->subject));
		break;
	case MESSAGE_ID:
		f->message_id = true;
		take_id(f);
		break;
	case TLS_REQUIRED:
		f->tls_required++;
		f->tls_not_required = begins_with(f, "No");
		break;
	case AUTO_SUBMITTED:
		if (!begins_with(f, "no") && !begins_with(f, ""))
			f->automatic = true;
		break;
	case PRECEDENCE:
		if (begins_with(f, "bulk") || begins_with(f, "list") ||
		    begins_with(f, "junk"))
			f->automatic = true;
		break;
	case LIST:
		f->automatic = true;
		break;
	}
	f->field = NO_FIELD;
	f->len = 0;
}

/* Look for long lines, of which a CR may be the last octet. */
static void
measure_lines(struct smtpd_header_info *f, const char *data, size_t len)
{
	const char *end = data + len;

	while (data < end) {
		const char *lf = memchr(data, '\n', (size_t)(end - data));

		f->line += (size_t)((lf != NULL ? lf : end) - data);
		if (f->line > BODY_LINE_MAX)
			f->long_lines = true;
		if (lf == NULL)
			return;
		f->line = 0;
		data = lf + 1;
	}
}

void
smtpd__header_info_add(struct smtpd_header_info *f, const struct smtpd_piece *p)
{
	bool eight_bit = !smtpd__text_is_ascii(p->data, p->len);

	if (eight_bit)
		f->eight_bit = true;
	switch (p->part) {
	case SMTPD_FIELDS_NAME:
		end_field(f);
		f->field = (int)field_of(p->data, smtpd__fields_name_len(p));
		break;
	case SMTPD_FIELDS_VALUE:
		if (eight_bit)
			f->eight_bit_header = true;
		smtpd__utf8_check_feed(&f->utf8, p->data, p->len);
		read_value(f, p->data, p->len);
		break;
	case SMTPD_FIELDS_END:
		end_field(f);
		break;
	case SMTPD_FIELDS_BODY:
		measure_lines(f, p->data, p->len);
		break;
	case SMTPD_FIELDS_NONE:
		break;
	}
}

void
smtpd__header_info_end(struct smtpd_header_info *f)
{
	end_field(f);
}
