/* SPDX-License-Identifier: MIT */
#include "grammar/fold.h"

#include <string.h>

#include "base/text.h"
#include "grammar/date.h"

void
smtpd__fold_init(
    struct smtpd_fold *f, const char *indent, smtpd_sink_fn *sink, void *user)
{
	f->sink = sink;
	f->user = user;
	f->failed = false;
	f->utf8 = false;
	f->indent = indent;
	f->len = 0;
}

static void
add_bytes(struct smtpd_fold *f, const char *s, size_t len)
{
	struct smtpd_text t;

	/* One more than the line may have: for the NUL. */
	smtpd__text_init(&t, f->line + f->len, SMTPD_FOLD_MAX + 1 - f->len);
	if (f->utf8)
		smtpd__text_filtered_utf8(&t, s, len);
	else
		smtpd__text_filtered(&t, s, len);
	f->len += t.len;
}

void
smtpd__fold_add(struct smtpd_fold *f, const char *text)
{
	add_bytes(f, text, strlen(text));
}

void
smtpd__fold_end(struct smtpd_fold *f)
{
	memcpy(f->line + f->len, "\r\n", 2);
	if (!f->failed && f->sink(f->user, f->line, f->len + 2) != 0)
		f->failed = true;
	f->len = 0;
}

/* Whether the line holds something besides its indent. */
static bool
has_words(const struct smtpd_fold *f)
{
	for (size_t i = 0; i < f->len; i++) {
		if (!smtpd__text_is_white(f->line[i]))
			return true;
	}
	return false;
}

void
smtpd__fold_break(struct smtpd_fold *f)
{
	smtpd__fold_end(f);
	f->len = strlen(f->indent);
	memcpy(f->line, f->indent, f->len);
}

static bool
is_inside_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* How many of the first ROOM bytes of WORD, which is longer, end with a whole
 * character; what is no UTF-8 has none. */
static size_t
whole_characters(const char *word, size_t room)
{
	size_t whole = room;

	while (
	    whole > 0 && room - whole < 3 && is_inside_character(word[whole]))
		whole--;
	return is_inside_character(word[whole]) ? room : whole;
}

static void
add_word(struct smtpd_fold *f, const char *word, size_t len)
{
	if (has_words(f)) {
		if (f->len + 1 + len > SMTPD_FOLD_WIDTH)
			smtpd__fold_break(f);
		else
			add_bytes(f, " ", 1);
	}
	while (len > SMTPD_FOLD_MAX - f->len) {
		size_t room = whole_characters(word, SMTPD_FOLD_MAX - f->len);

		add_bytes(f, word, room);
		smtpd__fold_break(f);
		word += room;
		len -= room;
	}
	add_bytes(f, word, len);
}

void
smtpd__fold_word(struct smtpd_fold *f, const char *text)
{
	add_word(f, text, strlen(text));
}

void
smtpd__fold_words(struct smtpd_fold *f, const char *text)
{
	static const char spaces[] = " \t\r\n";

	for (text += strspn(text, spaces); *text != '\0';
	    text += strspn(text, spaces)) {
		size_t len = strcspn(text, spaces);

		add_word(f, text, len);
		text += len;
	}
}

void
smtpd__fold_line(struct smtpd_fold *f, const char *before, const char *text,
    const char *after)
{
	smtpd__fold_add(f, before);
	smtpd__fold_add(f, text);
	smtpd__fold_add(f, after);
	smtpd__fold_end(f);
}

void
smtpd__fold_prose(struct smtpd_fold *f, const char *text)
{
	smtpd__fold_words(f, text);
	smtpd__fold_end(f);
}

void
smtpd__fold_field(struct smtpd_fold *f, const char *name, const char *value)
{
	smtpd__fold_add(f, name);
	smtpd__fold_prose(f, value);
}

void
smtpd__fold_date(struct smtpd_fold *f, const char *name, time_t when)
{
	char date[SMTPD_DATE_MAX];

	smtpd__date_write(when, date);
	smtpd__fold_field(f, name, date);
}
