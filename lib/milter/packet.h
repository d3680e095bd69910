/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_PACKET_H
#define SMTPD_MILTER_PACKET_H

/*
 * The packets of the milter protocol: four bytes of length, the most
 * significant first, a command, and data.  Written one behind the other, and
 * taken apart from what a filter sent, which nobody trusts.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pack.h"

/* Octets of data in a packet that a filter takes. */
#define SMTPD_PACKET_DATA_MAX 65535

/* Octets of one that a filter may send, its command among them. */
#define SMTPD_PACKET_ANSWER_MAX 1048576

/* Packets that are to be sent. */
struct smtpd_packet_writer {
	struct smtpd_pack out;
	size_t begun; /* where the present packet begins */
};

/* Begin a packet with COMMAND; append to it; end it. */
void smtpd__packet_begin(struct smtpd_packet_writer *w, char command);
void smtpd__packet_add_u32(struct smtpd_packet_writer *w, uint32_t n);
void smtpd__packet_add_u16(struct smtpd_packet_writer *w, uint16_t n);
void smtpd__packet_add_text(struct smtpd_packet_writer *w, const char *text);
void smtpd__packet_add_bytes(
    struct smtpd_packet_writer *w, const void *data, size_t len);
void smtpd__packet_end(struct smtpd_packet_writer *w);

/* One that a filter sent; its data lasts until the next is asked for. */
struct smtpd_packet {
	char command;
	const char *data;
	size_t len;
};

enum smtpd_packet_found {
	SMTPD_PACKET_WHOLE,
	SMTPD_PACKET_PART,    /* more of it must be read */
	SMTPD_PACKET_INVALID, /* it has no length that one can have */
};

/* Find the packet that LEN bytes at DATA begin with.  *WANTED: its octets in
 * all, or those of its length where they are not there yet. */
enum smtpd_packet_found smtpd__packet_find(
    const char *data, size_t len, struct smtpd_packet *out, size_t *wanted);

/* Take from the front of P a number, or a text with its NUL.  Return false, or
 * NULL, when it is not there. */
bool smtpd__packet_get_u32(struct smtpd_packet *p, uint32_t *out);
const char *smtpd__packet_get_text(struct smtpd_packet *p);

#endif
