/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_RECORD_H
#define SMTPD_QUEUE_SPOOL_RECORD_H

/*
 * The records of a spool, as bytes and back.  doc/queue-format.md has them one
 * by one.  What is decoded is not trusted: all that these functions accept is
 * consistent in itself, and refers to memory of the caller.
 */

#include <smtpd/outgoing.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pack.h"
#include "queue/model/loaded_message.h"
#include "queue/spool/progress.h"

enum smtpd_record_type {
	SMTPD_RECORD_MESSAGE = 1,
	SMTPD_RECORD_PROGRESS,
	SMTPD_RECORD_STATE,
	SMTPD_RECORD_CLOCK,
};

/* What numbers are accepted. */
#define SMTPD_RECORD_CLOCK_MAX 0x7fffffffu
#define SMTPD_RECORD_ID_MAX    INT64_MAX
#define SMTPD_RECORD_RCPTS_MAX 524288u
#define SMTPD_RECORD_JOBS_MAX  65535u

/* The flags of a message that are kept. */
#define SMTPD_RECORD_ENTRY_FLAGS                                               \
	((unsigned)SMTPD_MESSAGE_NULL_SENDER | (unsigned)SMTPD_MESSAGE_HELD |  \
	    (unsigned)SMTPD_MESSAGE_LARGE |                                    \
	    (unsigned)SMTPD_MESSAGE_EIGHT_BIT | (unsigned)SMTPD_MESSAGE_UTF8 | \
	    (unsigned)SMTPD_MESSAGE_AUTOMATIC |                                \
	    (unsigned)SMTPD_MESSAGE_UTF8_WANTED |                              \
	    (unsigned)SMTPD_MESSAGE_LONG_LINES |                               \
	    (unsigned)SMTPD_MESSAGE_REQUIRETLS |                               \
	    (unsigned)SMTPD_MESSAGE_TLS_OPTIONAL)

/* When a record was made. */
struct smtpd_stamp {
	uint32_t clock;   /* the queue's */
	uint64_t wall_ms; /* since 1970 */
};

/* What is kept of a job. */
enum smtpd_record_job_flag {
	SMTPD_RECORD_FINISHED = 1 << 0,
	SMTPD_RECORD_NOTICE_GIVEN = 1 << 1,
	SMTPD_RECORD_UNSURE = 1 << 2,
	SMTPD_RECORD_BITS = 1 << 3, /* of a message: some are finished */
};

struct smtpd_record_job {
	const char *domain; /* in lower case, no NUL behind it */
	size_t domain_len;
	uint32_t count;
	uint32_t due;
	uint16_t attempts;
	uint8_t flags;
	const unsigned char *bits; /* a bit for each recipient, with
	                            * SMTPD_RECORD_BITS */
};

struct smtpd_record_message {
	struct smtpd_stamp stamp;
	uint64_t id;
	uint64_t arrived_ms;
	uint64_t size; /* of the content */
	uint32_t arrived;
	uint32_t envelope_len;
	uint32_t crc;   /* CRC-32C of the content of a large message */
	uint16_t flags; /* of enum smtpd_message_flag */
	uint16_t njobs;

	/* Filled in by decoding: */
	uint32_t nrcpts;
	struct smtpd_unpack jobs; /* for smtpd__record_get_job() */
};

/* Append the head of M; then its jobs are to be appended, njobs of them. */
void smtpd__record_put_message(
    struct smtpd_pack *p, const struct smtpd_record_message *m);
void smtpd__record_put_job(
    struct smtpd_pack *p, const struct smtpd_record_job *job);

/* Decode LEN bytes of head.  False when they are none. */
bool smtpd__record_get_message(
    const void *head, size_t len, struct smtpd_record_message *m);

/* Take the next of JOBS, of which a decoded head has njobs.  False: it is
 * damaged, which cannot be after smtpd__record_get_message(). */
bool smtpd__record_get_job(
    struct smtpd_unpack *jobs, struct smtpd_record_job *job);

/* The octets that a job adds to a head, but for its domain and its bits; and
 * those that recipient R adds to an envelope. */
#define SMTPD_RECORD_JOB_LEN 12
size_t smtpd__record_rcpt_size(const struct smtpd_outgoing_rcpt *r);

/* Append envelope E, its recipients in the order of ORDER. */
void smtpd__record_put_envelope(struct smtpd_pack *p,
    const struct smtpd_outgoing_envelope *e, const size_t *order);

/* Whether S, which may be NULL, is fit to be in an envelope: it is not too
 * long, and has no control bytes. */
bool smtpd__record_is_text(const char *s);

/* Decode the envelope in LEN bytes of body, with E->nrcpts recipients, which
 * are filled in to RCPTS.  All texts point into BODY. */
bool smtpd__record_get_envelope(const void *body, size_t len,
    struct smtpd_outgoing_envelope *e, struct smtpd_outgoing_rcpt *rcpts);

struct smtpd_record_progress {
	struct smtpd_stamp stamp;
	uint64_t id;
	uint32_t due;
	struct smtpd_record_ref previous; /* of the same job */
	uint32_t results_len;             /* of the body; then the history */
	uint32_t nfinished;
	uint16_t job; /* its number */
	uint16_t attempts;
	uint8_t flags; /* of enum smtpd_record_job_flag */

	/* Filled in by decoding: nfinished numbers of 32 bits. */
	struct smtpd_unpack finished;
};

/* Append the head of P; then the numbers of nfinished recipients are to be
 * appended. */
void smtpd__record_put_progress(
    struct smtpd_pack *out, const struct smtpd_record_progress *p);

bool smtpd__record_get_progress(
    const void *head, size_t len, struct smtpd_record_progress *p);

/* Append the result of one recipient. */
void smtpd__record_put_result(
    struct smtpd_pack *p, const struct smtpd_rcpt_progress *r);

/* Take the next result.  False: there is none, or it is damaged, which
 * U->failed tells. */
bool smtpd__record_get_result(
    struct smtpd_unpack *u, struct smtpd_rcpt_progress *r);

/* What the operator did, or damage. */
enum smtpd_record_change {
	SMTPD_RECORD_HELD = 1,
	SMTPD_RECORD_RELEASED,
	SMTPD_RECORD_REMOVED,
	SMTPD_RECORD_QUARANTINED,
};

struct smtpd_record_state {
	struct smtpd_stamp stamp;
	uint64_t id;
	uint8_t change; /* enum smtpd_record_change */
};

void smtpd__record_put_state(
    struct smtpd_pack *p, const struct smtpd_record_state *state);
bool smtpd__record_get_state(
    const void *head, size_t len, struct smtpd_record_state *state);

struct smtpd_record_clock {
	struct smtpd_stamp stamp;
	uint64_t last_id;
};

void smtpd__record_put_clock(
    struct smtpd_pack *p, const struct smtpd_record_clock *clock);
bool smtpd__record_get_clock(
    const void *head, size_t len, struct smtpd_record_clock *clock);

#endif
