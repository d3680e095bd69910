/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_MESSAGE_TABLE_H
#define SMTPD_QUEUE_SPOOL_MESSAGE_TABLE_H

/*
 * Entries sorted by id: leaves of some hundred pointers each.  As ids rise,
 * most are added behind the last one, and leaves are full.
 */

#include "queue/model/queued_message.h"

struct smtpd_entries_leaf;

/* All zero: empty. */
struct smtpd_entries {
	struct smtpd_entries_leaf **leaves; /* none of them is empty */
	size_t count;
	size_t size;
};

/* The entry with the least id that is at least ID; NULL: there is none. */
struct smtpd_entry *smtpd_entries_from(
    const struct smtpd_entries *t, uint64_t id);

/* The entry of ID; NULL: there is none. */
struct smtpd_entry *smtpd_entries_find(
    const struct smtpd_entries *t, uint64_t id);

/* Add ENTRY, whose id is not there.  False without memory. */
bool smtpd_entries_insert(struct smtpd_entries *t, struct smtpd_entry *entry);

/* Take out ENTRY, which is there. */
void smtpd_entries_remove(
    struct smtpd_entries *t, const struct smtpd_entry *entry);

/* Take out the last entry, which may be freed; NULL: there was none, and the
 * table's memory is free. */
struct smtpd_entry *smtpd_entries_take(struct smtpd_entries *t);

#endif
