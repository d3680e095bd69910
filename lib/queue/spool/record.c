/* SPDX-License-Identifier: MIT */
#include "queue/spool/record.h"

#include <string.h>

#include "base/text.h"

/* Of all heads. */
#define VERSION 1

/* Bytes of what stands before the jobs, and before the finished recipients. */
#define MESSAGE_LEN  56
#define PROGRESS_LEN 52

/* Of replies. */
#define CODE_MAX 999

/* The length of a text that is none. */
#define NO_TEXT 0xffffu

/* Write what all heads begin with. */
static void
put_start(struct smtpd_pack *p, const struct smtpd_stamp *stamp, uint64_t id)
{
	smtpd__pack_u8(p, VERSION);
	smtpd__pack_bytes(p, "\0\0", 3);
	smtpd__pack_u32(p, stamp->clock);
	smtpd__pack_u64(p, stamp->wall_ms);
	smtpd__pack_u64(p, id);
}

/* Bytes that a later version may give a meaning. */
static bool
take_zeroes(struct smtpd_unpack *u, size_t len)
{
	uint8_t sum = 0;

	while (len-- > 0)
		sum |= smtpd__pack_get_u8(u);
	return sum == 0;
}

static bool
get_start(struct smtpd_unpack *u, struct smtpd_stamp *stamp, uint64_t *id)
{
	if (smtpd__pack_get_u8(u) != VERSION || !take_zeroes(u, 3))
		return false;
	stamp->clock = smtpd__pack_get_u32(u);
	stamp->wall_ms = smtpd__pack_get_u64(u);
	*id = smtpd__pack_get_u64(u);
	return !u->failed && stamp->clock <= SMTPD_RECORD_CLOCK_MAX &&
	    stamp->wall_ms <= INT64_MAX && *id <= SMTPD_RECORD_ID_MAX;
}

void
smtpd__record_put_message(
    struct smtpd_pack *p, const struct smtpd_record_message *m)
{
	put_start(p, &m->stamp, m->id);
	smtpd__pack_u64(p, m->arrived_ms);
	smtpd__pack_u64(p, m->size);
	smtpd__pack_u32(p, m->arrived);
	smtpd__pack_u32(p, m->envelope_len);
	smtpd__pack_u32(p, m->crc);
	smtpd__pack_u16(p, m->flags);
	smtpd__pack_u16(p, m->njobs);
}

void
smtpd__record_put_job(struct smtpd_pack *p, const struct smtpd_record_job *job)
{
	smtpd__pack_u32(p, job->count);
	smtpd__pack_u32(p, job->due);
	smtpd__pack_u16(p, job->attempts);
	smtpd__pack_u8(p, job->flags);
	smtpd__pack_u8(p, (uint8_t)job->domain_len);
	smtpd__pack_bytes(p, job->domain, job->domain_len);
	if ((job->flags & SMTPD_RECORD_BITS) != 0)
		smtpd__pack_bytes(p, job->bits, ((size_t)job->count + 7) / 8);
}

bool
smtpd__record_get_job(struct smtpd_unpack *u, struct smtpd_record_job *job)
{
	*job = (struct smtpd_record_job){ 0 };
	job->count = smtpd__pack_get_u32(u);
	job->due = smtpd__pack_get_u32(u);
	job->attempts = smtpd__pack_get_u16(u);
	job->flags = smtpd__pack_get_u8(u);
	job->domain_len = smtpd__pack_get_u8(u);
	job->domain = (const char *)smtpd__pack_get_bytes(u, job->domain_len);
	if (job->domain == NULL || job->domain_len == 0 || job->count == 0 ||
	    job->count > SMTPD_RECORD_RCPTS_MAX ||
	    job->flags >= SMTPD_RECORD_BITS << 1)
		return false;
	for (size_t i = 0; i < job->domain_len; i++) {
		unsigned char c = (unsigned char)job->domain[i];

		if (c <= ' ' || c == 0x7f || smtpd__text_to_lower(c) != c)
			return false;
	}
	if ((job->flags & SMTPD_RECORD_BITS) == 0)
		return true;
	job->bits = smtpd__pack_get_bytes(u, ((size_t)job->count + 7) / 8);
	if (job->bits == NULL)
		return false;
	/* Bits that belong to no recipient are 0. */
	return job->count % 8 == 0 ||
	    job->bits[job->count / 8] >> job->count % 8 == 0;
}

bool
smtpd__record_get_message(
    const void *head, size_t len, struct smtpd_record_message *m)
{
	struct smtpd_unpack u = { .at = head, .left = len };

	*m = (struct smtpd_record_message){ 0 };
	if (len < MESSAGE_LEN || !get_start(&u, &m->stamp, &m->id) ||
	    m->id == 0)
		return false;
	m->arrived_ms = smtpd__pack_get_u64(&u);
	m->size = smtpd__pack_get_u64(&u);
	m->arrived = smtpd__pack_get_u32(&u);
	m->envelope_len = smtpd__pack_get_u32(&u);
	m->crc = smtpd__pack_get_u32(&u);
	m->flags = smtpd__pack_get_u16(&u);
	m->njobs = smtpd__pack_get_u16(&u);
	m->jobs = u;
	if (m->arrived_ms > INT64_MAX || m->size > INT64_MAX ||
	    m->arrived > SMTPD_RECORD_CLOCK_MAX ||
	    (m->flags & ~SMTPD_RECORD_ENTRY_FLAGS) != 0)
		return false;
	for (unsigned i = 0; i < m->njobs; i++) {
		struct smtpd_record_job job;

		if (!smtpd__record_get_job(&u, &job) ||
		    job.count > SMTPD_RECORD_RCPTS_MAX - m->nrcpts)
			return false;
		m->nrcpts += job.count;
	}
	return m->njobs > 0 && u.left == 0;
}

static void
put_text(struct smtpd_pack *p, const char *s)
{
	size_t len;

	if (s == NULL) {
		smtpd__pack_u16(p, NO_TEXT);
		return;
	}
	len = strlen(s);
	smtpd__pack_u16(p, (uint16_t)len);
	smtpd__pack_bytes(p, s, len + 1);
}

size_t
smtpd__record_rcpt_size(const struct smtpd_outgoing_rcpt *r)
{
	const char *const texts[] = { r->address, r->notify, r->orcpt };
	size_t size = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		size += sizeof(uint16_t) +
		    (texts[i] != NULL ? strlen(texts[i]) + 1 : 0);
	return size;
}

void
smtpd__record_put_envelope(struct smtpd_pack *p,
    const struct smtpd_outgoing_envelope *e, const size_t *order)
{
	put_text(p, e->sender);
	put_text(p, e->ret);
	put_text(p, e->envid);
	for (size_t i = 0; i < e->nrcpts; i++) {
		const struct smtpd_outgoing_rcpt *r = &e->rcpts[order[i]];

		put_text(p, r->address);
		put_text(p, r->notify);
		put_text(p, r->orcpt);
	}
}

bool
smtpd__record_is_text(const char *s)
{
	size_t len = s != NULL ? strlen(s) : 0;

	for (size_t i = 0; i < len; i++)
		if (smtpd__text_is_control((unsigned char)s[i]))
			return false;
	return len < NO_TEXT;
}

/* Take a text, or NULL for none. */
static const char *
take_text(struct smtpd_unpack *u)
{
	size_t len = smtpd__pack_get_u16(u);
	const char *s;

	if (u->failed || len == NO_TEXT)
		return NULL;
	s = (const char *)smtpd__pack_get_bytes(u, len + 1);
	if (s == NULL || memchr(s, '\0', len + 1) != s + len ||
	    !smtpd__record_is_text(s)) {
		u->failed = true;
		return NULL;
	}
	return s;
}

bool
smtpd__record_get_envelope(const void *body, size_t len,
    struct smtpd_outgoing_envelope *e, struct smtpd_outgoing_rcpt *rcpts)
{
	struct smtpd_unpack u = { .at = body, .left = len };

	e->size = sizeof(*e);
	e->rcpts = rcpts;
	e->sender = take_text(&u);
	e->ret = take_text(&u);
	e->envid = take_text(&u);
	for (size_t i = 0; i < e->nrcpts && !u.failed; i++) {
		struct smtpd_outgoing_rcpt *r = &rcpts[i];

		r->size = sizeof(*r);
		r->address = take_text(&u);
		r->notify = take_text(&u);
		r->orcpt = take_text(&u);
		if (r->address == NULL)
			return false;
	}
	return !u.failed && u.left == 0 && e->sender != NULL;
}

void
smtpd__record_put_progress(
    struct smtpd_pack *out, const struct smtpd_record_progress *p)
{
	put_start(out, &p->stamp, p->id);
	smtpd__pack_u32(out, p->due);
	smtpd__pack_u64(out, p->previous.value);
	smtpd__pack_u32(out, p->results_len);
	smtpd__pack_u32(out, p->nfinished);
	smtpd__pack_u16(out, p->job);
	smtpd__pack_u16(out, p->attempts);
	smtpd__pack_u8(out, p->flags);
	smtpd__pack_bytes(out, "\0\0", 3);
}

bool
smtpd__record_get_progress(
    const void *head, size_t len, struct smtpd_record_progress *p)
{
	struct smtpd_unpack u = { .at = head, .left = len };

	*p = (struct smtpd_record_progress){ 0 };
	if (len < PROGRESS_LEN || !get_start(&u, &p->stamp, &p->id) ||
	    p->id == 0)
		return false;
	p->due = smtpd__pack_get_u32(&u);
	p->previous.value = smtpd__pack_get_u64(&u);
	p->results_len = smtpd__pack_get_u32(&u);
	p->nfinished = smtpd__pack_get_u32(&u);
	p->job = smtpd__pack_get_u16(&u);
	p->attempts = smtpd__pack_get_u16(&u);
	p->flags = smtpd__pack_get_u8(&u);
	if (!take_zeroes(&u, 3))
		return false;
	p->finished = u;
	return p->flags < SMTPD_RECORD_BITS && u.left / 4 == p->nfinished &&
	    u.left % 4 == 0;
}

static void
put_words(struct smtpd_pack *p, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		smtpd__pack_u8(p, c >= ' ' && c <= '~' ? c : '?');
	}
}

void
smtpd__record_put_result(
    struct smtpd_pack *p, const struct smtpd_rcpt_progress *r)
{
	size_t host = strnlen(r->host, sizeof(r->host) - 1);
	size_t status = strnlen(r->result.status, sizeof(r->result.status) - 1);
	size_t text = strnlen(r->result.text, sizeof(r->result.text) - 1);
	int code = r->result.code;

	smtpd__pack_u32(p, r->rcpt);
	smtpd__pack_u8(p, r->finished);
	smtpd__pack_u8(p, (uint8_t)r->result.outcome);
	smtpd__pack_u8(p, (uint8_t)r->result.phase);
	smtpd__pack_u8(p, (uint8_t)status);
	smtpd__pack_u16(
	    p, (uint16_t)(code >= 0 && code <= CODE_MAX ? code : 0));
	smtpd__pack_u16(p, (uint16_t)host);
	smtpd__pack_u16(p, (uint16_t)text);
	put_words(p, r->result.status, status);
	put_words(p, r->host, host);
	put_words(p, r->result.text, text);
}

/* Take LEN bytes of printable ASCII to OUT of SIZE bytes. */
static bool
take_words(struct smtpd_unpack *u, size_t len, char *out, size_t size)
{
	const unsigned char *at = smtpd__pack_get_bytes(u, len);

	if (at == NULL || len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (at[i] < ' ' || at[i] > '~')
			return false;
	memcpy(out, at, len);
	out[len] = '\0';
	return true;
}

bool
smtpd__record_get_result(struct smtpd_unpack *u, struct smtpd_rcpt_progress *r)
{
	struct smtpd_result *result = &r->result;
	unsigned finished, outcome, phase;
	size_t host, status, text;

	if (u->failed || u->left == 0)
		return false;
	memset(r, 0, sizeof(*r));
	r->rcpt = smtpd__pack_get_u32(u);
	finished = smtpd__pack_get_u8(u);
	outcome = smtpd__pack_get_u8(u);
	phase = smtpd__pack_get_u8(u);
	status = smtpd__pack_get_u8(u);
	result->code = smtpd__pack_get_u16(u);
	host = smtpd__pack_get_u16(u);
	text = smtpd__pack_get_u16(u);
	if (finished > 1 || outcome > SMTPD_OUTCOME_IN_DOUBT ||
	    phase > SMTPD_PHASE_DOT || result->code > CODE_MAX ||
	    !take_words(u, status, result->status, sizeof(result->status)) ||
	    !take_words(u, host, r->host, sizeof(r->host)) ||
	    !take_words(u, text, result->text, sizeof(result->text)))
		u->failed = true;
	r->finished = finished == 1;
	result->outcome = (enum smtpd_outcome)outcome;
	result->phase = (enum smtpd_phase)phase;
	return !u->failed;
}

void
smtpd__record_put_state(
    struct smtpd_pack *p, const struct smtpd_record_state *state)
{
	put_start(p, &state->stamp, state->id);
	smtpd__pack_u8(p, state->change);
	smtpd__pack_bytes(p, "\0\0", 3);
}

bool
smtpd__record_get_state(
    const void *head, size_t len, struct smtpd_record_state *state)
{
	struct smtpd_unpack u = { .at = head, .left = len };

	if (!get_start(&u, &state->stamp, &state->id) || state->id == 0)
		return false;
	state->change = smtpd__pack_get_u8(&u);
	return take_zeroes(&u, 3) && !u.failed && u.left == 0 &&
	    state->change >= SMTPD_RECORD_HELD &&
	    state->change <= SMTPD_RECORD_QUARANTINED;
}

void
smtpd__record_put_clock(
    struct smtpd_pack *p, const struct smtpd_record_clock *clock)
{
	put_start(p, &clock->stamp, clock->last_id);
}

bool
smtpd__record_get_clock(
    const void *head, size_t len, struct smtpd_record_clock *clock)
{
	struct smtpd_unpack u = { .at = head, .left = len };

	return get_start(&u, &clock->stamp, &clock->last_id) && u.left == 0;
}
