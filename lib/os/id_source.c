/* SPDX-License-Identifier: MIT */
#include "os/id_source.h"

#include <stdatomic.h>

#include "os/clock.h"

/* An id is the time in milliseconds, followed by so many bits, which tell
 * those of one millisecond apart. */
#define COUNT_BITS 20

/* The last id that was made or noted: see the header. */
static _Atomic uint64_t last_id;

uint64_t
smtpd__id_source_next(void)
{
	uint64_t now = smtpd__clock_wall_ms() << COUNT_BITS;
	uint64_t last = atomic_load(&last_id);
	uint64_t next;

	now &= SMTPD_ID_SOURCE_MAX;
	do {
		next = now > last ? now : last + 1;
	} while (!atomic_compare_exchange_weak(&last_id, &last, next));
	return next;
}

void
smtpd__id_source_note(uint64_t id)
{
	uint64_t last = atomic_load(&last_id);

	while (id > last && !atomic_compare_exchange_weak(&last_id, &last, id))
		continue;
}
