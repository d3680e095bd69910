/* SPDX-License-Identifier: MIT */
#include "dns_packet.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

void
dns_bytes(struct dns_packet *p, const void *bytes, size_t len)
{
	if (len > sizeof(p->at) - p->len)
		abort();
	memcpy(p->at + p->len, bytes, len);
	p->len += len;
}

void
dns_u8(struct dns_packet *p, unsigned value)
{
	unsigned char byte = (unsigned char)value;

	dns_bytes(p, &byte, 1);
}

void
dns_u16(struct dns_packet *p, unsigned value)
{
	dns_u8(p, value >> 8);
	dns_u8(p, value);
}

void
dns_u32(struct dns_packet *p, uint32_t value)
{
	dns_u16(p, value >> 16);
	dns_u16(p, value);
}

void
dns_set(struct dns_packet *p, size_t offset, unsigned value)
{
	p->at[offset] = (unsigned char)(value >> 8);
	p->at[offset + 1] = (unsigned char)value;
}

void
dns_begin(struct dns_packet *p, uint16_t id, unsigned flags)
{
	p->len = 0;
	dns_u16(p, id);
	dns_u16(p, flags);
	dns_u32(p, 0);
	dns_u32(p, 0);
}

void
dns_name(struct dns_packet *p, const char *name)
{
	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		dns_u8(p, (unsigned)len);
		dns_bytes(p, name, len);
		name += len;
		name += *name == '.';
	}
	dns_u8(p, 0);
}

static void
count(struct dns_packet *p, enum dns_section section)
{
	size_t at = 4 + 2 * (size_t)section;

	dns_set(p, at, (unsigned)(p->at[at] << 8 | p->at[at + 1]) + 1);
}

void
dns_question(struct dns_packet *p, const char *name, unsigned type)
{
	count(p, DNS_QUESTION);
	dns_name(p, name);
	dns_u16(p, type);
	dns_u16(p, 1);
}

size_t
dns_open(struct dns_packet *p, enum dns_section section, const char *name,
    unsigned type, uint32_t ttl)
{
	count(p, section);
	dns_name(p, name);
	dns_u16(p, type);
	dns_u16(p, 1);
	dns_u32(p, ttl);
	dns_u16(p, 0);
	return p->len;
}

void
dns_close(struct dns_packet *p, size_t data)
{
	dns_set(p, data - 2, (unsigned)(p->len - data));
}

void
dns_mx(struct dns_packet *p, const char *name, uint32_t ttl,
    unsigned preference, const char *host)
{
	size_t data = dns_open(p, DNS_ANSWER, name, 15, ttl);

	dns_u16(p, preference);
	dns_name(p, host);
	dns_close(p, data);
}

void
dns_cname(struct dns_packet *p, const char *name, const char *target)
{
	size_t data = dns_open(p, DNS_ANSWER, name, 5, 600);

	dns_name(p, target);
	dns_close(p, data);
}

void
dns_address(
    struct dns_packet *p, const char *name, uint32_t ttl, const char *address)
{
	int six = strchr(address, ':') != NULL;
	unsigned char bytes[16];
	size_t data = dns_open(p, DNS_ANSWER, name, six ? 28 : 1, ttl);

	if (inet_pton(six ? AF_INET6 : AF_INET, address, bytes) != 1)
		abort();
	dns_bytes(p, bytes, six ? 16 : 4);
	dns_close(p, data);
}

void
dns_soa(struct dns_packet *p, const char *zone, uint32_t ttl, uint32_t minimum)
{
	size_t data = dns_open(p, DNS_AUTHORITY, zone, 6, ttl);

	dns_name(p, "ns.example");
	dns_name(p, "hostmaster.example");
	for (uint32_t i = 1; i < 5; i++)
		dns_u32(p, i);
	dns_u32(p, minimum);
	dns_close(p, data);
}
