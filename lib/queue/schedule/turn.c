/* SPDX-License-Identifier: MIT */
#include "queue/schedule/turn.h"

#include "base/container.h"
#include "base/hash.h"

/* Have LINK in LIST if it is WANTED there.  Return true if it came anew. */
static bool
place_link(struct smtpd_ring *list, struct smtpd_ring *link, bool wanted)
{
	if (wanted != smtpd__ring_is_empty(link))
		return false;
	if (wanted)
		smtpd__ring_append(list, link);
	else
		smtpd__ring_remove(link);
	return wanted;
}

static enum smtpd_acquaintance
acquaintance_of(const struct smtpd_site *site)
{
	if (site->known)
		return SMTPD_SITE_KNOWN;
	return site->asked ? SMTPD_SITE_TRIED : SMTPD_SITE_NEW;
}

void
smtpd__turn_place(struct smtpd_schedule *s, struct smtpd_site *site)
{
	struct smtpd_turn *turn = &s->turns[acquaintance_of(site)];
	bool fresh = !smtpd__ring_is_empty(&site->ready[SMTPD_KIND_FRESH]);
	bool retry = !smtpd__ring_is_empty(&site->ready[SMTPD_KIND_RETRY]);
	bool room = smtpd__state_has_room(site);

	if (place_link(&turn->all, &site->turn, room && (fresh || retry)))
		site->since[0] = ++s->placed;
	if (place_link(&turn->fresh, &site->fresh_turn, room && fresh))
		site->since[1] = ++s->placed;
}

/* The first site of that KIND, or the last one, that has mail which was never
 * tried, or any; NULL: there is none, or it may not be served. */
static struct smtpd_site *
site_at(const struct smtpd_schedule *s, enum smtpd_acquaintance kind,
    bool fresh, bool last)
{
	const struct smtpd_turn *turn = &s->turns[kind];
	const struct smtpd_ring *ring = fresh ? &turn->fresh : &turn->all;
	struct smtpd_ring *at = last ? ring->previous : ring->next;

	if (smtpd__ring_is_empty(ring) ||
	    (kind != SMTPD_SITE_KNOWN && s->strangers >= s->stranger_limit))
		return NULL;
	return fresh ? SMTPD_CONTAINER_OF(at, struct smtpd_site, fresh_turn)
		     : SMTPD_CONTAINER_OF(at, struct smtpd_site, turn);
}

/* The one of A and B, which may be NULL, that has waited longer. */
static struct smtpd_site *
earlier_site(struct smtpd_site *a, struct smtpd_site *b, bool fresh)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	return a->since[fresh] < b->since[fresh] ? a : b;
}

/* The stranger whose turn it is. */
static struct smtpd_site *
next_stranger(const struct smtpd_schedule *s, bool fresh, bool newest)
{
	struct smtpd_site *last =
	    newest ? site_at(s, SMTPD_SITE_NEW, fresh, true) : NULL;

	return last != NULL
	    ? last
	    : earlier_site(site_at(s, SMTPD_SITE_NEW, fresh, false),
		  site_at(s, SMTPD_SITE_TRIED, fresh, false), fresh);
}

bool
smtpd__turn_has_fresh(const struct smtpd_schedule *s)
{
	for (int kind = 0; kind < SMTPD_ACQUAINTANCES; kind++)
		if (site_at(s, kind, true, false) != NULL)
			return true;
	return false;
}

/*
 * The one that has waited longest.  While attempts are set aside, known sites
 * and strangers alternate, and so do the stranger that has waited longest and
 * the one that came last and was never asked: mail to a host that works does
 * not wait behind that to a thousand that do not.
 */
struct smtpd_site *
smtpd__turn_next(const struct smtpd_schedule *s)
{
	bool crowded = s->aside > 0;
	bool fresh = s->retries >= s->retry_limit && smtpd__turn_has_fresh(s);
	struct smtpd_site *known = site_at(s, SMTPD_SITE_KNOWN, fresh, false);
	struct smtpd_site *stranger =
	    next_stranger(s, fresh, crowded && !s->served_newest);

	if (crowded && known != NULL && stranger != NULL)
		return s->served_known ? stranger : known;
	return earlier_site(known, stranger, fresh);
}

void
smtpd__turn_served(struct smtpd_schedule *s, struct smtpd_site *site)
{
	s->served_known = site->known;
	if (!site->known)
		s->served_newest = !s->served_newest;
	smtpd__ring_remove(&site->turn);
	smtpd__ring_remove(&site->fresh_turn);
}

void
smtpd__turn_set_asked(struct smtpd_site *site)
{
	if (site->asked)
		return;
	site->asked = true;
	smtpd__ring_remove(&site->turn);
	smtpd__ring_remove(&site->fresh_turn);
}

void
smtpd__turn_set_known(
    struct smtpd_schedule *s, struct smtpd_site *site, bool known)
{
	if (known == site->known)
		return;
	s->strangers += site->known ? site->connections : 0;
	s->strangers -= site->known ? 0 : site->connections;
	site->known = known;
	smtpd__ring_remove(&site->turn);
	smtpd__ring_remove(&site->fresh_turn);
	smtpd__turn_place(s, site);
}

/* A domain and a shared site may have one name. */
static uint32_t
hash_name(const struct smtpd_site *site)
{
	uint32_t hash = smtpd__hash_text(
	    SMTPD_HASH_START ^ (site->owner != NULL), site->named.name);

	return smtpd__hash_spread(hash);
}

void
smtpd__turn_remember(struct smtpd_schedule *s, const struct smtpd_site *site)
{
	uint32_t hash = hash_name(site);
	uint32_t *kept = &s->known[hash % SMTPD_KNOWN_SITES];

	if (site->known)
		*kept = hash;
	else if (*kept == hash)
		*kept = 0;
}

bool
smtpd__turn_was_known(
    const struct smtpd_schedule *s, const struct smtpd_site *site)
{
	uint32_t hash = hash_name(site);

	return hash != 0 && s->known[hash % SMTPD_KNOWN_SITES] == hash;
}
