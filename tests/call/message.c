/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <string.h>

#include "../unit/test.h"

static ssize_t
read_content(void *user, void *buf, size_t size)
{
	struct call_content *c = user;
	size_t most = c->piece > 0 && c->piece < size ? c->piece : size;
	char *out = buf;
	size_t n = 0;

	for (; n < most && c->left > 0; c->left--) {
		out[n++] = c->text[c->at++];
		if (c->at == c->len)
			c->at = 0;
	}
	return n == 0 && c->broken ? -1 : (ssize_t)n;
}

static int
rewind_content(void *user)
{
	struct call_content *c = user;

	c->left = c->len * c->times;
	c->at = 0;
	return 0;
}

static void
open_content(struct call_message *m, const struct call_script *s)
{
	const char *text = call_script_setting(s, "message");
	struct call_content *c = &m->content;

	c->text = text != NULL ? text : "Subject: x\n\n.hi\n";
	c->len = strlen(c->text);
	c->times = call_script_number(s, "times", 1);
	rewind_content(c);
	c->piece = call_script_number(s, "piece", 0);
	c->broken = call_script_flag(s, "broken");
	m->outgoing.read = read_content;
	m->outgoing.read_user = c;
	m->outgoing.rewind = rewind_content;
	if (!call_script_flag(s, "descriptor"))
		return;
	m->file = tmpfile();
	assert_non_null(m->file);
	fputs(c->text, m->file);
	fflush(m->file);
	m->outgoing.read = NULL;
	m->outgoing.fd = fileno(m->file);
}

static void
add_rcpt(struct call_message *m, const char *address)
{
	m->rcpts[m->envelope.nrcpts++] =
	    (struct smtpd_outgoing_rcpt){ SMTPD_OUTGOING_RCPT_INIT,
		    .address = address };
}

/* "= rcpts N": user-0 and up at DOMAIN. */
static void
number_rcpts(struct call_message *m, size_t count, const char *domain)
{
	assert_in_range(count, 1, CALL_RCPTS);
	for (size_t i = 0; i < count; i++) {
		snprintf(
		    m->names[i], sizeof(m->names[i]), "user-%zu@%s", i, domain);
		add_rcpt(m, m->names[i]);
	}
}

/* "= rcpt ADDRESS [NOTIFY [ORCPT]]" */
static void
divide_rcpt(struct call_message *m, const char *text)
{
	struct smtpd_outgoing_rcpt *rcpt = &m->rcpts[0];
	char *save = NULL;
	char *address;

	snprintf(m->words, sizeof(m->words), "%s", text);
	address = strtok_r(m->words, " ", &save);
	add_rcpt(m, address != NULL ? address : "");
	if (address == NULL)
		return;
	rcpt->notify = strtok_r(NULL, " ", &save);
	rcpt->orcpt = rcpt->notify != NULL ? strtok_r(NULL, " ", &save) : NULL;
	if (rcpt->notify != NULL && strcmp(rcpt->notify, "-") == 0)
		rcpt->notify = NULL;
}

static void
open_rcpts(struct call_message *m, const struct call_script *s)
{
	const char *rcpt = call_script_setting(s, "rcpt");
	const char *address = call_script_setting(s, "address");
	const char *domain = call_script_setting(s, "domain");
	size_t count = call_script_number(s, "rcpts", 0);

	if (address != NULL) {
		add_rcpt(m, address);
	} else if (rcpt != NULL) {
		divide_rcpt(m, rcpt);
	} else if (count > 0) {
		number_rcpts(m, count, domain != NULL ? domain : "example.org");
	} else {
		add_rcpt(m, "b@example.org");
		add_rcpt(m, "c@example.org");
		add_rcpt(m, "d@example.org");
	}
}

void
call_message_open(struct call_message *m, const struct call_script *s)
{
	const char *sender = call_script_setting(s, "sender");

	memset(m, 0, sizeof(*m));
	m->envelope = (struct smtpd_outgoing_envelope){
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = sender != NULL ? sender : "a@example.net",
		.rcpts = m->rcpts,
		.ret = call_script_setting(s, "ret"),
		.envid = call_script_setting(s, "envid"),
		.eight_bit = call_script_flag(s, "eight_bit"),
		.utf8 = call_script_flag(s, "utf8"),
		.utf8_wanted = call_script_flag(s, "utf8_wanted"),
		.long_lines = call_script_flag(s, "long_lines"),
	};
	m->outgoing = (struct smtpd_outgoing){
		SMTPD_OUTGOING_INIT,
		.envelope = &m->envelope,
		.length = call_script_number(s, "length", 0),
		.all_or_none = call_script_flag(s, "all_or_none"),
		.convert = call_script_flag(s, "convert"),
	};
	open_rcpts(m, s);
	open_content(m, s);
}

void
call_message_close(struct call_message *m)
{
	if (m->file != NULL)
		fclose(m->file);
}
