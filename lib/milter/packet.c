/* SPDX-License-Identifier: MIT */
#include "milter/packet.h"

#include <string.h>

/* Octets of a packet's length. */
#define LENGTH 4

static void
write_u32(unsigned char *to, uint32_t n)
{
	to[0] = (unsigned char)(n >> 24);
	to[1] = (unsigned char)(n >> 16);
	to[2] = (unsigned char)(n >> 8);
	to[3] = (unsigned char)n;
}

static uint32_t
read_u32(const char *from)
{
	const unsigned char *b = (const unsigned char *)from;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	    (uint32_t)b[2] << 8 | b[3];
}

void
smtpd__packet_begin(struct smtpd_packet_writer *w, char command)
{
	w->begun = w->out.len;
	smtpd__packet_add_u32(w, 0);
	smtpd__packet_add_bytes(w, &command, 1);
}

void
smtpd__packet_add_u32(struct smtpd_packet_writer *w, uint32_t n)
{
	unsigned char bytes[LENGTH];

	write_u32(bytes, n);
	smtpd__packet_add_bytes(w, bytes, sizeof(bytes));
}

void
smtpd__packet_add_u16(struct smtpd_packet_writer *w, uint16_t n)
{
	const unsigned char bytes[] = { (unsigned char)(n >> 8),
		(unsigned char)n };

	smtpd__packet_add_bytes(w, bytes, sizeof(bytes));
}

void
smtpd__packet_add_text(struct smtpd_packet_writer *w, const char *text)
{
	smtpd__packet_add_bytes(w, text, strlen(text) + 1);
}

void
smtpd__packet_add_bytes(
    struct smtpd_packet_writer *w, const void *data, size_t len)
{
	smtpd__pack_bytes(&w->out, data, len);
}

void
smtpd__packet_end(struct smtpd_packet_writer *w)
{
	if (!w->out.failed)
		write_u32(w->out.data + w->begun,
		    (uint32_t)(w->out.len - w->begun - LENGTH));
}

enum smtpd_packet_found
smtpd__packet_find(
    const char *data, size_t len, struct smtpd_packet *out, size_t *wanted)
{
	uint32_t octets;

	*wanted = LENGTH;
	if (len < LENGTH)
		return SMTPD_PACKET_PART;
	octets = read_u32(data);
	if (octets == 0 || octets > SMTPD_PACKET_ANSWER_MAX)
		return SMTPD_PACKET_INVALID;
	*wanted = LENGTH + (size_t)octets;
	if (len < *wanted)
		return SMTPD_PACKET_PART;
	*out = (struct smtpd_packet){
		.command = data[LENGTH],
		.data = data + LENGTH + 1,
		.len = octets - 1,
	};
	return SMTPD_PACKET_WHOLE;
}

bool
smtpd__packet_get_u32(struct smtpd_packet *p, uint32_t *out)
{
	if (p->len < LENGTH)
		return false;
	*out = read_u32(p->data);
	p->data += LENGTH;
	p->len -= LENGTH;
	return true;
}

const char *
smtpd__packet_get_text(struct smtpd_packet *p)
{
	const char *text = p->data;
	const char *end = p->len > 0 ? memchr(text, '\0', p->len) : NULL;

	if (end == NULL)
		return NULL;
	p->len -= (size_t)(end + 1 - text);
	p->data = end + 1;
	return text;
}
