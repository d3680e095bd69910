/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns_packet.h"
#include "resolve/dns_message.h"

#include "test.h"

#define ID   4711
#define NAME "Example.ORG"
#define GOOD (DNS_QR | DNS_RD | DNS_RA)

/* All that a case needs; on the heap, with the answer's end at the end of
 * its block. */
struct fixture {
	struct smtpd_dns_question q;
	struct smtpd_dns_chain chain;
	struct dns_packet p;
	bool ad;
	struct smtpd_dns_answer *answer;
};

static struct fixture *
begin(enum smtpd_dns_type type)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->q = (struct smtpd_dns_question){
		.name = "example.org", .type = type, .id = ID, .edns = true
	};
	f->answer =
	    malloc(smtpd__dns_message_answer_size(SMTPD_DNS_RECORDS_MAX));
	assert_non_null(f->answer);
	return f;
}

static struct fixture *
begin_answer(enum smtpd_dns_type type, unsigned flags)
{
	struct fixture *f = begin(type);

	dns_begin(&f->p, ID, flags);
	dns_question(&f->p, NAME, type);
	return f;
}

/* The message is read from a block of its own size: ASan sees what is read
 * behind it. */
static enum smtpd_dns_reading
read_it(struct fixture *f)
{
	unsigned char *copy = malloc(f->p.len + 1);
	enum smtpd_dns_reading reading;

	assert_non_null(copy);
	memcpy(copy + 1, f->p.at, f->p.len);
	reading = smtpd__dns_message_read(
	    &f->q, copy + 1, f->p.len, &f->chain, f->answer, &f->ad);
	free(copy);
	return reading;
}

static void
finish(struct fixture *f)
{
	free(f->answer);
	free(f);
}

/* RFC 6891, 6.1.2; RFC 6840, 5.7 */
static void
a_question_has_its_bytes(void **state)
{
	static const unsigned char want[] = { 0x12, 0x67, 1, 0x20, 0, 1, 0, 0,
		0, 0, 0, 1, 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'o', 'r',
		'g', 0, 0, 15, 0, 1, 0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0 };
	struct smtpd_dns_question q = { .name = "example.org",
		.type = SMTPD_DNS_MX,
		.id = ID,
		.edns = true };
	unsigned char buf[SMTPD_DNS_QUERY_MAX];

	(void)state;
	assert_int_equal(smtpd__dns_message_write(&q, buf), sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
	q.edns = false;
	assert_int_equal(smtpd__dns_message_write(&q, buf), sizeof(want) - 11);
	assert_int_equal(buf[11], 0);
}

static void
names_that_cannot_be_asked_for_are_refused(void **state)
{
	static const char too_long[] = "12345678901234567890123456789012"
				       "34567890123456789012345678901234";
	static const char *const names[] = { "a..b", ".a", too_long };
	unsigned char buf[SMTPD_DNS_QUERY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct smtpd_dns_question q = { .type = SMTPD_DNS_A };

		memcpy(q.name, names[i], strlen(names[i]) + 1);
		assert_int_equal(smtpd__dns_message_write(&q, buf), 0);
	}
}

/* Append a TXT record whose data are LEN bytes. */
static void
add_txt(struct fixture *f, const char *data, size_t len)
{
	size_t at =
	    dns_open(&f->p, DNS_ANSWER, "example.org", SMTPD_DNS_TXT, 300);

	dns_bytes(&f->p, data, len);
	dns_close(&f->p, at);
}

/* RFC 1035, 3.3.14 */
static void
txt_strings_are_read(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_TXT, GOOD);
	struct smtpd_dns_answer *a = f->answer;
	char longest[256];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[0] = '\xff';
	add_txt(f, "\3abc\0\2de", 8);
	add_txt(f, longest, sizeof(longest));
	add_txt(f, "\1y", 2);
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_int_equal(a->count, 5);
	assert_false(a->damaged);
	assert_true(a->records[0].begins);
	assert_int_equal(a->records[0].text_len, 3);
	assert_memory_equal(a->records[0].text, "abc", 3);
	assert_false(a->records[1].begins);
	assert_int_equal(a->records[1].text_len, 0);
	assert_false(a->records[2].begins);
	assert_memory_equal(a->records[2].text, "de", 2);
	assert_true(a->records[3].begins);
	assert_int_equal(a->records[3].text_len, 255);
	assert_memory_equal(a->records[3].text, longest + 1, 255);
	assert_true(a->records[4].begins);
	finish(f);
}

/* A record is there with all its strings, or it is not. */
static void
damaged_txt_are_left_out(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} cases[] = { { "", 0 }, { "\1", 1 }, { "\4abc", 4 }, { "\1a\2b", 4 } };
	char many[2 * SMTPD_DNS_RECORDS_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture *f = begin_answer(SMTPD_DNS_TXT, GOOD);

		add_txt(f, cases[i].data, cases[i].len);
		add_txt(f, "\1y", 2);
		assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
		assert_int_equal(f->answer->count, 1);
		assert_true(f->answer->records[0].begins);
		assert_true(f->answer->damaged);
		finish(f);
	}
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 2 == 0 ? '\1' : 'z';
	for (size_t extra = 0; extra < 2; extra++) {
		struct fixture *f = begin_answer(SMTPD_DNS_TXT, GOOD);

		if (extra == 1)
			add_txt(f, "\1y", 2);
		add_txt(f, many, sizeof(many));
		assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
		assert_int_equal(
		    f->answer->count, extra == 0 ? SMTPD_DNS_RECORDS_MAX : 1);
		assert_int_equal(f->answer->damaged, extra == 1);
		finish(f);
	}
}

static void
mx_are_read(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD | DNS_AD);
	struct smtpd_dns_answer *a = f->answer;

	(void)state;
	dns_mx(&f->p, "example.org", 300, 10, "mx1.example.org");
	dns_address(&f->p, "example.org", 1, "192.0.2.1");
	dns_mx(&f->p, "EXAMPLE.org", 200, 20, "mx2.example.net");
	dns_mx(&f->p, "elsewhere.org", 100, 5, "evil.example");
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_int_equal(a->status, SMTPD_DNS_FOUND);
	assert_int_equal(a->count, 2);
	assert_int_equal(a->ttl_s, 200);
	assert_true(f->ad);
	assert_false(a->damaged);
	assert_int_equal(a->records[0].preference, 10);
	assert_string_equal(a->records[0].host, "mx1.example.org");
	assert_int_equal(a->records[1].preference, 20);
	assert_string_equal(a->records[1].host, "mx2.example.net");
	finish(f);
}

/* SU3: some servers send the rest of their buffer. */
static void
bytes_behind_the_end_do_not_matter(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_AAAA, GOOD);

	(void)state;
	dns_address(&f->p, NAME, 60, "2001:db8::1");
	memset(f->p.at + f->p.len, 0xc0, 20);
	f->p.len += 20;
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_int_equal(f->answer->count, 1);
	finish(f);
}

static void
addresses_are_read(void **state)
{
	static const unsigned char want[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 1 };
	struct fixture *f = begin_answer(SMTPD_DNS_AAAA, GOOD);

	(void)state;
	dns_address(&f->p, NAME, 60, "2001:db8::1");
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_int_equal(f->answer->count, 1);
	assert_memory_equal(f->answer->records[0].address, want, 16);
	finish(f);
}

/* RFC 7505, 3 */
static void
null_mx_is_an_empty_name(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD);

	(void)state;
	dns_mx(&f->p, NAME, 60, 0, "");
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_int_equal(f->answer->count, 1);
	assert_string_equal(f->answer->records[0].host, "");
	finish(f);
}

static void
names_may_be_compressed(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD);
	size_t data;

	(void)state;
	data = dns_open(&f->p, DNS_ANSWER, NAME, 15, 60);
	dns_u16(&f->p, 7);
	dns_u8(&f->p, 2);
	dns_bytes(&f->p, "mx", 2);
	dns_u16(&f->p, 0xc00c);
	dns_close(&f->p, data);
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_string_equal(f->answer->records[0].host, "mx.Example.ORG");
	finish(f);
}

/* The data of a record that cannot be read. */
struct damage {
	const char *what;
	unsigned type;
	unsigned char data[24];
	unsigned char len;
	unsigned char claimed; /* 0: the truth */
};

static const struct damage damages[] = {
	{ "MX without data", 15, { 0 }, 0, 0 },
	{ "MX of one byte", 15, { 0 }, 1, 0 },
	{ "MX without a host", 15, { 0, 10 }, 2, 0 },
	{ "MX cut in its host", 15, { 0, 10, 3, 'a', 'b' }, 5, 0 },
	{ "MX whose host has no end", 15, { 0, 10, 1, 'a' }, 4, 0 },
	{ "MX with more behind", 15, { 0, 10, 1, 'a', 0, 9 }, 6, 0 },
	{ "pointer to itself", 15, { 0, 10, 0xc0, 54 }, 4, 0 },
	{ "pointer forward", 15, { 0, 10, 0xc0, 60 }, 4, 0 },
	{ "pointer out of it", 15, { 0, 10, 0xff, 0xff }, 4, 0 },
	{ "loop of pointers", 15, { 0, 10, 1, 'a', 0xc0, 54 }, 6, 0 },
	{ "half a pointer", 15, { 0, 10, 0xc0 }, 3, 0 },
	{ "label of a kind there is not", 15, { 0, 10, 0x80, 0 }, 4, 0 },
	{ "data longer than the message", 15, { 0, 10, 1, 'a', 0 }, 5, 200 },
	{ "data shorter than the host", 15, { 0, 10, 1, 'a', 0 }, 5, 4 },
	{ "address of none", 1, { 0 }, 0, 0 },
	{ "address of 3 bytes", 1, { 192, 0, 2 }, 3, 0 },
	{ "address of 5 bytes", 1, { 192, 0, 2, 1, 1 }, 5, 0 },
	{ "IPv4 as IPv6", 28, { 192, 0, 2, 1 }, 4, 0 },
};

static void
append_damage(struct fixture *f, const struct damage *d)
{
	size_t data = dns_open(&f->p, DNS_ANSWER, NAME, d->type, 60);

	dns_bytes(&f->p, d->data, d->len);
	dns_close(&f->p, data);
	if (d->claimed != 0)
		dns_set(&f->p, data - 2, d->claimed);
}

static void
damaged_records_alone_are_no_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct fixture *f =
		    begin_answer((enum smtpd_dns_type)damages[i].type, GOOD);

		append_damage(f, &damages[i]);
		if (read_it(f) != SMTPD_DNS_UNCLEAR ||
		    f->answer->status != SMTPD_DNS_FAILED ||
		    f->answer->reason[0] == '\0')
			fail_msg("%s", damages[i].what);
		finish(f);
	}
}

static void
damaged_records_among_others_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; damages[i].type == 15; i++) {
		struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD);
		enum smtpd_dns_reading reading;

		append_damage(f, &damages[i]);
		dns_mx(&f->p, NAME, 60, 1, "mx.example.org");
		reading = read_it(f);
		if (reading == SMTPD_DNS_CLEAR &&
		    (f->answer->count != 1 || !f->answer->damaged))
			fail_msg("%s", damages[i].what);
		finish(f);
	}
}

static void
every_cut_message_is_no_answer(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD);
	size_t whole;

	(void)state;
	dns_mx(&f->p, NAME, 60, 1, "mx.example.org");
	dns_soa(&f->p, "org", 60, 60);
	whole = f->p.len;
	for (f->p.len = 0; f->p.len < whole; f->p.len++)
		assert_true(read_it(f) == SMTPD_DNS_STRAY ||
		    f->answer->status == SMTPD_DNS_FAILED);
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	finish(f);
}

static void
two_hundred_mx_are_kept(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD);
	char host[32];

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		snprintf(host, sizeof(host), "mx%u.example.org", i);
		dns_mx(&f->p, NAME, 60, i, host);
	}
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_int_equal(f->answer->count, 200);
	assert_string_equal(f->answer->records[199].host, "mx199.example.org");
	finish(f);
}

static void
more_records_than_there_is_room_for_are_left(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD);

	(void)state;
	while (f->p.len < 65000)
		dns_mx(&f->p, NAME, 60, 1, "mx.example.org");
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_int_equal(f->answer->count, SMTPD_DNS_RECORDS_MAX);
	finish(f);
}

static void
too_long_a_host_leads_nowhere(void **state)
{
	static const char label[] =
	    "123456789012345678901234567890123456789012345678901234567890\\";
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD);
	size_t data = dns_open(&f->p, DNS_ANSWER, NAME, 15, 60);

	(void)state;
	dns_u16(&f->p, 7);
	for (int i = 0; i < 4; i++) {
		dns_u8(&f->p, 61);
		dns_bytes(&f->p, label, 61);
	}
	dns_u8(&f->p, 4);
	dns_bytes(&f->p, "\0\1\2\3", 4);
	dns_u8(&f->p, 0);
	dns_close(&f->p, data);
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_string_equal(f->answer->records[0].host, ".");
	finish(f);
}

/* A header, or the lack of one, that makes it no answer to the question. */
static void
strays_are_known(void **state)
{
	struct fixture *f = begin(SMTPD_DNS_MX);

	(void)state;
	dns_begin(&f->p, ID + 1, GOOD);
	dns_question(&f->p, NAME, 15);
	assert_int_equal(read_it(f), SMTPD_DNS_STRAY);
	dns_begin(&f->p, ID, GOOD & ~(unsigned)DNS_QR);
	dns_question(&f->p, NAME, 15);
	assert_int_equal(read_it(f), SMTPD_DNS_STRAY);
	dns_begin(&f->p, ID, GOOD | 4 << 11);
	dns_question(&f->p, NAME, 15);
	assert_int_equal(read_it(f), SMTPD_DNS_STRAY);
	dns_begin(&f->p, ID, GOOD);
	dns_question(&f->p, "example.net", 15);
	assert_int_equal(read_it(f), SMTPD_DNS_STRAY);
	dns_begin(&f->p, ID, GOOD);
	dns_question(&f->p, NAME, 1);
	assert_int_equal(read_it(f), SMTPD_DNS_STRAY);
	dns_begin(&f->p, ID, GOOD);
	dns_question(&f->p, NAME, 15);
	dns_set(&f->p, f->p.len - 2, 3);
	assert_int_equal(read_it(f), SMTPD_DNS_STRAY);
	dns_begin(&f->p, ID, GOOD);
	dns_question(&f->p, NAME, 15);
	dns_question(&f->p, NAME, 15);
	assert_int_equal(read_it(f), SMTPD_DNS_STRAY);
	for (unsigned rcode = 0; rcode <= 3; rcode += 3) {
		dns_begin(&f->p, ID, GOOD | rcode);
		assert_int_equal(read_it(f), SMTPD_DNS_STRAY);
	}
	dns_begin(&f->p, ID, GOOD | DNS_TC | 2);
	assert_int_equal(read_it(f), SMTPD_DNS_STRAY);
	dns_begin(&f->p, ID, GOOD);
	dns_set(&f->p, 4, 1);
	dns_u16(&f->p, 0xc00c);
	dns_u32(&f->p, 15 << 16 | 1);
	assert_int_equal(read_it(f), SMTPD_DNS_STRAY);
	finish(f);
}

static void
truncated_is_told_whatever_is_left(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD | DNS_TC);

	(void)state;
	assert_int_equal(read_it(f), SMTPD_DNS_CUT);
	dns_set(&f->p, 6, 5);
	assert_int_equal(read_it(f), SMTPD_DNS_CUT);
	finish(f);
}

static void
every_rcode_but_two_is_a_failure(void **state)
{
	(void)state;
	for (unsigned rcode = 1; rcode < 16; rcode++) {
		struct fixture *f = begin(SMTPD_DNS_MX);
		bool edns = rcode == 1 || rcode == 4;

		dns_begin(&f->p, ID, GOOD | rcode);
		if (rcode == 3)
			dns_question(&f->p, NAME, 15);
		if (rcode == 3) {
			assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
			assert_int_equal(f->answer->status, SMTPD_DNS_NXDOMAIN);
			finish(f);
			continue;
		}
		assert_int_equal(
		    read_it(f), edns ? SMTPD_DNS_NO_EDNS : SMTPD_DNS_UNCLEAR);
		f->q.edns = false;
		assert_int_equal(read_it(f), SMTPD_DNS_UNCLEAR);
		assert_int_equal(f->answer->status, SMTPD_DNS_FAILED);
		assert_string_not_equal(f->answer->reason, "");
		finish(f);
	}
}

static void
upper_bits_of_the_rcode_count(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD);
	size_t data = dns_open(&f->p, DNS_ADDITIONAL, "", 41, 1 << 24);

	(void)state;
	dns_close(&f->p, data);
	assert_int_equal(read_it(f), SMTPD_DNS_NO_EDNS);
	finish(f);
	f = begin_answer(SMTPD_DNS_MX, GOOD | 7);
	data = dns_open(&f->p, DNS_ADDITIONAL, "", 41, 1 << 24);
	dns_close(&f->p, data);
	assert_int_equal(read_it(f), SMTPD_DNS_UNCLEAR);
	finish(f);
}

struct absence {
	const char *what;
	unsigned flags;
	bool soa;
	bool ns;
	enum smtpd_dns_reading reading;
	enum smtpd_dns_status status;
	uint32_t ttl_s;
};

static const struct absence absences[] = {
	{ "NODATA of a resolver", GOOD, true, false, SMTPD_DNS_CLEAR,
	    SMTPD_DNS_NODATA, 100 },
	{ "NXDOMAIN of a resolver", GOOD | 3, true, false, SMTPD_DNS_CLEAR,
	    SMTPD_DNS_NXDOMAIN, 100 },
	{ "NODATA with servers named", GOOD, true, true, SMTPD_DNS_CLEAR,
	    SMTPD_DNS_NODATA, 100 },
	{ "NODATA without SOA", GOOD, false, false, SMTPD_DNS_CLEAR,
	    SMTPD_DNS_NODATA, 0 },
	{ "NODATA of the zone's server", DNS_QR | DNS_AA, true, false,
	    SMTPD_DNS_CLEAR, SMTPD_DNS_NODATA, 100 },
	{ "NXDOMAIN of the zone's server", DNS_QR | DNS_AA | 3, true, false,
	    SMTPD_DNS_CLEAR, SMTPD_DNS_NXDOMAIN, 100 },
	{ "referral", DNS_QR, false, true, SMTPD_DNS_UNCLEAR, SMTPD_DNS_FAILED,
	    0 },
	{ "referral of a resolver", GOOD, false, true, SMTPD_DNS_UNCLEAR,
	    SMTPD_DNS_FAILED, 0 },
	{ "nothing of a server that knows nothing", DNS_QR, false, false,
	    SMTPD_DNS_UNCLEAR, SMTPD_DNS_FAILED, 0 },
	{ "NXDOMAIN of a server that knows nothing", DNS_QR | 3, false, false,
	    SMTPD_DNS_UNCLEAR, SMTPD_DNS_FAILED, 0 },
};

static void
absence_must_be_certain(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(absences) / sizeof(absences[0]); i++) {
		const struct absence *a = &absences[i];
		struct fixture *f = begin_answer(SMTPD_DNS_MX, a->flags);

		if (a->ns) {
			size_t data =
			    dns_open(&f->p, DNS_AUTHORITY, "org", 2, 60);

			dns_name(&f->p, "ns.example");
			dns_close(&f->p, data);
		}
		if (a->soa)
			dns_soa(&f->p, "org", 900, 100);
		if (read_it(f) != a->reading ||
		    f->answer->status != a->status ||
		    f->answer->ttl_s != a->ttl_s)
			fail_msg("%s", a->what);
		finish(f);
	}
}

/* RFC 2308, 5 */
static void
the_ttl_of_the_soa_counts_too(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD | 3);

	(void)state;
	dns_soa(&f->p, "", 50, 100);
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_int_equal(f->answer->ttl_s, 50);
	finish(f);
}

/* RFC 2181, 8 */
static void
a_ttl_beyond_31_bits_is_none(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD);

	(void)state;
	dns_mx(&f->p, NAME, 0x80000001, 1, "mx.example");
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_int_equal(f->answer->ttl_s, 0);
	finish(f);
}

static void
nxdomain_with_records_is_nonsense(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD | 3);

	(void)state;
	dns_mx(&f->p, NAME, 60, 1, "mx.example");
	assert_int_equal(read_it(f), SMTPD_DNS_UNCLEAR);
	finish(f);
}

/* N aliases in any order, and an MX behind the last. */
static struct fixture *
chain_of(unsigned n)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD);
	char name[32], target[32];

	for (unsigned i = n; i > 0; i--) {
		snprintf(name, sizeof(name), "c%u.example.org", i - 1);
		snprintf(target, sizeof(target), "c%u.example.org", i);
		dns_cname(&f->p, i == 1 ? NAME : name, target);
	}
	snprintf(target, sizeof(target), "c%u.example.org", n);
	dns_mx(&f->p, target, 700, 1, "mx.example.org");
	return f;
}

static void
eight_aliases_are_followed(void **state)
{
	struct fixture *f = chain_of(SMTPD_DNS_ALIASES_MAX);

	(void)state;
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_int_equal(f->answer->count, 1);
	assert_int_equal(f->answer->ttl_s, 600);
	finish(f);
	f = chain_of(SMTPD_DNS_ALIASES_MAX + 1);
	assert_int_equal(read_it(f), SMTPD_DNS_UNCLEAR);
	finish(f);
	f = chain_of(20);
	assert_int_equal(read_it(f), SMTPD_DNS_UNCLEAR);
	finish(f);
}

static void
aliases_in_a_circle_end(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD);

	(void)state;
	dns_cname(&f->p, NAME, "other.example.org");
	dns_cname(&f->p, "other.example.org", NAME);
	assert_int_equal(read_it(f), SMTPD_DNS_UNCLEAR);
	assert_int_equal(f->answer->status, SMTPD_DNS_FAILED);
	finish(f);
	f = begin_answer(SMTPD_DNS_MX, GOOD);
	dns_cname(&f->p, NAME, NAME);
	assert_int_equal(read_it(f), SMTPD_DNS_UNCLEAR);
	finish(f);
}

static void
an_alias_that_cannot_be_read_is_no_answer(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD);
	size_t data = dns_open(&f->p, DNS_ANSWER, NAME, 5, 60);

	(void)state;
	dns_u16(&f->p, 0xffff);
	dns_close(&f->p, data);
	assert_int_equal(read_it(f), SMTPD_DNS_UNCLEAR);
	finish(f);
}

static void
an_alias_without_more_is_to_be_asked_for(void **state)
{
	struct fixture *f = begin_answer(SMTPD_DNS_MX, GOOD);

	(void)state;
	dns_cname(&f->p, NAME, "www.example.net");
	assert_int_equal(read_it(f), SMTPD_DNS_ALIAS);
	assert_string_equal(f->chain.name, "www.example.net");
	assert_int_equal(f->chain.aliases, 1);
	finish(f);
	f = begin_answer(SMTPD_DNS_MX, GOOD);
	dns_cname(&f->p, NAME, "www.example.net");
	dns_soa(&f->p, "example.org", 60, 60);
	assert_int_equal(read_it(f), SMTPD_DNS_ALIAS);
	finish(f);
	f = begin_answer(SMTPD_DNS_MX, GOOD);
	dns_cname(&f->p, NAME, "www.example.net");
	dns_soa(&f->p, "Example.net", 60, 60);
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_int_equal(f->answer->status, SMTPD_DNS_NODATA);
	finish(f);
	f = begin_answer(SMTPD_DNS_MX, GOOD | 3);
	dns_cname(&f->p, NAME, "www.example.net");
	assert_int_equal(read_it(f), SMTPD_DNS_CLEAR);
	assert_int_equal(f->answer->status, SMTPD_DNS_NXDOMAIN);
	finish(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_has_its_bytes),
		cmocka_unit_test(names_that_cannot_be_asked_for_are_refused),
		cmocka_unit_test(txt_strings_are_read),
		cmocka_unit_test(damaged_txt_are_left_out),
		cmocka_unit_test(mx_are_read),
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(bytes_behind_the_end_do_not_matter),
		cmocka_unit_test(null_mx_is_an_empty_name),
		cmocka_unit_test(names_may_be_compressed),
		cmocka_unit_test(damaged_records_alone_are_no_answer),
		cmocka_unit_test(damaged_records_among_others_are_told),
		cmocka_unit_test(every_cut_message_is_no_answer),
		cmocka_unit_test(two_hundred_mx_are_kept),
		cmocka_unit_test(more_records_than_there_is_room_for_are_left),
		cmocka_unit_test(too_long_a_host_leads_nowhere),
		cmocka_unit_test(strays_are_known),
		cmocka_unit_test(truncated_is_told_whatever_is_left),
		cmocka_unit_test(every_rcode_but_two_is_a_failure),
		cmocka_unit_test(upper_bits_of_the_rcode_count),
		cmocka_unit_test(absence_must_be_certain),
		cmocka_unit_test(the_ttl_of_the_soa_counts_too),
		cmocka_unit_test(a_ttl_beyond_31_bits_is_none),
		cmocka_unit_test(nxdomain_with_records_is_nonsense),
		cmocka_unit_test(eight_aliases_are_followed),
		cmocka_unit_test(aliases_in_a_circle_end),
		cmocka_unit_test(an_alias_that_cannot_be_read_is_no_answer),
		cmocka_unit_test(an_alias_without_more_is_to_be_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
