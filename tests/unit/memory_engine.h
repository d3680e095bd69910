/* SPDX-License-Identifier: MIT */
#ifndef UNIT_MEMORY_ENGINE_H
#define UNIT_MEMORY_ENGINE_H

/*
 * An engine that keeps a journal in the memory of the test, and is as forgetful
 * as journal.h allows: when it is closed, whatever was not waited for is lost.
 * There is one store; its location does not matter.
 */

#include "journal/journal.h"

extern const struct smtpd_journal_engine memory_engine;

/* Empty the store, which is closed. */
void memory_engine_reset(void);

/* The next commit says that it is not known what came of it; it is durable if
 * COMMITTED, else lost. */
void memory_engine_break(bool committed);

/* The power goes: no commit succeeds from now on until the journal is closed,
 * and what was not committed is lost then. */
void memory_engine_cut(void);

#endif
