/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TESTS_DNS_PACKET_H
#define SMTPD_TESTS_DNS_PACKET_H

/* Messages of the DNS, written byte by byte: right ones and wrong ones. */

#include <stddef.h>
#include <stdint.h>

#define DNS_PACKET_MAX 65535

#define DNS_QR 0x8000
#define DNS_AA 0x0400
#define DNS_TC 0x0200
#define DNS_RD 0x0100
#define DNS_RA 0x0080
#define DNS_AD 0x0020

enum dns_section {
	DNS_QUESTION,
	DNS_ANSWER,
	DNS_AUTHORITY,
	DNS_ADDITIONAL,
};

struct dns_packet {
	size_t len;
	unsigned char at[DNS_PACKET_MAX];
};

/* Begin with a header without any records. */
void dns_begin(struct dns_packet *p, uint16_t id, unsigned flags);

/* Append plain bytes. */
void dns_u8(struct dns_packet *p, unsigned value);
void dns_u16(struct dns_packet *p, unsigned value);
void dns_u32(struct dns_packet *p, uint32_t value);
void dns_bytes(struct dns_packet *p, const void *bytes, size_t len);
void dns_name(struct dns_packet *p, const char *name);

/* Append a question. */
void dns_question(struct dns_packet *p, const char *name, unsigned type);

/*
 * Append the head of a record to SECTION, and count it there.  Return where its
 * data begins, for dns_close(), which writes down how long they are.
 */
size_t dns_open(struct dns_packet *p, enum dns_section section,
    const char *name, unsigned type, uint32_t ttl);
void dns_close(struct dns_packet *p, size_t data);

/* Whole records of the answer section. */
void dns_mx(struct dns_packet *p, const char *name, uint32_t ttl,
    unsigned preference, const char *host);
void dns_cname(struct dns_packet *p, const char *name, const char *target);
void dns_address(
    struct dns_packet *p, const char *name, uint32_t ttl, const char *address);

/* One of the authority section. */
void dns_soa(
    struct dns_packet *p, const char *zone, uint32_t ttl, uint32_t minimum);

/* Overwrite 16 bits at an offset. */
void dns_set(struct dns_packet *p, size_t offset, unsigned value);

#endif
