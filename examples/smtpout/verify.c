/* SPDX-License-Identifier: MIT */
#include "verify.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <smtpd/address.h>

/* The text of a reply, and what is left of it for a last line. */
#define TEXT_SIZE 950
#define LINE_SIZE 800

/* An answer while its lines are written. */
struct answer {
	char text[TEXT_SIZE];
	size_t len;
	size_t found, written, refused;
};

/* Write how R is sent to BUF. */
static void
describe_route(const struct smtpd_queue_recipient *r, char *buf, size_t size)
{
	if (r->refused)
		snprintf(buf, size, "is refused: %s",
		    r->route + strcspn(r->route, ":") + 1);
	else if (strcmp(r->route, "mx") == 0)
		snprintf(buf, size, "by the mail hosts of %s",
		    strrchr(r->address, '@') + 1);
	else
		snprintf(buf, size, "by %s", r->route);
}

/* The smtpd_recipient_fn: a line for each, as far as there is room. */
static void
add_recipient(const struct smtpd_queue_recipient *r, void *user)
{
	struct answer *a = user;
	char route[LINE_SIZE], line[2 * LINE_SIZE];
	int n;

	a->found++;
	a->refused += r->refused;
	describe_route(r, route, sizeof(route));
	n = snprintf(line, sizeof(line), "%s<%s> %s", a->found > 1 ? "\n" : "",
	    r->address, route);
	if (n < 0 || a->written + 1 < a->found ||
	    (size_t)n >= sizeof(a->text) - a->len)
		return;
	memcpy(a->text + a->len, line, (size_t)n + 1);
	a->len += (size_t)n;
	a->written++;
}

/* Write NAME, which may stand in angle brackets, without them to BUF. */
static void
copy_name(const char *name, char *buf, size_t size)
{
	size_t len = strlen(name);

	if (len >= 2 && name[0] == '<' && name[len - 1] == '>') {
		name++;
		len -= 2;
	}
	snprintf(buf, size, "%.*s", (int)len, name);
}

static int
reply_errno(struct smtpd_session *s, const char *name)
{
	if (errno == EINVAL)
		return smtpd_reply(s, 553, "5.1.3", "Not an address: %s", name);
	return smtpd_reply(s, 451, "4.3.0", "Cannot say that now");
}

/* VRFY is about one mailbox, EXPN about all. */
static int
answer_command(
    struct smtpd_session *s, const struct smtpd_command *c, void *queue)
{
	const struct smtpd_envelope *e = smtpd_session_envelope(s);
	const char *sender = e != NULL ? e->sender.text : "";
	bool one = strcmp(c->verb, "VRFY") == 0;
	struct answer a = { .len = 0 };
	char name[SMTPD_ADDRESS_MAX];

	copy_name(c->argument, name, sizeof(name));
	if (smtpd_queue_verify(queue, sender, name, add_recipient, &a) == -1)
		return reply_errno(s, name);
	if (one && a.found > 1)
		return smtpd_reply(s, 252, "2.5.0",
		    "Mail for <%s> goes to %zu addresses, see EXPN", name,
		    a.found);
	if (a.refused == a.found)
		return smtpd_reply(s, 550, "5.1.0", "%s", a.text);
	if (a.written < a.found)
		return smtpd_reply(s, 250, "2.1.5",
		    "%s\nand %zu more than fit here", a.text,
		    a.found - a.written);
	return smtpd_reply(s, 250, "2.1.5", "%s", a.text);
}

int
verify_register(struct smtpd_server *srv, struct smtpd_queue *queue)
{
	if (smtpd_server_add_handler(srv, "VRFY", answer_command, queue) ==
		-1 ||
	    smtpd_server_add_handler(srv, "EXPN", answer_command, queue) == -1)
		return -1;
	return smtpd_server_add_keyword(srv, "EXPN");
}
