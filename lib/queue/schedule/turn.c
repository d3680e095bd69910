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

void
smtpd__turn_place(struct smtpd_schedule *s, struct smtpd_site *site)
{
	struct smtpd_turn *turn = &s->turns[site->known];
	bool fresh = !smtpd__ring_is_empty(&site->ready[SMTPD_KIND_FRESH]);
	bool retry = !smtpd__ring_is_empty(&site->ready[SMTPD_KIND_RETRY]);
	bool room = smtpd__state_has_room(site);

	if (place_link(&turn->all, &site->turn, room && (fresh || retry)))
		site->since[0] = ++s->placed;
	if (place_link(&turn->fresh, &site->fresh_turn, room && fresh))
		site->since[1] = ++s->placed;
}

/* The first known site, or stranger, that has mail which was never tried, or
 * any, or the last one; NULL: there is none, or it may not be served. */
static struct smtpd_site *
site_at(const struct smtpd_schedule *s, bool known, bool fresh, bool last)
{
	const struct smtpd_turn *turn = &s->turns[known];
	const struct smtpd_ring *ring = fresh ? &turn->fresh : &turn->all;
	struct smtpd_ring *at = last ? ring->previous : ring->next;

	if (smtpd__ring_is_empty(ring) ||
	    (!known && s->strangers >= s->stranger_limit))
		return NULL;
	return fresh ? SMTPD_CONTAINER_OF(at, struct smtpd_site, fresh_turn)
		     : SMTPD_CONTAINER_OF(at, struct smtpd_site, turn);
}

bool
smtpd__turn_has_fresh(const struct smtpd_schedule *s)
{
	return site_at(s, true, true, false) != NULL ||
	    site_at(s, false, true, false) != NULL;
}

/*
 * The one that has waited longest.  While attempts are set aside, known sites
 * and strangers alternate, and so do the stranger that has waited longest and
 * the one that came last: mail to a host that works does not wait behind that
 * to a thousand that do not.
 */
struct smtpd_site *
smtpd__turn_next(const struct smtpd_schedule *s)
{
	bool crowded = s->aside > 0;
	bool fresh = s->retries >= s->retry_limit && smtpd__turn_has_fresh(s);
	struct smtpd_site *known = site_at(s, true, fresh, false);
	struct smtpd_site *stranger =
	    site_at(s, false, fresh, crowded && !s->served_newest);

	if (known == NULL || stranger == NULL)
		return known != NULL ? known : stranger;
	if (crowded)
		return s->served_known ? stranger : known;
	return known->since[fresh] < stranger->since[fresh] ? known : stranger;
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
