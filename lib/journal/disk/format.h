/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_FORMAT_H
#define SMTPD_JOURNAL_DISK_FORMAT_H

/* The bytes of the log's files, as in doc/queue-format.md. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crc32c.h"
#include "journal/journal.h"

#define SMTPD_DISK_VERSION 1u

/* A segment begins and ends with a page that holds its header. */
#define SMTPD_DISK_PAGE   4096u
#define SMTPD_DISK_HEADER 64u

/* And the header of a record. */
#define SMTPD_DISK_RECORD_HEADER 40u

/* Sizes of segments. */
#define SMTPD_DISK_SEGMENT_MIN 1048576u
#define SMTPD_DISK_SEGMENT_MAX 1073741824u

/* No sequence is greater, so that they can be counted on from. */
#define SMTPD_DISK_SEQUENCE_MAX (UINT64_MAX / 2)

/* Room for the name of a segment, index or spare. */
#define SMTPD_DISK_NAME 16

/* What the header of a segment says. */
struct smtpd_disk_header {
	uint32_t version; /* filled in by smtpd__disk_format_get_header() */
	uint32_t number;
	uint32_t size;         /* of the file */
	uint32_t mark;         /* begins each of its records */
	uint32_t previous_end; /* where the records of the segment before it
	                        * end; 0: not known */
	uint64_t base;         /* the least sequence that is used here */
	uint64_t follows;      /* the last one durable before it was begun */
};

enum smtpd_disk_header_state {
	SMTPD_DISK_HEADER_GOOD,
	SMTPD_DISK_HEADER_DAMAGED,
	SMTPD_DISK_HEADER_NEWER, /* intact, of a version not known here */
};

/* The record is not the last of its group. */
#define SMTPD_DISK_MORE 1u

struct smtpd_disk_record_header {
	uint32_t body_crc;
	uint32_t head_len;
	uint32_t body_len;
	uint8_t type;
	uint8_t flags;
	uint64_t sequence;
	uint64_t durable; /* the last one durable when it was appended */
};

/* Write SMTPD_DISK_HEADER bytes at P. */
void smtpd__disk_format_put_header(const struct smtpd_crc32c *crc,
    const struct smtpd_disk_header *header, uint8_t *p);

/* Read as many; HEADER is filled in unless they are damaged. */
enum smtpd_disk_header_state smtpd__disk_format_get_header(
    const struct smtpd_crc32c *crc, const uint8_t *p,
    struct smtpd_disk_header *header);

/* Write SMTPD_DISK_RECORD_HEADER bytes at P: they begin a record with HEAD in a
 * segment with MARK. */
void smtpd__disk_format_put_record(const struct smtpd_crc32c *crc,
    uint32_t mark, const struct smtpd_disk_record_header *header,
    const void *head, uint8_t *p);

/* Read as many.  Return false when they cannot begin a record; else the head
 * must still be checked. */
bool smtpd__disk_format_get_record(
    uint32_t mark, const uint8_t *p, struct smtpd_disk_record_header *header);

/* Whether the header at P and the head behind it are intact, and the body
 * behind that. */
bool smtpd__disk_format_head_checks(const struct smtpd_crc32c *crc,
    const struct smtpd_disk_record_header *header, const uint8_t *p);
bool smtpd__disk_format_body_checks(const struct smtpd_crc32c *crc,
    const struct smtpd_disk_record_header *header, const uint8_t *p);

/* Where a record lies: the low half of a ref is the number of its segment, the
 * high half its offset there. */
struct smtpd_record_ref smtpd__disk_format_ref(
    uint32_t segment, uint32_t offset);
uint32_t smtpd__disk_format_ref_segment(struct smtpd_record_ref ref);
uint32_t smtpd__disk_format_ref_offset(struct smtpd_record_ref ref);

/* What a record of such a head and body takes on disk, padding included. */
uint64_t smtpd__disk_format_size(size_t head_len, uint64_t body_len);

/* The same for one with HEADER. */
uint32_t smtpd__disk_format_record_size(
    const struct smtpd_disk_record_header *header);

/* The name of segment NUMBER, or of its index. */
void smtpd__disk_format_segment_name(
    char name[SMTPD_DISK_NAME], uint32_t number);
void smtpd__disk_format_index_name(char name[SMTPD_DISK_NAME], uint32_t number);

/* The number in a NAME with SUFFIX, such as ".log"; 0: it is none of ours. */
uint32_t smtpd__disk_format_name_number(const char *name, const char *suffix);

#endif
