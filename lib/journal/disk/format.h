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
#define SMTPD_DISK_SEGMENT_MIN     1048576u
#define SMTPD_DISK_SEGMENT_MAX     1073741824u
#define SMTPD_DISK_SEGMENT_DEFAULT 67108864u

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
	SMTPD_DISK_HEADER_NEWER,  /* intact, of a version not known here */
	SMTPD_DISK_HEADER_UNREAD, /* it cannot be read now, as errno says */
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
static inline struct smtpd_record_ref
smtpd__disk_format_ref(uint32_t segment, uint32_t offset)
{
	return (struct smtpd_record_ref){ (uint64_t)offset << 32 | segment };
}

static inline uint32_t
smtpd__disk_format_ref_segment(struct smtpd_record_ref ref)
{
	return (uint32_t)ref.value;
}

static inline uint32_t
smtpd__disk_format_ref_offset(struct smtpd_record_ref ref)
{
	return (uint32_t)(ref.value >> 32);
}

/* What a record of such a head and body takes on disk, padding included. */
static inline uint64_t
smtpd__disk_format_size(size_t head_len, uint64_t body_len)
{
	return (SMTPD_DISK_RECORD_HEADER + head_len + body_len + 7) &
	    ~UINT64_C(7);
}

/* The same for one with HEADER. */
static inline uint32_t
smtpd__disk_format_record_size(const struct smtpd_disk_record_header *header)
{
	return (uint32_t)smtpd__disk_format_size(
	    header->head_len, header->body_len);
}

/* Suffixes of the names of segments and their indexes. */
#define SMTPD_DISK_SEGMENT ".log"
#define SMTPD_DISK_INDEX   ".idx"

/* The name of segment NUMBER, or of its index, as SUFFIX says. */
void smtpd__disk_format_name(
    char name[SMTPD_DISK_NAME], uint32_t number, const char *suffix);

/* The number in a NAME with SUFFIX; 0: it is none of ours. */
uint32_t smtpd__disk_format_name_number(const char *name, const char *suffix);

#endif
