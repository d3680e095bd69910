/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include <smtpd/session.h>

#include "base/id.h"
#include "grammar/hops.h"
#include "grammar/received.h"

#define VALUES 6

/* The header is one field of folded lines, with nothing else in it. */
static void
must_be_one_field(const char *s, size_t len)
{
	const char *end = s + len;
	struct smtpd_hops whole;
	struct smtpd_hops bytes;

	must(len > 2 && memcmp(s, "Received:", 9) == 0);
	must(memcmp(end - 2, "\r\n", 2) == 0 && strlen(s) == len);
	smtpd__hops_init(&whole);
	smtpd__hops_feed(&whole, s, len);
	must(whole.count == 1 && !whole.done);
	smtpd__hops_init(&bytes);
	for (size_t i = 0; i < len; i++)
		smtpd__hops_feed(&bytes, s + i, 1);
	must(bytes.count == 1 && !bytes.done);
	for (bool first = true; s < end; first = false) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));

		must(lf != NULL && lf > s + 1 && lf[-1] == '\r');
		must(first || *s == '\t');
		s += !first;
		must(*s != ' ' && is_printable_utf8(s, (size_t)(lf - 1 - s)));
		s = lf + 1;
	}
}

/* No comment but ours, and the date behind the only ";", if there is no
 * recipient, whose quoted local part may hold either. */
static void
must_have_one_comment(const char *s)
{
	const char *open = strchr(s, '(');
	const char *semicolon = strchr(s, ';');

	must(open != NULL && strchr(open + 1, '(') == NULL);
	must(strchr(s, ')') > open && strchr(strchr(s, ')') + 1, ')') == NULL);
	must(semicolon != NULL && strchr(semicolon + 1, ';') == NULL);
	must(strpbrk(s, "\"\\<>") == NULL);
}

static void
must_sort(uint64_t a, uint64_t b)
{
	char x[SMTPD_ID_SIZE];
	char y[SMTPD_ID_SIZE];
	int order;

	smtpd__id_write(a, x);
	smtpd__id_write(b, y);
	order = strcmp(x, y);
	must(strlen(x) == SMTPD_ID_SIZE - 1);
	must((order < 0) == (a < b) && (order > 0) == (a > b));
}

static void
must_write(const char *const *values, int64_t when)
{
	const int priority = (int)(when % 10);
	struct smtpd_received t = {
		.helo = values[0],
		.peer = values[1][0] != '\0' ? values[1] : NULL,
		.by = values[2],
		.with = values[3],
		.id = values[4],
		.rcpt = values[5][0] != '\0' ? values[5] : NULL,
		.when = (time_t)when,
		.utf8 = when % 2 != 0,
		.uid = values[5][0] != '\0' ? values[5] : NULL,
		.priority = when % 3 != 0 ? &priority : NULL,
	};
	char buf[SMTPD_RECEIVED_MAX];
	int n = smtpd__received_write(&t, buf, sizeof(buf));

	must(n > 0 && (size_t)n < sizeof(buf));
	must_be_one_field(buf, (size_t)n);
	t.rcpt = NULL;
	must(smtpd__received_write(&t, buf, sizeof(buf)) > 0);
	must_have_one_comment(buf);
}

/* Eight bytes for the time, and six values ended by NUL. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *values[VALUES];
	char *copy = malloc(size + VALUES);
	const char *at;
	int64_t when;

	must(copy != NULL);
	memset(copy, '\0', size + VALUES);
	if (size >= sizeof(when)) {
		memcpy(&when, data, sizeof(when));
		memcpy(copy, data + sizeof(when), size - sizeof(when));
		at = copy;
		for (size_t i = 0; i < VALUES; i++) {
			values[i] = at;
			at += strlen(at) + 1;
		}
		must_write(values, when);
		must_sort((uint64_t)when, size);
	}
	free(copy);
	return 0;
}
