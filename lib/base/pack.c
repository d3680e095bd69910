/* SPDX-License-Identifier: MIT */
#include "base/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/little.h"

/* The least that is allocated. */
#define SIZE_MIN 256

/* Have room for SIZE bytes in all. */
static void
reserve_pack(struct smtpd_pack *p, size_t size)
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
extend_pack(struct smtpd_pack *p, size_t len)
{
	size_t size = p->size < SIZE_MIN ? SIZE_MIN : p->size;

	if (len > SIZE_MAX / 4 || p->len > SIZE_MAX / 4)
		p->failed = true;
	while (!p->failed && size - p->len < len)
		size *= 2;
	reserve_pack(p, size);
	if (p->failed)
		return NULL;
	p->len += len;
	return p->data + p->len - len;
}

void
smtpd__pack_u8(struct smtpd_pack *p, uint8_t n)
{
	unsigned char *at = extend_pack(p, sizeof(n));

	if (at != NULL)
		*at = n;
}

void
smtpd__pack_u16(struct smtpd_pack *p, uint16_t n)
{
	unsigned char *at = extend_pack(p, sizeof(n));

	if (at != NULL)
		smtpd_put_u16(at, n);
}

void
smtpd__pack_u32(struct smtpd_pack *p, uint32_t n)
{
	unsigned char *at = extend_pack(p, sizeof(n));

	if (at != NULL)
		smtpd_put_u32(at, n);
}

void
smtpd__pack_u64(struct smtpd_pack *p, uint64_t n)
{
	unsigned char *at = extend_pack(p, sizeof(n));

	if (at != NULL)
		smtpd_put_u64(at, n);
}

void
smtpd__pack_bytes(struct smtpd_pack *p, const void *data, size_t len)
{
	unsigned char *at = extend_pack(p, len);

	if (at != NULL && len > 0)
		memcpy(at, data, len);
}

void
smtpd__pack_free(struct smtpd_pack *p)
{
	free(p->data);
	*p = (struct smtpd_pack){ 0 };
}

const unsigned char *
smtpd__pack_get_bytes(struct smtpd_unpack *u, size_t len)
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

uint8_t
smtpd__pack_get_u8(struct smtpd_unpack *u)
{
	const unsigned char *at = smtpd__pack_get_bytes(u, 1);

	return at != NULL ? *at : 0;
}

uint16_t
smtpd__pack_get_u16(struct smtpd_unpack *u)
{
	const unsigned char *at = smtpd__pack_get_bytes(u, 2);

	return at != NULL ? smtpd_get_u16(at) : 0;
}

uint32_t
smtpd__pack_get_u32(struct smtpd_unpack *u)
{
	const unsigned char *at = smtpd__pack_get_bytes(u, 4);

	return at != NULL ? smtpd_get_u32(at) : 0;
}

uint64_t
smtpd__pack_get_u64(struct smtpd_unpack *u)
{
	const unsigned char *at = smtpd__pack_get_bytes(u, 8);

	return at != NULL ? smtpd_get_u64(at) : 0;
}
