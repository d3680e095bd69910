/* SPDX-License-Identifier: MIT */
#include "queue/control/list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "journal/content.h"
#include "queue/control/text.h"

/* A part of an answer ends after so many messages, or octets. */
#define PART_MESSAGES 1000
#define PART_OCTETS   262144

/* Where a list goes on: behind which id, and the totals so far. */
struct list_place {
	uint64_t id;
	struct smtpd_control_text_totals totals;
};

/* The numbers of the totals, which follow the id in a continuation word. */
#define PLACE_NUMBERS (2 + SMTPD_SNAPSHOT_DONE)

static int
read_place(const char *text, struct list_place *p)
{
	uint64_t numbers[PLACE_NUMBERS];
	char *end;

	memset(p, 0, sizeof(*p));
	if (text == NULL)
		return 0;
	p->id = strtoull(text + 1, &end, 10);
	for (size_t i = 0; i < PLACE_NUMBERS; i++) {
		if (*end != ',')
			return -1;
		numbers[i] = strtoull(end + 1, &end, 10);
	}
	p->totals.messages = numbers[0];
	p->totals.bytes = numbers[1];
	memcpy(p->totals.states, numbers + 2,
	    SMTPD_SNAPSHOT_DONE * sizeof(*numbers));
	return *end == '\0' ? 0 : -1;
}

/* List one message and add it to TOTALS, unless it is over.  One that there is
 * no memory for ends no list. */
static void
list_one(struct smtpd_control_request *r,
    const struct smtpd_queued_message *message,
    struct smtpd_control_text_totals *totals)
{
	struct smtpd_control_snapshot v;
	char id[SMTPD_ID_SIZE];

	if (smtpd__control_snapshot_init(
		&v, r->spool, r->hooks, message, false) == -1) {
		smtpd__id_write(message->id, id);
		smtpd__control_output_format(r->answer,
		    r->json ? "{\"id\":\"%s\",\"error\":\"%s\"}\n"
			    : "%s (not shown: %s)\n",
		    id, strerror(errno));
	} else if (v.state != SMTPD_SNAPSHOT_DONE &&
	    (v.copy->flags & SMTPD_MESSAGE_REMOVED) == 0) {
		totals->messages++;
		totals->bytes += message->size;
		totals->states[v.state]++;
		r->describe(r->answer, &v);
	}
	smtpd__control_snapshot_finish(&v);
}

int
smtpd__control_list_messages(struct smtpd_control_request *r)
{
	struct smtpd_journal *journal = smtpd__spool_journal(r->spool);
	struct list_place place;
	struct smtpd_text t;

	if (read_place(r->from, &place) == -1)
		return smtpd__control_request_fail(
		    r, EINVAL, "not a place in a list", r->from);
	if (r->from == NULL && !r->json)
		smtpd__control_text_head(r->answer);
	for (int n = 0; !r->answer->failed; n++) {
		struct smtpd_queued_message *message;

		if (n == PART_MESSAGES || r->answer->total > PART_OCTETS) {
			smtpd__text_init(&t, r->call->end, r->call->size);
			smtpd__text_format(&t,
			    "@%" PRIu64 ",%" PRIu64 ",%" PRIu64, place.id,
			    place.totals.messages, place.totals.bytes);
			for (size_t i = 0; i < SMTPD_SNAPSHOT_DONE; i++)
				smtpd__text_format(
				    &t, ",%" PRIu64, place.totals.states[i]);
			return 0;
		}
		message = smtpd__spool_next(r->spool, place.id);
		if (message == NULL)
			break;
		place.id = message->id;
		list_one(r, message, &place.totals);
		smtpd__spool_unpin(r->spool, message);
	}
	if (!r->json) {
		place.totals.quarantine = smtpd__content_count_kept(
		    journal, SMTPD_CONTENT_QUARANTINE);
		place.totals.dead = smtpd__content_count_kept(
		    journal, SMTPD_CONTENT_DEAD_LETTER);
		smtpd__control_text_totals(r->answer, &place.totals);
	}
	return 0;
}

int
smtpd__control_list_ids(struct smtpd_control_request *r)
{
	uint64_t id = r->from != NULL ? strtoull(r->from + 1, NULL, 10) : 0;
	char text[SMTPD_ID_SIZE];

	for (int n = 0; n < PART_MESSAGES; n++) {
		struct smtpd_queued_message *message =
		    smtpd__spool_next(r->spool, id);

		if (message == NULL)
			return 0;
		id = message->id;
		smtpd__spool_unpin(r->spool, message);
		smtpd__id_write(id, text);
		smtpd__control_output_format(r->answer, "%s\n", text);
	}
	snprintf(r->call->end, r->call->size, "@%" PRIu64, id);
	return 0;
}
