/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "grammar/dsn.h"
#include "grammar/fold.h"
#include "grammar/unitext.h"
#include "grammar/xtext.h"

#define VALUES 11

static void
must_check_params(const char *value)
{
	char decoded[SMTPD_ORCPT_MAX + 1];
	unsigned notify = 0;

	if (smtpd__dsn_param_notify_parse(value, &notify) == 0)
		must(notify == SMTPD_NOTIFY_NEVER ||
		    (notify > 1 && notify < 16 && notify % 2 == 0));
	if (smtpd__dsn_param_envid_is_valid(value)) {
		int n = smtpd__xtext_decode(
		    value, strlen(value), decoded, sizeof(decoded));

		must(n > 0 && n <= SMTPD_ENVID_MAX);
		must(is_printable(decoded, (size_t)n));
	}
	if (smtpd__dsn_param_orcpt_is_valid(value)) {
		must(strlen(value) <= SMTPD_ORCPT_MAX);
		must(is_printable_utf8(value, strlen(value)));
		must(strchr(value, ';') > value);
	}
}

/* An address that was decoded is the same when it is encoded and decoded. */
static void
must_decode_again(const char *value)
{
	char decoded[SMTPD_ORCPT_MAX + 1], again[SMTPD_ORCPT_MAX + 1];
	char coded[10 * SMTPD_ORCPT_MAX + 1];
	struct smtpd_text t;
	int n = smtpd__unitext_decode(
	    value, strlen(value), decoded, sizeof(decoded));

	if (n == -1)
		return;
	must(is_printable_utf8(decoded, (size_t)n));
	smtpd__text_init(&t, coded, sizeof(coded));
	smtpd__unitext_encode(&t, decoded);
	must(!t.cut && is_printable(coded, t.len));
	must(smtpd__unitext_decode(coded, t.len, again, sizeof(again)) == n);
	must(strcmp(decoded, again) == 0);
}

/* Whether the line S begins with one of our fields, or continues it. */
static bool
is_ours(const char *s)
{
	static const char *const names[] = { " ",
		"Date:", "From:", "To:", "Subject:", "Message-ID:",
		"References:", "Auto-Submitted:", "MIME-Version:", "Content-",
		"Original-Envelope-Id: ", "Reporting-MTA: ", "X-Queue-ID: ",
		"Arrival-Date:", "Original-Recipient: ", "Final-Recipient: ",
		"Action:", "Status:", "Remote-MTA: ", "Diagnostic-Code:",
		"Last-Attempt-Date:", "Will-Retry-Until:" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncmp(s, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

/* The report is lines, parts and fields of ours, in ASCII unless it may have
 * UTF8. */
static void
must_be_sound(const char *s, const char *boundary, bool utf8)
{
	unsigned parts = 0;
	bool header = true; /* in one: of the report, of a part */

	while (*s != '\0') {
		const char *end = strstr(s, "\r\n");

		must(end != NULL && end - s <= SMTPD_FOLD_MAX);
		must(is_printable_utf8(s, (size_t)(end - s)));
		if (header || parts == 2)
			must(utf8 || is_printable(s, (size_t)(end - s)));
		if (memcmp(s, "--", 2) == 0 &&
		    strncmp(s + 2, boundary, strlen(boundary)) == 0) {
			parts++;
			header = true;
		} else if (end == s) {
			header = false;
		} else if (header || parts == 2) {
			must(is_ours(s));
		}
		s = end + 2;
	}
	must(parts == 4);
}

static void
must_report(const char *const *values, uint8_t choice)
{
	const struct smtpd_dsn_original about = { values[8], values[9],
		values[10] };
	const struct smtpd_dsn_rcpt rcpts[] = {
		{ .address = values[0],
		    .original = values[1],
		    .action = choice % 3,
		    .status = values[2],
		    .remote = values[3],
		    .diagnostic = values[4],
		    .remote_said = choice % 2 == 0,
		    .last_attempt = 1,
		    .attempts = choice,
		    .in_doubt = choice % 5 == 0 },
		{ .address = values[5],
		    .action = choice / 4 % 3,
		    .status = values[2],
		    .diagnostic = values[3],
		    .about = choice / 8 % 2 ? &about : NULL },
	};
	const struct smtpd_dsn_report r = {
		.hostname = values[6],
		.to = values[7],
		.postmaster = values[0],
		.about = about,
		.others = choice / 8 % 2,
		.unique = values[8],
		.envid = values[9],
		.references = values[10],
		.secret = "secret of fuzz ",
		.retry_until = choice / 16 % 2,
		.whole = choice / 32 % 2,
		.eight_bit = choice / 64 % 2,
		.global = choice / 2 % 2,
		.utf8 = choice / 4 % 2,
		.rcpts = rcpts,
		.nrcpts = choice / 128 + 1u,
	};
	struct out o = { 0 };

	must(smtpd__dsn_begin(&r, out_write, &o) == 0);
	must(smtpd__dsn_end(&r, out_write, &o) == 0);
	out_write(&o, "", 1);
	must(strlen(o.data) == o.len - 1);
	must_be_sound(o.data, "=_736563726574206F662066757A7A2000", r.utf8);
	free(o.data);
}

/* A byte of choices, and values ended by NUL. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *values[VALUES];
	char *copy;
	const char *at;

	if (size == 0)
		return 0;
	copy = calloc(1, size + VALUES);
	must(copy != NULL);
	memcpy(copy, data + 1, size - 1);
	at = copy;
	for (size_t i = 0; i < VALUES; i++) {
		values[i] = at;
		must_check_params(at);
		must_decode_again(at);
		at += strlen(at) + 1;
	}
	must_report(values, data[0]);
	free(copy);
	return 0;
}
