/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_ID_SOURCE_H
#define SMTPD_OS_ID_SOURCE_H

/*
 * Ids for transactions and messages: they rise, stay close to the time, and
 * are unique in the process.  Processes on one host share no counter, so a part
 * of each id is chance: that two ids of one millisecond are the same happens
 * once in a million.
 *
 * The last one is the only variable of the library that all its objects share.
 * Servers and queues are made apart, and a program joins them by a callback
 * that neither sees through, so no object could be handed to both; yet a
 * message in a queue bears the id that a server gave it, beside ids that the
 * queue makes for reports.
 */

#include <stdint.h>

/* The largest id. */
#define SMTPD_ID_SOURCE_MAX INT64_MAX

/* Make an id: above 0, and above all that were made or noted before. */
uint64_t smtpd__id_source_next(void);

/* Note that ID, at most SMTPD_ID_SOURCE_MAX, was made by an earlier run. */
void smtpd__id_source_note(uint64_t id);

/* Note that an earlier run made ids until WALL_MS, as smtpd__clock_wall_ms():
 * none of them is made again when the clock was set back since. */
void smtpd__id_source_note_time(uint64_t wall_ms);

/* The last id that was made or noted. */
uint64_t smtpd__id_source_last(void);

#endif
