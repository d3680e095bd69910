/* SPDX-License-Identifier: MIT */
#ifndef UNIT_DISK_FIXTURE_H
#define UNIT_DISK_FIXTURE_H

/* A log in a directory of its own, and what is replayed from it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/disk/append.h"
#include "journal/disk/disk.h"
#include "journal/disk/open.h"
#include "journal/disk/prepare.h"
#include "journal/disk/read.h"
#include "journal/disk/recycle.h"

#define SEGMENT 1048576u

/* A record that was given back: its head is the decimal KEY. */
struct seen {
	struct smtpd_journal_record record; /* but for the head */
	unsigned key;
};

struct disk_fixture {
	char path[64];
	int dir;
	struct smtpd_disk_settings settings;
	struct smtpd_disk *log;
	char error[256];

	struct seen *seen; /* by the last open, or walk */
	size_t count, room;
	uint64_t damaged; /* bytes that were told of */
	unsigned reports;
	bool unkept;                      /* it cannot be set aside */
	char why[128];                    /* the last of them */
	int (*live)(const struct seen *); /* NULL: all are */
};

/* Fixtures: *STATE is a struct disk_fixture, with no log opened. */
int disk_fixture_setup(void **state);
int disk_fixture_teardown(void **state);

/* Open with D's settings; what was seen before is forgotten.  The first fails
 * the test when that fails. */
void disk_fixture_open(struct disk_fixture *d);
bool disk_fixture_try(struct disk_fixture *d);
void disk_fixture_close(struct disk_fixture *d);
void disk_fixture_reopen(struct disk_fixture *d);

/* Forget what was seen. */
void disk_fixture_forget(struct disk_fixture *d);

/* For disk_fixture_walk(), with a struct disk_fixture. */
int disk_fixture_note(void *d, const struct smtpd_journal_record *record);

/* Append a live record with head KEY and LEN bytes of body that can be told
 * from it.  Return what smtpd__disk_append() does. */
int disk_fixture_append(struct disk_fixture *d, unsigned key, size_t len,
    unsigned flags, struct smtpd_journal_record *entry);

/* The same for N keys from KEY on, as one group. */
int disk_fixture_append_group(
    struct disk_fixture *d, unsigned key, size_t n, size_t len, unsigned flags);

/* Write LEN bytes of the body of KEY. */
void disk_fixture_body(unsigned key, char *body, size_t len);

/* Fail the test unless record S can be read and is what was appended. */
void disk_fixture_check(struct disk_fixture *d, const struct seen *s);

/* Fail the test unless just the keys FROM to TO - 1 were seen, in order, and
 * can be read. */
void disk_fixture_expect(struct disk_fixture *d, unsigned from, unsigned to);

/* Change the byte at OFFSET of file NAME by XOR with BITS. */
void disk_fixture_flip(
    struct disk_fixture *d, const char *name, long offset, int bits);

/* Call FN with each record of a sealed SEGMENT, in order, until it returns
 * another value than 0, which is returned; -1 with errno on failure: ENOENT
 * when there is no such sealed segment. */
int disk_fixture_walk(struct smtpd_disk *log, uint32_t segment,
    int (*fn)(void *user, const struct smtpd_journal_record *record),
    void *user);

/* The oldest sealed segment; 0: there is none. */
uint32_t disk_fixture_oldest(struct smtpd_disk *log);

bool disk_fixture_has(struct disk_fixture *d, const char *name);

#endif
