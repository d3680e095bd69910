/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_PACK_H
#define SMTPD_BASE_PACK_H

/*
 * Numbers and bytes one after the other: appended to memory that grows, and
 * taken from memory that nobody trusts.  Numbers have the least significant
 * byte first.  Whoever fails once goes on failing, so it is enough to look at
 * the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: nothing yet. */
struct smtpd_pack {
	unsigned char *data;
	size_t len;
	size_t size;
	bool failed; /* there was no memory */
};

void smtpd__pack_u8(struct smtpd_pack *p, uint8_t n);
void smtpd__pack_u16(struct smtpd_pack *p, uint16_t n);
void smtpd__pack_u32(struct smtpd_pack *p, uint32_t n);
void smtpd__pack_u64(struct smtpd_pack *p, uint64_t n);
void smtpd__pack_bytes(struct smtpd_pack *p, const void *data, size_t len);

/* Free its memory; it is as at first. */
void smtpd__pack_free(struct smtpd_pack *p);

/* What is left to be taken. */
struct smtpd_unpack {
	const unsigned char *at;
	size_t left;
	bool failed; /* more was asked for than there was */
};

/* The next number; 0 when it is not there. */
uint8_t smtpd__pack_get_u8(struct smtpd_unpack *u);
uint16_t smtpd__pack_get_u16(struct smtpd_unpack *u);
uint32_t smtpd__pack_get_u32(struct smtpd_unpack *u);
uint64_t smtpd__pack_get_u64(struct smtpd_unpack *u);

/* The next LEN bytes; NULL when they are not there. */
const unsigned char *smtpd__pack_get_bytes(struct smtpd_unpack *u, size_t len);

#endif
