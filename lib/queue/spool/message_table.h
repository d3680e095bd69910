/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_MESSAGE_TABLE_H
#define SMTPD_QUEUE_SPOOL_MESSAGE_TABLE_H

/*
 * Entries sorted by id: leaves of some hundred pointers each.  As ids rise,
 * most are added behind the last one, and leaves are full.
 */

#include "queue/model/queued_message.h"

struct smtpd_message_table_leaf;

/* All zero: empty. */
struct smtpd_message_table {
	struct smtpd_message_table_leaf **leaves; /* none of them is empty */
	size_t count;
	size_t size;
};

/* The message with the least id that is at least ID; NULL: there is none. */
struct smtpd_queued_message *smtpd__message_table_from(
    const struct smtpd_message_table *t, uint64_t id);

/* The message of ID; NULL: there is none. */
struct smtpd_queued_message *smtpd__message_table_find(
    const struct smtpd_message_table *t, uint64_t id);

/* Add MESSAGE, whose id is not there.  False without memory. */
bool smtpd__message_table_insert(
    struct smtpd_message_table *t, struct smtpd_queued_message *message);

/* Take out MESSAGE, which is there. */
void smtpd__message_table_remove(
    struct smtpd_message_table *t, const struct smtpd_queued_message *message);

/* Take out the last message, which may be freed; NULL: there was none, and the
 * table's memory is free. */
struct smtpd_queued_message *smtpd__message_table_take(
    struct smtpd_message_table *t);

#endif
