/* SPDX-License-Identifier: MIT */
#include "os/id_source.h"

#include <stdatomic.h>

#include "os/clock.h"
#include "os/random.h"

/* An id is the time in milliseconds, followed by so many bits, which begin by
 * chance in each millisecond and count up. */
#define CHANCE_BITS 20

/* The last id that was made or noted: see the header. */
static _Atomic uint64_t last_id;

uint64_t
smtpd__id_source_next(void)
{
	uint64_t now =
	    smtpd__clock_wall_ms() << CHANCE_BITS & SMTPD_ID_SOURCE_MAX;
	uint64_t last = atomic_load(&last_id);
	uint64_t next;

	if (now > last)
		now |= smtpd__random_below(1u << CHANCE_BITS);
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

void
smtpd__id_source_note_time(uint64_t wall_ms)
{
	smtpd__id_source_note(((wall_ms + 1) << CHANCE_BITS) - 1);
}

uint64_t
smtpd__id_source_last(void)
{
	return atomic_load(&last_id);
}
