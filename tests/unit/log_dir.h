/* SPDX-License-Identifier: MIT */
#ifndef UNIT_LOG_DIR_H
#define UNIT_LOG_DIR_H

/* A log in a directory of its own, and what is replayed from it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/disk/disk.h"

#define SEGMENT 1048576u

/* A record that was given back: its head is the decimal KEY. */
struct seen {
	struct smtpd_log_record record; /* but for the head */
	unsigned key;
};

struct log_dir {
	char path[64];
	int dir;
	struct smtpd_log_settings settings;
	struct smtpd_log *log;
	char error[256];

	struct seen *seen; /* by the last open, or walk */
	size_t count, room;
	uint64_t damaged; /* bytes that were told of */
	unsigned reports;
	char why[128];                    /* the last of them */
	int (*live)(const struct seen *); /* NULL: all are */
};

/* Fixtures: *STATE is a struct log_dir, with no log opened. */
int log_dir_setup(void **state);
int log_dir_teardown(void **state);

/* Open with D's settings; what was seen before is forgotten.  The first fails
 * the test when that fails. */
void log_dir_open(struct log_dir *d);
bool log_dir_try(struct log_dir *d);
void log_dir_close(struct log_dir *d);
void log_dir_reopen(struct log_dir *d);

/* Forget what was seen. */
void log_dir_forget(struct log_dir *d);

/* For smtpd_log_walk(), with a struct log_dir. */
int log_dir_note(void *d, const struct smtpd_log_record *record);

/* Append a live record with head KEY and LEN bytes of body that can be told
 * from it.  Return what smtpd_log_append() does. */
int log_dir_append(struct log_dir *d, unsigned key, size_t len, unsigned flags,
    struct smtpd_log_entry *entry);

/* The same for N keys from KEY on, as one group. */
int log_dir_append_group(
    struct log_dir *d, unsigned key, size_t n, size_t len, unsigned flags);

/* Write LEN bytes of the body of KEY. */
void log_dir_body(unsigned key, char *body, size_t len);

/* Fail the test unless record S can be read and is what was appended. */
void log_dir_check(struct log_dir *d, const struct seen *s);

/* Fail the test unless just the keys FROM to TO - 1 were seen, in order, and
 * can be read. */
void log_dir_expect(struct log_dir *d, unsigned from, unsigned to);

/* Change the byte at OFFSET of file NAME by XOR with BITS. */
void log_dir_flip(struct log_dir *d, const char *name, long offset, int bits);

bool log_dir_has(struct log_dir *d, const char *name);

#endif
