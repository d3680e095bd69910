/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "queue/spool/record.h"

/* What is accepted comes out as it went in. */
static void
try_message(const uint8_t *data, size_t size)
{
	struct smtpd_record_message m;
	struct smtpd_record_job job;
	struct smtpd_pack p = { 0 };
	uint64_t count = 0;

	if (!smtpd__record_get_message(data, size, &m))
		return;
	must(m.njobs > 0 && m.nrcpts >= m.njobs);
	smtpd__record_put_message(&p, &m);
	for (unsigned i = 0; i < m.njobs; i++) {
		must(smtpd__record_get_job(&m.jobs, &job));
		must(job.count > 0 && job.domain_len > 0);
		count += job.count;
		smtpd__record_put_job(&p, &job);
	}
	must(count == m.nrcpts);
	must(!p.failed && p.len == size && memcmp(p.data, data, size) == 0);
	smtpd__pack_free(&p);
}

static void
try_envelope(const uint8_t *data, size_t size)
{
	struct smtpd_outgoing_rcpt rcpts[3];
	const size_t order[] = { 0, 1, 2 };
	struct smtpd_outgoing_envelope e = {
		.nrcpts = size > 0 ? data[0] % 4 : 0,
	};
	struct smtpd_pack p = { 0 };

	if (size == 0 ||
	    !smtpd__record_get_envelope(data + 1, size - 1, &e, rcpts))
		return;
	smtpd__record_put_envelope(&p, &e, order);
	must(!p.failed && p.len == size - 1);
	must(memcmp(p.data, data + 1, size - 1) == 0);
	smtpd__pack_free(&p);
}

static void
try_progress(const uint8_t *data, size_t size)
{
	struct smtpd_record_progress r;
	struct smtpd_pack p = { 0 };

	if (!smtpd__record_get_progress(data, size, &r))
		return;
	smtpd__record_put_progress(&p, &r);
	for (uint32_t i = 0; i < r.nfinished; i++)
		smtpd__pack_u32(&p, smtpd__pack_get_u32(&r.finished));
	must(!p.failed && p.len == size && memcmp(p.data, data, size) == 0);
	smtpd__pack_free(&p);
}

static void
try_results(const uint8_t *data, size_t size)
{
	struct smtpd_unpack u = { .at = data, .left = size };
	struct smtpd_rcpt_progress r;
	struct smtpd_pack p = { 0 };

	while (smtpd__record_get_result(&u, &r)) {
		must(is_printable(r.host, strlen(r.host)));
		must(is_printable(r.result.text, strlen(r.result.text)));
		smtpd__record_put_result(&p, &r);
		must(!p.failed && memcmp(p.data, data, p.len) == 0);
	}
	must(u.failed || p.len == size);
	smtpd__pack_free(&p);
}

/* A byte for what it is, then the bytes of that. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtpd_record_state state;
	struct smtpd_record_clock clock;

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'M':
		try_message(data + 1, size - 1);
		break;
	case 'E':
		try_envelope(data + 1, size - 1);
		break;
	case 'P':
		try_progress(data + 1, size - 1);
		break;
	case 'R':
		try_results(data + 1, size - 1);
		break;
	case 'S':
		must(!smtpd__record_get_state(data + 1, size - 1, &state) ||
		    state.id > 0);
		break;
	default:
		must(!smtpd__record_get_clock(data + 1, size - 1, &clock) ||
		    size == 25);
	}
	return 0;
}
