/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_OUTPUT_H
#define SMTPD_QUEUE_CONTROL_OUTPUT_H

/*
 * The text that answers an operator: collected, and written in blocks.  Text of
 * others is shown so that it can neither steer a terminal nor end a JSON
 * string.
 */

#include <smtpd/queue.h>

struct smtpd_control_output {
	smtpd_write_fn *write;
	void *user;
	bool failed;    /* write refused more */
	uint64_t total; /* bytes so far */
	size_t len;     /* bytes in buf that were not written yet */
	char buf[4096];
};

/* Begin an empty answer that goes to WRITE with USER. */
void smtpd__control_output_init(
    struct smtpd_control_output *a, smtpd_write_fn *write, void *user);

/* Append: a string; LEN bytes; as printf does, at most 1,000 bytes. */
void smtpd__control_output_add(struct smtpd_control_output *a, const char *s);
void smtpd__control_output_bytes(
    struct smtpd_control_output *a, const void *data, size_t len);
void smtpd__control_output_format(
    struct smtpd_control_output *a, const char *format, ...) SMTPD_PRINTF(2, 3);

/* Append LEN bytes at S for people: printable UTF-8 as it is; controls, and
 * characters that are invisible or change the direction, as "?". */
void smtpd__control_output_shown(
    struct smtpd_control_output *a, const char *s, size_t len);

/* The same for each of the lines of LEN bytes at S, with INDENT before it. */
void smtpd__control_output_lines(struct smtpd_control_output *a,
    const char *indent, const char *s, size_t len);

/* Append S as a JSON string (RFC 8259, 7), NULL as null; controls, and bytes
 * that are not UTF-8, as \u00XX. */
void smtpd__control_output_json(struct smtpd_control_output *a, const char *s);

/* The same for LEN bytes at S. */
void smtpd__control_output_json_bytes(
    struct smtpd_control_output *a, const char *s, size_t len);

/* Append the moment MS milliseconds after 1970 as "2006-01-02T15:04:05Z" (RFC
 * 3339). */
void smtpd__control_output_time(struct smtpd_control_output *a, uint64_t ms);

/* Append a length of time for people: "59s", "5m03s", "2h30m", "4d23h". */
void smtpd__control_output_span(
    struct smtpd_control_output *a, uint32_t seconds);

/* Write what is left.  Return 0, or -1 once WRITE has failed. */
int smtpd__control_output_end(struct smtpd_control_output *a);

#endif
