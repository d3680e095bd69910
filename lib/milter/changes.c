/* SPDX-License-Identifier: MIT */
#include "milter/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 8

/* The form of a change: which permission it needs, and what its packet has. */
struct rule {
	enum smtpd_milter_answer kind;
	uint32_t needed; /* one of these */
	bool index;
	bool value;
	bool value_may_lack;
};

static const struct rule rules[] = {
	{ SMTPD_MILTER_ADD_RCPT, SMTPD_MILTER_MAY_ADD_RCPT, false, false,
	    false },
	{ SMTPD_MILTER_ADD_RCPT_PAR, SMTPD_MILTER_MAY_ADD_RCPT_PAR, false, true,
	    true },
	{ SMTPD_MILTER_DEL_RCPT, SMTPD_MILTER_MAY_DEL_RCPT, false, false,
	    false },
	{ SMTPD_MILTER_CHANGE_FROM, SMTPD_MILTER_MAY_CHANGE_FROM, false, true,
	    true },
	{ SMTPD_MILTER_ADD_HEADER, SMTPD_MILTER_MAY_ADD_HEADER, false, true,
	    false },
	{ SMTPD_MILTER_INSERT_HEADER, SMTPD_MILTER_MAY_ADD_HEADER, true, true,
	    false },
	{ SMTPD_MILTER_CHANGE_HEADER, SMTPD_MILTER_MAY_CHANGE_HEADER, true,
	    true, false },
	{ SMTPD_MILTER_QUARANTINE, SMTPD_MILTER_MAY_QUARANTINE, false, false,
	    false },
	{ SMTPD_MILTER_REPLACE_BODY, SMTPD_MILTER_MAY_CHANGE_BODY, false, false,
	    false },
};

static const struct rule *
find_rule(char command)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if ((char)rules[i].kind == command)
			return &rules[i];
	return NULL;
}

bool
smtpd__changes_is_one(char command)
{
	return find_rule(command) != NULL;
}

/* Let X be what P says by RULE.  Return whether P is whole. */
static bool
read_change(
    struct smtpd_change *x, const struct rule *rule, struct smtpd_packet *p)
{
	x->kind = rule->kind;
	if (rule->index && !smtpd__packet_get_u32(p, &x->index))
		return false;
	x->name = smtpd__packet_get_text(p);
	if (rule->value && (p->len > 0 || !rule->value_may_lack))
		x->value = smtpd__packet_get_text(p);
	return x->name != NULL &&
	    (x->value != NULL || !rule->value ||
		(rule->value_may_lack && p->len == 0));
}

/* Append X, whose texts are copied.  Return 0, or -1 without memory. */
static int
append_change(struct smtpd_changes *c, const struct smtpd_change *x)
{
	size_t name = strlen(x->name) + 1;
	size_t value = x->value != NULL ? strlen(x->value) + 1 : 0;
	size_t room = c->room == 0 ? FIRST_ROOM : 2 * c->room;
	struct smtpd_change *more;
	char *own;

	if (c->count == c->room) {
		more = realloc(c->list, room * sizeof(*more));
		if (more == NULL)
			return -1;
		c->list = more;
		c->room = room;
	}
	own = malloc(name + value);
	if (own == NULL)
		return -1;
	memcpy(own, x->name, name);
	if (value > 0)
		memcpy(own + name, x->value, value);
	c->list[c->count++] = (struct smtpd_change){
		.kind = x->kind,
		.index = x->index,
		.name = own,
		.value = value > 0 ? own + name : NULL,
		.own = own,
	};
	return 0;
}

int
smtpd__changes_add(struct smtpd_changes *c, struct smtpd_packet *p,
    const struct smtpd_negotiated *agreed)
{
	const struct rule *rule = find_rule(p->command);
	struct smtpd_change x = { 0 };
	size_t octets = p->len;

	if (rule == NULL || (rule->needed & agreed->actions) == 0) {
		errno = EPROTO;
		return -1;
	}
	if (rule->kind == SMTPD_MILTER_REPLACE_BODY)
		return 0;
	if (!read_change(&x, rule, p)) {
		errno = EPROTO;
		return -1;
	}
	c->octets += octets;
	if (c->octets > SMTPD_CHANGES_OCTETS_MAX ||
	    c->count == SMTPD_CHANGES_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	return append_change(c, &x);
}

void
smtpd__changes_finish(struct smtpd_changes *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->list[i].own);
	free(c->list);
	*c = (struct smtpd_changes){ 0 };
}
