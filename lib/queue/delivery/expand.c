/* SPDX-License-Identifier: MIT */
#include "queue/delivery/expand.h"

#include <smtpd/address.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/sizes.h"
#include "base/text.h"
#include "grammar/dsn_param.h"
#include "grammar/unitext.h"

/* ORCPT of an address: its type, and all of it coded. */
#define ORCPT_SIZE (SMTPD_ADDRESS_MAX * 3 + 16)

struct smtpd_expansion {
	struct smtpd_arena *arena;
	struct smtpd_outgoing_rcpt *rcpts; /* on the heap */
	size_t count, cap;
};

/* A recipient among those that are compared. */
struct candidate {
	const char *address;
	size_t index;
};

/* Append R.  Return 0, or -1 with errno. */
static int
append_rcpt(struct smtpd_expansion *x, const struct smtpd_outgoing_rcpt *r)
{
	struct smtpd_outgoing_rcpt *more;
	size_t cap = x->cap * 2 + 16;

	if (x->count == SMTPD_EXPAND_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (x->count == x->cap) {
		more = realloc(x->rcpts, cap * sizeof(*more));
		if (more == NULL)
			return -1;
		x->rcpts = more;
		x->cap = cap;
	}
	x->rcpts[x->count++] = *r;
	return 0;
}

int
smtpd_expansion_add(struct smtpd_expansion *x, const char *address)
{
	struct smtpd_outgoing_rcpt r = { SMTPD_OUTGOING_RCPT_INIT };
	char buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address a;

	if (x == NULL || address == NULL ||
	    smtpd_address_parse(address, buf, sizeof(buf), &a) == -1 ||
	    a.domain[0] == '\0') {
		errno = EINVAL;
		return -1;
	}
	r.address = smtpd__arena_text(x->arena, a.text, strlen(a.text));
	if (r.address != NULL)
		return append_rcpt(x, &r);
	errno = ENOMEM;
	return -1;
}

/* Write TEXT, ASCII, to T as xtext (RFC 3461, 4). */
static void
add_xtext(struct smtpd_text *t, const char *text)
{
	for (; *text != '\0'; text++)
		smtpd__text_format(t,
		    *text < '!' || *text > '~' || *text == '+' || *text == '='
			? "+%02X"
			: "%c",
		    (unsigned char)*text);
}

/* Set *OUT to an ORCPT that names ADDRESS (RFC 3461, 5.2.1; RFC 6533, 3); NULL:
 * it would be too long.  Return 0, or -1 without memory. */
static int
make_orcpt(struct smtpd_arena *arena, const char *address, const char **out)
{
	char buf[ORCPT_SIZE];
	struct smtpd_text text;

	smtpd__text_init(&text, buf, sizeof(buf));
	if (smtpd__text_is_ascii(address, strlen(address))) {
		smtpd__text_add(&text, "rfc822;");
		add_xtext(&text, address);
	} else {
		smtpd__text_add(&text, "utf-8;");
		smtpd__unitext_encode(&text, address);
	}
	*out = NULL;
	if (!smtpd__dsn_param_orcpt_is_valid(buf))
		return 0;
	*out = smtpd__arena_text(arena, buf, strlen(buf));
	return *out != NULL ? 0 : -1;
}

static bool
wants_success(const char *notify)
{
	unsigned bits = 0;

	return notify != NULL &&
	    smtpd__dsn_param_notify_parse(notify, &bits) == 0 &&
	    (bits & SMTPD_NOTIFY_SUCCESS) != 0;
}

/* Give those in X from FIRST on what ALIAS asked for (RFC 3461, 5.2.7.2; RFC
 * 3461, 5.2.7.3): there is no report that one address became several, so with
 * SUCCESS all of it goes to one.  The others name the alias itself. */
static int
pass_params(struct smtpd_expansion *x, size_t first,
    const struct smtpd_outgoing_rcpt *alias)
{
	const bool to_one = wants_success(alias->notify);
	const char *own;

	if (make_orcpt(x->arena, alias->address, &own) == -1) {
		errno = ENOMEM;
		return -1;
	}
	for (size_t i = first; i < x->count; i++) {
		const bool all = i == first || !to_one;

		x->rcpts[i].orcpt =
		    all && alias->orcpt != NULL ? alias->orcpt : own;
		x->rcpts[i].notify = all ? alias->notify : NULL;
	}
	return 0;
}

/* Local parts may differ by upper and lower case (RFC 5321, 2.4). */
static int
compare_addresses(const char *a, const char *b)
{
	const char *at_a = strrchr(a, '@'), *at_b = strrchr(b, '@');
	size_t len_a = at_a != NULL ? (size_t)(at_a - a) : strlen(a);
	size_t len_b = at_b != NULL ? (size_t)(at_b - b) : strlen(b);

	if (len_a != len_b)
		return len_a < len_b ? -1 : 1;
	if (memcmp(a, b, len_a) != 0)
		return memcmp(a, b, len_a);
	return strcasecmp(a + len_a, b + len_b);
}

static int
compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = compare_addresses(x->address, y->address);

	if (order != 0)
		return order;
	return x->index < y->index ? -1 : 1;
}

/* Leave each address in X only where it stands first. */
static int
drop_repeated(struct smtpd_expansion *x)
{
	struct candidate *all = calloc(x->count, sizeof(*all));
	size_t kept = 0;

	if (all == NULL)
		return -1;
	for (size_t i = 0; i < x->count; i++)
		all[i] = (struct candidate){ x->rcpts[i].address, i };
	qsort(all, x->count, sizeof(*all), compare_candidates);
	for (size_t i = 1; i < x->count; i++)
		if (compare_addresses(all[i - 1].address, all[i].address) == 0)
			x->rcpts[all[i].index].address = NULL;
	free(all);
	for (size_t i = 0; i < x->count; i++)
		if (x->rcpts[i].address != NULL)
			x->rcpts[kept++] = x->rcpts[i];
	x->count = kept;
	return 0;
}

/* Add R, or what it becomes, to X; *CHANGED: it became something. */
static int
expand_rcpt(const struct smtpd_queue_settings *s, struct smtpd_expansion *x,
    const struct smtpd_outgoing_rcpt *r, bool *changed)
{
	size_t first = x->count;

	if (s->expand(r->address, x, s->expand_user) != 0)
		return -1;
	if (x->count == first)
		return append_rcpt(x, r);
	*changed = true;
	return pass_params(x, first, r);
}

int
smtpd__expand_envelope(const struct smtpd_queue_settings *s,
    struct smtpd_arena *arena, struct smtpd_outgoing_envelope *e)
{
	struct smtpd_expansion x = { .arena = arena };
	struct smtpd_outgoing_rcpt *rcpts = NULL;
	bool changed = false;
	int status = 0;

	if (s->expand == NULL)
		return 0;
	for (size_t i = 0; i < e->nrcpts && status == 0; i++)
		status = expand_rcpt(s, &x, &e->rcpts[i], &changed);
	if (status == 0 && changed)
		status = drop_repeated(&x);
	if (status == 0 && changed) {
		rcpts = smtpd__arena_alloc(arena, x.count * sizeof(*rcpts));
		errno = ENOMEM;
		status = rcpts != NULL ? 0 : -1;
	}
	if (rcpts != NULL) {
		memcpy(rcpts, x.rcpts, x.count * sizeof(*rcpts));
		e->rcpts = rcpts;
		e->nrcpts = x.count;
	}
	free(x.rcpts);
	return status;
}
