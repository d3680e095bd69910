/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "queue/delivery/agent_state.h"

/* How far the content was read, in memory. */
struct cursor {
	const struct smtpd_loaded_message *loaded;
	uint64_t at;
};

/* Who was put off is asked for at one host more. */
#define PUT_OFF_MAX 2

bool
smtpd_tour_is_pending(const struct smtpd_parcel *p)
{
	return !p->settled && p->put_off < PUT_OFF_MAX;
}

static ssize_t
read_content(void *user, void *buf, size_t size)
{
	struct cursor *c = user;
	uint64_t left = c->loaded->size - c->at;
	size_t n = left < size ? (size_t)left : size;

	memcpy(buf, c->loaded->content + c->at, n);
	c->at += n;
	return (ssize_t)n;
}

/* Fill the next transaction from *PLACE on.  Return how many recipients it
 * has. */
static size_t
load(struct smtpd_tour *t, size_t *place)
{
	struct smtpd_courier *c = t->courier;
	const struct smtpd_errand *e = t->errand;
	size_t n = 0;

	for (; *place < e->nrcpts && n < SMTPD_TOUR_RCPTS; ++*place) {
		if (!smtpd_tour_is_pending(&t->parcels[*place]))
			continue;
		c->rcpts[n] = e->loaded->rcpts[e->rcpts[*place].rcpt];
		c->places[n++] = *place;
	}
	return n;
}

static int
transact(struct smtpd_tour *t, size_t count)
{
	struct smtpd_courier *c = t->courier;
	const struct smtpd_loaded_message *loaded = t->errand->loaded;
	struct cursor cursor = { .loaded = loaded };
	const struct smtpd_outgoing m = {
		.sender = loaded->sender,
		.rcpts = c->rcpts,
		.nrcpts = count,
		.ret = loaded->ret,
		.envid = loaded->envid,
		.eight_bit = (t->errand->flags & SMTPD_MESSAGE_EIGHT_BIT) != 0,
		.utf8 = (t->errand->flags & SMTPD_MESSAGE_UTF8) != 0,
		.fd = loaded->fd,
		.length = loaded->size,
		.read = loaded->content != NULL ? read_content : NULL,
		.read_user = &cursor,
	};

	return smtpd_client_send(c->client, &m, c->results);
}

/* Whether a connection that served others before was closed by then: the server
 * tired of waiting.  What we refused ourselves does not count. */
static bool
is_stale(const struct smtpd_tour *t, size_t count)
{
	if (smtpd_tour_is_cancelled(t))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct smtpd_result *r = &t->courier->results[i];

		if (r->outcome == SMTPD_PERMANENT && r->code == 0)
			continue;
		if (r->outcome != SMTPD_TEMPORARY ||
		    r->phase != SMTPD_PHASE_MAIL || smtpd_tour_is_own(t, r) ||
		    (r->code != 0 && r->code != 421))
			return false;
	}
	return true;
}

/* What this host cannot do another one may: a larger SIZE, SMTPUTF8. */
static bool
is_of_host(const struct smtpd_result *r)
{
	return r->code == 0 &&
	    (strcmp(r->status, "5.3.4") == 0 ||
		strcmp(r->status, "5.6.7") == 0);
}

static void
take(struct smtpd_tour *t, size_t place, const struct smtpd_result *r)
{
	struct smtpd_parcel *parcel = &t->parcels[place];
	struct smtpd_rcpt_progress *p = &t->errand->rcpts[place];

	p->result = *r;
	if (r->outcome == SMTPD_TEMPORARY)
		smtpd_tour_soften(&p->result);
	memcpy(p->host, t->courier->stop.host, sizeof(p->host));
	parcel->told = true;
	parcel->stop = (uint8_t)(t->talks - 1);
	switch (r->outcome) {
	case SMTPD_SENT:
		t->sent = true;
		parcel->settled = true;
		break;
	case SMTPD_PERMANENT:
		parcel->settled = !is_of_host(r);
		break;
	case SMTPD_UNKNOWN:
		parcel->settled = true;
		break;
	case SMTPD_TEMPORARY:
		if (r->code != 0 && r->code != 421)
			parcel->put_off++;
		if (smtpd_tour_is_own(t, r))
			t->over = true;
		break;
	}
	smtpd_tour_tell_rcpt(t, place);
}

/* The connection was closed.  Those at PLACE and behind were not sent yet: for
 * them that is all there is, also if another's reply to the dot was lost. */
static void
lose(struct smtpd_tour *t, size_t place)
{
	struct smtpd_courier *c = t->courier;
	struct smtpd_result why = *smtpd_client_result(c->client);

	smtpd_tour_soften(&why);
	for (; place < t->errand->nrcpts; place++)
		if (smtpd_tour_is_pending(&t->parcels[place]))
			take(t, place, &why);
	if (why.code == 421 && !smtpd_tour_is_cancelled(t))
		smtpd_tour_judge(t, SMTPD_SITE_BUSY, c->stop.host, &why);
	smtpd_courier_quit(c);
}

/* Begin to talk to the host of the open connection. */
static void
arrive(struct smtpd_tour *t, bool old)
{
	struct smtpd_courier *c = t->courier;

	if (old)
		smtpd_tour_tell_stop(t, &c->stop, true);
	t->stops[t->talks++] = c->stop;
	c->errands++;
	smtpd_tour_judge(t, SMTPD_SITE_FINE, c->stop.host, NULL);
}

int
smtpd_tour_send(struct smtpd_tour *t, bool old)
{
	struct smtpd_courier *c = t->courier;
	bool dsn = smtpd_client_offers(c->client, "DSN") != NULL;
	bool arrived = false;
	size_t place = 0, n;

	while ((n = load(t, &place)) > 0) {
		int status = transact(t, n);

		if (!arrived && old && status != 0 && is_stale(t, n)) {
			smtpd_courier_quit(c);
			return -1;
		}
		if (!arrived)
			arrive(t, old);
		arrived = true;
		for (size_t i = 0; i < n; i++) {
			take(t, c->places[i], &c->results[i]);
			if (c->results[i].outcome == SMTPD_SENT && !dsn)
				t->without_dsn = true;
		}
		if (status != 0) {
			lose(t, place);
			return 0;
		}
	}
	return 0;
}
