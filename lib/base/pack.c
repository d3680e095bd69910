/* SPDX-License-Identifier: MIT */
#include "base/pack.h"

#include <stdlib.h>
#include <string.h>

/* The least that is allocated. */
#define SIZE_MIN 256

void
smtpd_pack_reserve(struct smtpd_pack *p, size_t size)
{
	unsigned char *data;

	if (p->failed || size <= p->size)
		return;
	data = realloc(p->data, size);
	if (data == NULL) {
		p->failed = true;
		return;
	}
	p->data = data;
	p->size = size;
}

/* Append room for LEN bytes.  NULL without memory. */
static unsigned char *
extend(struct smtpd_pack *p, size_t len)
{
	size_t size = p->size < SIZE_MIN ? SIZE_MIN : p->size;

	if (len > SIZE_MAX / 4 || p->len > SIZE_MAX / 4)
		p->failed = true;
	while (!p->failed && size - p->len < len)
		size *= 2;
	smtpd_pack_reserve(p, size);
	if (p->failed)
		return NULL;
	p->len += len;
	return p->data + p->len - len;
}

static void
add_number(struct smtpd_pack *p, uint64_t n, size_t len)
{
	unsigned char *at = extend(p, len);

	for (size_t i = 0; at != NULL && i < len; i++)
		at[i] = (unsigned char)(n >> 8 * i);
}

void
smtpd_pack_u8(struct smtpd_pack *p, uint8_t n)
{
	add_number(p, n, 1);
}

void
smtpd_pack_u16(struct smtpd_pack *p, uint16_t n)
{
	add_number(p, n, 2);
}

void
smtpd_pack_u32(struct smtpd_pack *p, uint32_t n)
{
	add_number(p, n, 4);
}

void
smtpd_pack_u64(struct smtpd_pack *p, uint64_t n)
{
	add_number(p, n, 8);
}

void
smtpd_pack_bytes(struct smtpd_pack *p, const void *data, size_t len)
{
	unsigned char *at = extend(p, len);

	if (at != NULL && len > 0)
		memcpy(at, data, len);
}

void
smtpd_pack_free(struct smtpd_pack *p)
{
	free(p->data);
	*p = (struct smtpd_pack){ 0 };
}

const unsigned char *
smtpd_unpack_bytes(struct smtpd_unpack *u, size_t len)
{
	const unsigned char *at = u->at;

	if (u->failed || len > u->left) {
		u->failed = true;
		return NULL;
	}
	u->at += len;
	u->left -= len;
	return at;
}

static uint64_t
take_number(struct smtpd_unpack *u, size_t len)
{
	const unsigned char *at = smtpd_unpack_bytes(u, len);
	uint64_t n = 0;

	for (size_t i = len; at != NULL && i-- > 0;)
		n = n << 8 | at[i];
	return n;
}

uint8_t
smtpd_unpack_u8(struct smtpd_unpack *u)
{
	return (uint8_t)take_number(u, 1);
}

uint16_t
smtpd_unpack_u16(struct smtpd_unpack *u)
{
	return (uint16_t)take_number(u, 2);
}

uint32_t
smtpd_unpack_u32(struct smtpd_unpack *u)
{
	return (uint32_t)take_number(u, 4);
}

uint64_t
smtpd_unpack_u64(struct smtpd_unpack *u)
{
	return take_number(u, 8);
}
