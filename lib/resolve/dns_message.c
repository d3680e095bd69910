/* SPDX-License-Identifier: MIT */
#include "resolve/dns_message.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

#include "base/text.h"
#include "resolve/dns_rdata.h"

/* A size that fits into one packet on every path (RFC 9715). */
#define UDP_SIZE 1232

#define OPT_SIZE 11

/* Bits of the second word of the header. */
#define BIT_QR 0x8000
#define BIT_AA 0x0400
#define BIT_TC 0x0200
#define BIT_RD 0x0100
#define BIT_RA 0x0080
#define BIT_AD 0x0020
#define BIT_CD 0x0010

#define RCODE_BADVERS 16

/* The records behind a name, while an answer is read. */
struct reader {
	const struct smtpd_dns_question *q;
	ns_msg msg;
	unsigned flags;
	unsigned rcode;
	struct smtpd_dns_chain *chain;
	struct smtpd_dns_answer *out;
	/* Of the authority section. */
	bool soa;
	bool referral;
	char zone[SMTPD_DNS_NAME_MAX];
	uint32_t negative_ttl_s;
};

size_t
smtpd__dns_message_answer_size(size_t count)
{
	return sizeof(struct smtpd_dns_answer) +
	    count * sizeof(struct smtpd_dns_record);
}

/* An OPT record (RFC 6891, 6.1.2): root, type, size of packets, no flags, no
 * options. */
static void
write_opt(unsigned char *at)
{
	memset(at, 0, OPT_SIZE);
	ns_put16(ns_t_opt, at + 1);
	ns_put16(UDP_SIZE, at + 3);
}

/* AD in a question asks for AD in the answer (RFC 6840, 5.7). */
size_t
smtpd__dns_message_write(const struct smtpd_dns_question *q, unsigned char *buf)
{
	unsigned char *at = buf + NS_HFIXEDSZ;
	int n = dn_comp(q->name, at,
	    SMTPD_DNS_QUERY_MAX - NS_HFIXEDSZ - NS_QFIXEDSZ - OPT_SIZE, NULL,
	    NULL);

	if (n <= 0)
		return 0;
	memset(buf, 0, NS_HFIXEDSZ);
	ns_put16(q->id, buf);
	ns_put16(BIT_RD | (q->unchecked ? BIT_CD : BIT_AD), buf + 2);
	ns_put16(1, buf + 4);
	at += n;
	ns_put16(q->type, at);
	ns_put16(ns_c_in, at + 2);
	at += NS_QFIXEDSZ;
	if (q->edns) {
		ns_put16(1, buf + 10);
		write_opt(at);
		at += OPT_SIZE;
	}
	return (size_t)(at - buf);
}

static bool
is_same_name(const char *a, const char *b)
{
	return smtpd__text_same(a, b);
}

/* Whether NAME is ZONE or lies below it. */
static bool
is_within(const char *name, const char *zone)
{
	size_t len = strlen(name);
	size_t zone_len = strlen(zone);

	if (zone_len == 0)
		return true;
	if (len < zone_len || !is_same_name(name + len - zone_len, zone))
		return false;
	return len == zone_len || name[len - zone_len - 1] == '.';
}

/* Some servers do not repeat the question when they fail. */
static bool
may_lack_question(unsigned flags)
{
	unsigned rcode = flags & 15;

	return !(flags & BIT_TC) && rcode != ns_r_noerror &&
	    rcode != ns_r_nxdomain;
}

static bool
is_answer(
    const struct smtpd_dns_question *q, const unsigned char *msg, size_t len)
{
	char name[SMTPD_DNS_NAME_MAX];
	unsigned flags;
	unsigned questions;
	int n;

	if (len < NS_HFIXEDSZ || ns_get16(msg) != q->id)
		return false;
	flags = ns_get16(msg + 2);
	questions = ns_get16(msg + 4);
	if (!(flags & BIT_QR) || (flags >> 11 & 15) != ns_o_query)
		return false;
	if (questions == 0)
		return may_lack_question(flags);
	n = dn_expand(
	    msg, msg + len, msg + NS_HFIXEDSZ, name, (int)sizeof(name));
	if (questions != 1 || n < 0 || (size_t)n + NS_HFIXEDSZ + 4 > len)
		return false;
	msg += NS_HFIXEDSZ + n;
	return is_same_name(name, q->name) && ns_get16(msg) == q->type &&
	    ns_get16(msg + 2) == ns_c_in;
}

/* RFC 2181, 8: a TTL with the highest bit set is 0. */
static uint32_t
ttl_of(const ns_rr *rr)
{
	uint32_t ttl = (uint32_t)ns_rr_ttl(*rr);

	return ttl > INT32_MAX ? 0 : ttl;
}

static uint32_t
shorter_ttl(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static enum smtpd_dns_reading
fail_unclear(struct reader *r, const char *reason)
{
	r->out->status = SMTPD_DNS_FAILED;
	r->out->reason = reason;
	r->out->count = 0;
	r->out->ttl_s = 0;
	return SMTPD_DNS_UNCLEAR;
}

static enum smtpd_dns_reading
fail_malformed(struct reader *r)
{
	return fail_unclear(r, "the DNS gave an answer that cannot be read");
}

/* The upper bits of the RCODE stand in an OPT record. */
static bool
read_rcode(struct reader *r)
{
	ns_rr rr;

	r->rcode = r->flags & 15;
	for (int i = 0; i < ns_msg_count(r->msg, ns_s_ar); i++) {
		if (ns_parserr(&r->msg, ns_s_ar, i, &rr) != 0)
			return false;
		if (ns_rr_type(rr) == ns_t_opt)
			r->rcode |= (uint32_t)ns_rr_ttl(rr) >> 24 << 4;
	}
	return true;
}

/* RFC 2308, 5: how long an absence lasts is the smaller of the SOA's TTL and
 * its last field. */
static bool
read_authority(struct reader *r)
{
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(r->msg, ns_s_ns); i++) {
		if (ns_parserr(&r->msg, ns_s_ns, i, &rr) != 0)
			return false;
		if (ns_rr_type(rr) == ns_t_ns)
			r->referral = true;
		if (ns_rr_type(rr) != ns_t_soa || ns_rr_rdlen(rr) < 22)
			continue;
		r->soa = true;
		memcpy(r->zone, ns_rr_name(rr), strlen(ns_rr_name(rr)) + 1);
		if (strcmp(r->zone, ".") == 0)
			r->zone[0] = '\0';
		r->negative_ttl_s = shorter_ttl(ttl_of(&rr),
		    (uint32_t)ns_get32(ns_rr_rdata(rr) + ns_rr_rdlen(rr) - 4));
	}
	r->referral = r->referral && !r->soa;
	return true;
}

/* Expand the name that fills what is left of RR's data after SKIP bytes. */
static bool
expand_rest(struct reader *r, const ns_rr *rr, int skip, char *name)
{
	const unsigned char *data = ns_rr_rdata(*rr);
	int n;

	if (ns_rr_rdlen(*rr) <= skip)
		return false;
	n = dn_expand(ns_msg_base(r->msg), ns_msg_end(r->msg), data + skip,
	    name, SMTPD_DNS_NAME_MAX);
	return n >= 0 && n + skip == ns_rr_rdlen(*rr);
}

/* Follow the alias that NAME is, if it is one.  Return -1 when that cannot be
 * read. */
static int
follow_alias(struct reader *r)
{
	char target[SMTPD_DNS_NAME_MAX];
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(r->msg, ns_s_an); i++) {
		if (ns_parserr(&r->msg, ns_s_an, i, &rr) != 0)
			return -1;
		if (ns_rr_type(rr) != ns_t_cname ||
		    ns_rr_class(rr) != ns_c_in ||
		    !is_same_name(ns_rr_name(rr), r->chain->name))
			continue;
		if (!expand_rest(r, &rr, 0, target))
			return -1;
		memcpy(r->chain->name, target, strlen(target) + 1);
		r->chain->ttl_s = shorter_ttl(r->chain->ttl_s, ttl_of(&rr));
		return 1;
	}
	return 0;
}

/* A name behind SKIP bytes that is too long for a host becomes one that no host
 * can have. */
static bool
keep_host(
    struct reader *r, const ns_rr *rr, int skip, struct smtpd_dns_record *to)
{
	char host[SMTPD_DNS_NAME_MAX];
	size_t len;

	if (!expand_rest(r, rr, skip, host))
		return false;
	len = strlen(host);
	memset(to, 0, sizeof(*to));
	to->host[0] = '.';
	if (len < sizeof(to->host))
		memcpy(to->host, host, len + 1);
	return true;
}

static bool
keep_mx(struct reader *r, const ns_rr *rr, struct smtpd_dns_record *to)
{
	if (!keep_host(r, rr, 2, to))
		return false;
	to->preference = (uint16_t)ns_get16(ns_rr_rdata(*rr));
	return true;
}

/* Append the record RR to the answer. */
static bool
keep_record(struct reader *r, const ns_rr *rr)
{
	struct smtpd_dns_answer *out = r->out;
	struct smtpd_dns_record *to = &out->records[out->count];
	bool kept;

	if (r->q->type == SMTPD_DNS_TXT)
		return smtpd__dns_rdata_strings(rr, out);
	if (r->q->type == SMTPD_DNS_TLSA)
		return smtpd__dns_rdata_pieces(rr, out);
	if (r->q->type == SMTPD_DNS_MX)
		kept = keep_mx(r, rr, to);
	else if (r->q->type == SMTPD_DNS_CNAME || r->q->type == SMTPD_DNS_PTR)
		kept = keep_host(r, rr, 0, to);
	else
		kept = smtpd__dns_rdata_address(
		    rr, r->q->type == SMTPD_DNS_A ? 4 : 16, to);
	out->count += kept;
	return kept;
}

/* Take the records of the name that the aliases lead to. */
static bool
read_records(struct reader *r)
{
	struct smtpd_dns_answer *out = r->out;
	ns_rr rr;

	out->ttl_s = r->chain->ttl_s;
	for (int i = 0; i < ns_msg_count(r->msg, ns_s_an); i++) {
		if (ns_parserr(&r->msg, ns_s_an, i, &rr) != 0)
			return false;
		if ((int)ns_rr_type(rr) != (int)r->q->type ||
		    ns_rr_class(rr) != ns_c_in ||
		    !is_same_name(ns_rr_name(rr), r->chain->name) ||
		    out->count == SMTPD_DNS_RECORDS_MAX)
			continue;
		if (!keep_record(r, &rr)) {
			out->damaged = true;
			continue;
		}
		out->ttl_s = shorter_ttl(out->ttl_s, ttl_of(&rr));
	}
	return true;
}

/* The answer has no records: is that the last word? */
static enum smtpd_dns_reading
read_absence(struct reader *r, bool alias)
{
	bool recurses;

	if (r->out->damaged)
		return fail_malformed(r);
	if (r->rcode == ns_r_noerror && alias &&
	    (!r->soa || !is_within(r->chain->name, r->zone)))
		return SMTPD_DNS_ALIAS;
	/* A small server may not say that it recurses.  What it denies counts
	 * only if nobody else can be asked, and the name exists. */
	recurses =
	    (r->flags & BIT_RA) || (r->q->alone && r->rcode == ns_r_noerror);
	if (!(r->flags & BIT_AA) && (!recurses || r->referral))
		return fail_unclear(
		    r, "the DNS server does not know the domain");
	r->out->ttl_s =
	    r->soa ? shorter_ttl(r->negative_ttl_s, r->chain->ttl_s) : 0;
	r->out->status =
	    r->rcode == ns_r_nxdomain ? SMTPD_DNS_NXDOMAIN : SMTPD_DNS_NODATA;
	return SMTPD_DNS_CLEAR;
}

static enum smtpd_dns_reading
read_data(struct reader *r)
{
	bool alias = false;
	int more = 0;

	if (!read_authority(r))
		return fail_malformed(r);
	while (r->q->type != SMTPD_DNS_CNAME && (more = follow_alias(r)) > 0) {
		alias = true;
		if (++r->chain->aliases > SMTPD_DNS_ALIASES_MAX)
			return fail_unclear(r,
			    "the DNS has a chain of aliases "
			    "that is too long or has no end");
	}
	if (more < 0 || !read_records(r))
		return fail_malformed(r);
	if (r->out->count == 0)
		return read_absence(r, alias);
	if (r->rcode != ns_r_noerror)
		return fail_malformed(r);
	r->out->status = SMTPD_DNS_FOUND;
	return SMTPD_DNS_CLEAR;
}

static enum smtpd_dns_reading
read_failure(struct reader *r)
{
	static const char *const reasons[] = {
		[ns_r_formerr] = "the DNS server could not read the question",
		[ns_r_servfail] = "the DNS server failed (SERVFAIL)",
		[ns_r_notimpl] = "the DNS server does not serve (NOTIMP)",
		[ns_r_refused] = "the DNS server refused (REFUSED)",
	};
	const char *reason = NULL;

	if (r->q->edns &&
	    (r->rcode == ns_r_formerr || r->rcode == ns_r_notimpl ||
		r->rcode == RCODE_BADVERS))
		return SMTPD_DNS_NO_EDNS;
	if (r->rcode < sizeof(reasons) / sizeof(reasons[0]))
		reason = reasons[r->rcode];
	return fail_unclear(
	    r, reason != NULL ? reason : "the DNS server reported an error");
}

/* Return the length of what the header counts: there may be bytes behind it,
 * which libresolv does not take. */
static size_t
measure_message(const unsigned char *msg, size_t len)
{
	size_t at = NS_HFIXEDSZ;

	for (int section = 0; section < ns_s_max; section++) {
		int n = ns_skiprr(msg + at, msg + len, (ns_sect)section,
		    (int)ns_get16(msg + 4 + 2 * section));

		if (n < 0)
			return len;
		at += (size_t)n;
	}
	return at;
}

enum smtpd_dns_reading
smtpd__dns_message_read(const struct smtpd_dns_question *q,
    const unsigned char *msg, size_t len, struct smtpd_dns_chain *chain,
    struct smtpd_dns_answer *out, bool *ad)
{
	struct reader r = { .q = q, .chain = chain, .out = out };
	enum smtpd_dns_reading reading;

	*ad = false;
	if (len > SMTPD_DNS_MESSAGE_MAX || !is_answer(q, msg, len))
		return SMTPD_DNS_STRAY;
	memset(out, 0, sizeof(*out));
	out->reason = "";
	memcpy(chain->name, q->name, strlen(q->name) + 1);
	if (chain->aliases == 0)
		chain->ttl_s = UINT32_MAX;
	r.flags = ns_get16(msg + 2);
	if (r.flags & BIT_TC)
		return SMTPD_DNS_CUT;
	if (ns_initparse(msg, (int)measure_message(msg, len), &r.msg) != 0 ||
	    !read_rcode(&r))
		return fail_malformed(&r);
	if (r.rcode != ns_r_noerror && r.rcode != ns_r_nxdomain)
		return read_failure(&r);
	*ad = (r.flags & BIT_AD) && !q->unchecked;
	reading = read_data(&r);
	out->alias = chain->aliases > 0;
	return reading;
}
