/* SPDX-License-Identifier: MIT */
#include "journal/disk/format.h"

#include <stdio.h>
#include <string.h>

#include "base/little.h"

static const char segment_magic[8] = { 'S', 'M', 'T', 'P', 'D', 'L', 'O', 'G' };

void
smtpd__disk_format_put_header(const struct smtpd_crc32c *crc,
    const struct smtpd_disk_header *header, uint8_t *p)
{
	memset(p, 0, SMTPD_DISK_HEADER);
	memcpy(p, segment_magic, sizeof(segment_magic));
	smtpd_put_u32(p + 8, SMTPD_DISK_VERSION);
	smtpd_put_u32(p + 12, header->number);
	smtpd_put_u32(p + 16, header->size);
	smtpd_put_u32(p + 20, header->mark);
	smtpd_put_u32(p + 24, header->previous_end);
	smtpd_put_u64(p + 32, header->base);
	smtpd_put_u64(p + 40, header->follows);
	smtpd_put_u32(p + 60, smtpd__crc32c(crc, 0, p, 60));
}

enum smtpd_disk_header_state
smtpd__disk_format_get_header(const struct smtpd_crc32c *crc, const uint8_t *p,
    struct smtpd_disk_header *header)
{
	if (memcmp(p, segment_magic, sizeof(segment_magic)) != 0 ||
	    smtpd_get_u32(p + 60) != smtpd__crc32c(crc, 0, p, 60))
		return SMTPD_DISK_HEADER_DAMAGED;
	header->version = smtpd_get_u32(p + 8);
	header->number = smtpd_get_u32(p + 12);
	header->size = smtpd_get_u32(p + 16);
	header->mark = smtpd_get_u32(p + 20);
	header->previous_end = smtpd_get_u32(p + 24);
	header->base = smtpd_get_u64(p + 32);
	header->follows = smtpd_get_u64(p + 40);
	if (header->version != SMTPD_DISK_VERSION)
		return SMTPD_DISK_HEADER_NEWER;
	if (header->size < SMTPD_DISK_SEGMENT_MIN ||
	    header->size > SMTPD_DISK_SEGMENT_MAX ||
	    header->size % SMTPD_DISK_PAGE != 0 || header->number == 0 ||
	    header->follows >= header->base ||
	    header->base > SMTPD_DISK_SEQUENCE_MAX)
		return SMTPD_DISK_HEADER_DAMAGED;
	return SMTPD_DISK_HEADER_GOOD;
}

void
smtpd__disk_format_put_record(const struct smtpd_crc32c *crc, uint32_t mark,
    const struct smtpd_disk_record_header *header, const void *head, uint8_t *p)
{
	uint32_t sum;

	memset(p, 0, SMTPD_DISK_RECORD_HEADER);
	smtpd_put_u32(p, mark);
	smtpd_put_u32(p + 8, header->body_crc);
	smtpd_put_u32(p + 12, header->head_len);
	smtpd_put_u32(p + 16, header->body_len);
	p[20] = header->type;
	p[21] = header->flags;
	smtpd_put_u64(p + 24, header->sequence);
	smtpd_put_u64(p + 32, header->durable);
	sum = smtpd__crc32c(crc, 0, p + 8, SMTPD_DISK_RECORD_HEADER - 8);
	smtpd_put_u32(p + 4, smtpd__crc32c(crc, sum, head, header->head_len));
}

bool
smtpd__disk_format_get_record(
    uint32_t mark, const uint8_t *p, struct smtpd_disk_record_header *header)
{
	if (smtpd_get_u32(p) != mark)
		return false;
	header->body_crc = smtpd_get_u32(p + 8);
	header->head_len = smtpd_get_u32(p + 12);
	header->body_len = smtpd_get_u32(p + 16);
	header->type = p[20];
	header->flags = p[21];
	header->sequence = smtpd_get_u64(p + 24);
	header->durable = smtpd_get_u64(p + 32);
	return header->head_len <= SMTPD_JOURNAL_HEAD_MAX &&
	    header->body_len <= SMTPD_JOURNAL_GROUP_MAX &&
	    header->sequence <= SMTPD_DISK_SEQUENCE_MAX &&
	    header->durable < header->sequence;
}

bool
smtpd__disk_format_head_checks(const struct smtpd_crc32c *crc,
    const struct smtpd_disk_record_header *header, const uint8_t *p)
{
	return smtpd_get_u32(p + 4) ==
	    smtpd__crc32c(
		crc, 0, p + 8, SMTPD_DISK_RECORD_HEADER - 8 + header->head_len);
}

bool
smtpd__disk_format_body_checks(const struct smtpd_crc32c *crc,
    const struct smtpd_disk_record_header *header, const uint8_t *p)
{
	return header->body_crc ==
	    smtpd__crc32c(crc, 0,
		p + SMTPD_DISK_RECORD_HEADER + header->head_len,
		header->body_len);
}

void
smtpd__disk_format_name(
    char name[SMTPD_DISK_NAME], uint32_t number, const char *suffix)
{
	snprintf(name, SMTPD_DISK_NAME, "%08x%s", (unsigned)number, suffix);
}

uint32_t
smtpd__disk_format_name_number(const char *name, const char *suffix)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t number = 0;

	for (int i = 0; i < 8; i++) {
		const char *digit =
		    name[i] != '\0' ? strchr(digits, name[i]) : NULL;

		if (digit == NULL)
			return 0;
		number = number << 4 | (uint32_t)(digit - digits);
	}
	return strcmp(name + 8, suffix) == 0 ? number : 0;
}
