/* SPDX-License-Identifier: MIT */
#include "resolve/dns_rdata.h"

#include <string.h>

bool
smtpd__dns_rdata_address(
    const ns_rr *rr, size_t size, struct smtpd_dns_record *to)
{
	if (ns_rr_rdlen(*rr) != size)
		return false;
	memset(to, 0, sizeof(*to));
	memcpy(to->address, ns_rr_rdata(*rr), size);
	return true;
}

bool
smtpd__dns_rdata_strings(const ns_rr *rr, struct smtpd_dns_answer *out)
{
	const unsigned char *at = ns_rr_rdata(*rr);
	const unsigned char *end = at + ns_rr_rdlen(*rr);
	size_t count = out->count;

	do {
		struct smtpd_dns_record *to = &out->records[count];

		if (at == end || at + *at >= end ||
		    count++ == SMTPD_DNS_RECORDS_MAX)
			return false;
		memset(to, 0, sizeof(*to));
		to->begins = count == out->count + 1;
		to->text_len = *at;
		memcpy(to->text, at + 1, *at);
		at += 1 + *at;
	} while (at < end);
	out->count = count;
	return true;
}

bool
smtpd__dns_rdata_pieces(const ns_rr *rr, struct smtpd_dns_answer *out)
{
	const unsigned char *data = ns_rr_rdata(*rr);
	size_t left = ns_rr_rdlen(*rr), count = out->count;

	do {
		struct smtpd_dns_record *to = &out->records[count];
		size_t len = left < sizeof(to->text) ? left : sizeof(to->text);

		if (count++ == SMTPD_DNS_RECORDS_MAX)
			return false;
		memset(to, 0, sizeof(*to));
		to->begins = count == out->count + 1;
		to->text_len = (uint8_t)len;
		memcpy(to->text, data, len);
		data += len;
		left -= len;
	} while (left > 0);
	out->count = count;
	return true;
}
