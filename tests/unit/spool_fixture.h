/* SPDX-License-Identifier: MIT */
#ifndef UNIT_SPOOL_FIXTURE_H
#define UNIT_SPOOL_FIXTURE_H

/* A spool in a directory of its own, and what it is asked and told. */

#include "journal/disk/engine.h"
#include "queue/spool/spool.h"

struct fixture {
	char path[64];
	struct smtpd_spool *spool;
	struct smtpd_spool_settings settings;
	struct smtpd_destination *destinations; /* that are referred to */
	uint64_t references;                    /* to all of them */
	uint64_t lost;                          /* entries */
	char error[256];
};

/* For cmocka: *STATE is a fixture whose spool is open, with segments of 1 MiB;
 * without errors, and all references are given back, in the end. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The same for other programs. */
void fixture_make(struct fixture *f);
void fixture_remove(struct fixture *f);

/* Open the spool; it must work.  Close it, and open it again. */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
void fixture_reopen(struct fixture *f);

/* When something is due in F that was due at DUE before F was opened: what the
 * queue was closed for is not waited for again. */
uint32_t fixture_due(const struct fixture *f, uint32_t due);

/* A mail to COUNT recipients with LEN bytes of content: added, or not.  Return
 * what smtpd__spool_add() does. */
int fixture_try_add(struct fixture *f, const char *const *rcpts, size_t count,
    const char *content, size_t len, struct smtpd_queued_message **message);

/* Add a mail, which must work.  Return its id. */
uint64_t fixture_add(struct fixture *f, const char *rcpt, const char *content);

/* The message of ID, pinned; it must be there. */
struct smtpd_queued_message *fixture_find(struct fixture *f, uint64_t id);

/* Whether there is one. */
bool fixture_has(struct fixture *f, uint64_t id);

/* Report an attempt at job number JOB of ID: all its recipients are finished,
 * or none, and it is due at DUE.  Return what smtpd__spool_progress() does. */
int fixture_progress(struct fixture *f, uint64_t id, uint32_t job,
    bool finished, uint32_t due, const char *history);

/* The content of ID must be TEXT. */
void fixture_assert_content(
    struct fixture *f, uint64_t id, const char *text, size_t len);

/* All histories of a job, in BUF of SIZE bytes. */
void fixture_trail(
    struct fixture *f, uint64_t id, uint32_t job, char *buf, size_t size);

/* The name of a destination. */
const char *fixture_name(const struct smtpd_destination *d);

/* How many files are in the directory NAME of the spool. */
size_t fixture_count_files(struct fixture *f, const char *name);

/* Clean until there is nothing more to do. */
void fixture_clean(struct fixture *f);

/* Deterministic chance: a number below N. */
uint32_t fixture_random(uint64_t *seed, uint32_t n);

#endif
