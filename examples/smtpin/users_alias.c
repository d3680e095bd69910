/* SPDX-License-Identifier: MIT */
#include "users_alias.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Following the aliases of a map. */
struct walk {
	struct users_aliases *aliases;
	struct users_table *table;
	struct users_mistake *mistake;
};

void
users_aliases_finish(struct users_aliases *a)
{
	free(a->list);
	free(a->targets);
}

int
users_aliases_add(
    struct users_aliases *a, struct users_slot *slot, unsigned long line)
{
	struct users_alias *list =
	    users_table_grow(a->list, &a->cap, a->count, sizeof(*list));

	if (list == NULL)
		return -1;
	a->list = list;
	list[a->count++] = (struct users_alias){
		.key = slot->key,
		.line = line,
		.target = a->ntargets,
		.more = slot->member,
	};
	slot->member = (uint32_t)a->count;
	return 0;
}

int
users_aliases_target(
    struct users_aliases *a, struct users_table *t, const char *target)
{
	uint32_t *targets = users_table_grow(
	    a->targets, &a->targets_cap, a->ntargets, sizeof(*targets));
	uint32_t text = users_table_text(t, target);

	if (targets != NULL)
		a->targets = targets;
	if (targets == NULL || text == 0)
		return -1;
	targets[a->ntargets++] = text;
	a->list[a->count - 1].ntargets++;
	return 0;
}

static int
report_alias(struct walk *w, const struct users_alias *alias, const char *what,
    const char *word)
{
	*w->mistake = (struct users_mistake){
		.line = alias->line,
		.what = what,
		.word = word,
	};
	return EX_CONFIG;
}

/* The line for the same address before ALIAS; NULL: there is none. */
static struct users_alias *
line_before(const struct walk *w, const struct users_alias *alias)
{
	return alias->more != 0 ? &w->aliases->list[alias->more - 1] : NULL;
}

/* The key of target I of ALIAS. */
static const char *
target_of(const struct walk *w, const struct users_alias *alias, size_t i)
{
	return w->table->text + w->aliases->targets[alias->target + i];
}

/* The slot that TARGET, a key, stands for; NULL: it is not in the map. */
static struct users_slot *
find_target(const struct walk *w, const char *target)
{
	struct users_slot *slot = users_table_find(w->table, target);

	if (slot != NULL || *target == ':')
		return slot;
	return users_table_find_other(
	    w->table, target, (size_t)(strrchr(target, '@') - target) + 1);
}

/* Where the domain of the address KEY begins. */
static uint32_t
domain_of(const struct users_table *t, uint32_t key)
{
	const char *text = t->text + key;

	return key + (uint32_t)(strrchr(text, '@') - text) + 1;
}

/* Add USER to the members from FIRST on, unless it is there. */
static int
add_member(struct walk *w, const struct users_alias *alias, size_t first,
    struct users_member member)
{
	struct users_table *t = w->table;
	const char *domain = t->text + member.domain;

	for (size_t i = first; i < t->nmembers; i++)
		if (t->members[i].user == member.user &&
		    strcmp(t->text + t->members[i].domain, domain) == 0)
			return 0;
	if (t->nmembers - first == USERS_ALIAS_MAX)
		return report_alias(w, alias,
		    "the address has more than 1000 mailboxes",
		    t->text + alias->key);
	t->users[member.user].reached = true;
	return users_table_member(t, member.user, member.domain) == 0
	    ? 0
	    : EX_OSERR;
}

/* Add what SLOT, a target of ALIAS that was followed, leads to. */
static int
add_members(struct walk *w, const struct users_alias *alias, size_t first,
    const struct users_slot *slot)
{
	struct users_table *t = w->table;
	uint32_t owner = t->text[slot->key] == ':' ? alias->key : slot->key;
	int status = 0;

	if (slot->user != 0)
		return add_member(w, alias, first,
		    (struct users_member){ slot->user, domain_of(t, owner) });
	for (size_t i = 0; i < slot->nmembers && status == 0; i++)
		status =
		    add_member(w, alias, first, t->members[slot->member + i]);
	return status;
}

/* Add the members of all targets of ALIAS, its last line, to SLOT. */
static int
set_members(
    struct walk *w, const struct users_alias *alias, struct users_slot *slot)
{
	size_t first = w->table->nmembers;
	int status = 0;

	for (; alias != NULL; alias = line_before(w, alias))
		for (size_t i = 0; i < alias->ntargets && status == 0; i++) {
			const struct users_slot *target =
			    find_target(w, target_of(w, alias, i));

			if (target != NULL)
				status = add_members(w, alias, first, target);
		}
	slot->member = (uint32_t)first;
	slot->nmembers = (uint32_t)(w->table->nmembers - first);
	return status;
}

static int follow_alias(struct walk *w, struct users_slot *slot, int depth);

/* See that the targets of ALIAS exist, and follow those that are aliases. */
static int
follow_targets(struct walk *w, const struct users_alias *alias, int depth)
{
	int status = 0;

	for (size_t i = 0; i < alias->ntargets && status == 0; i++) {
		const char *target =
		    w->table->text + w->aliases->targets[alias->target + i];
		struct users_slot *slot = find_target(w, target);

		if (slot == NULL && *target == ':')
			return report_alias(
			    w, alias, "no such user in the map", target + 1);
		if (slot == NULL)
			return report_alias(
			    w, alias, "no such address in the map", target);
		if (slot->user != 0 || slot->nmembers != 0)
			continue;
		if (w->aliases->list[slot->member - 1].open)
			return report_alias(
			    w, alias, "the alias leads back to itself", target);
		if (depth == USERS_ALIAS_DEPTH)
			return report_alias(w, alias,
			    "more than 100 aliases lead here", target);
		status = follow_alias(w, slot, depth + 1);
	}
	return status;
}

/* Follow the alias of SLOT, which has no members yet, from line to line. */
static int
follow_alias(struct walk *w, struct users_slot *slot, int depth)
{
	struct users_alias *last = &w->aliases->list[slot->member - 1];
	int status = 0;

	last->open = true;
	for (const struct users_alias *line = last; line != NULL && status == 0;
	    line = line_before(w, line))
		status = follow_targets(w, line, depth);
	last->open = false;
	return status == 0 ? set_members(w, last, slot) : status;
}

/* Mail to postmaster in a domain that has aliases alone goes where the first
 * one leads. */
static void
give_domain(struct users_table *t, const struct users_slot *slot)
{
	struct users_slot *domain =
	    users_table_find(t, t->text + domain_of(t, slot->key));

	if (domain->user != 0 || domain->nmembers != 0)
		return;
	domain->member = slot->member;
	domain->nmembers = slot->nmembers;
}

int
users_aliases_follow(
    struct users_aliases *a, struct users_table *t, struct users_mistake *out)
{
	struct walk w = { a, t, out };

	for (size_t i = 0; i < a->count; i++) {
		struct users_slot *slot =
		    users_table_find(t, t->text + a->list[i].key);
		int status = 0;

		if (slot->nmembers == 0)
			status = follow_alias(&w, slot, 1);
		if (status != 0)
			return status;
		give_domain(t, slot);
	}
	return 0;
}
