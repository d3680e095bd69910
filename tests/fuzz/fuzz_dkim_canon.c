/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "grammar/dkim_canon.h"
#include "grammar/mailbox_list.h"

/* Longer inputs only take longer. */
#define INPUT_MAX 4096
#define OUT_MAX   (2 * INPUT_MAX + 2)

static void
canon_body(struct out *o, const char *data, size_t len, size_t step)
{
	struct smtpd_dkim_body b;

	o->len = 0;
	smtpd__dkim_canon_body_init(&b, out_write, o);
	for (size_t at = 0; at < len; at += step)
		must(smtpd__dkim_canon_body_feed(&b, data + at,
			 len - at < step ? len - at : step) == 0);
	must(smtpd__dkim_canon_body_end(&b) == 0);
}

static void
canon_field(struct out *o, const char *data, size_t len, size_t step)
{
	struct smtpd_dkim_field f;

	o->len = 0;
	smtpd__dkim_canon_field_init(&f, out_write, o);
	for (size_t at = 0; at < len; at += step)
		must(smtpd__dkim_canon_field_feed(&f, data + at,
			 len - at < step ? len - at : step) == 0);
}

/* RFC 6376, 3.4.4: whole lines, no white space but single spaces within them,
 * and no empty one at the end. */
static void
must_be_relaxed(const struct out *o)
{
	must(o->len < 2 || o->data[o->len - 1] == '\n');
	must(o->len != 2 || o->data[0] != '\r');
	must(o->len < 4 || memcmp(o->data + o->len - 4, "\r\n\r\n", 4) != 0);
	for (size_t i = 0; i < o->len; i++) {
		char next = i + 1 < o->len ? o->data[i + 1] : '\0';

		must(o->data[i] != '\t');
		must(o->data[i] != ' ' || (next != ' ' && next != '\r'));
		must((o->data[i] == '\r') == (next == '\n'));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct out whole = { .most = OUT_MAX },
			  other = { .most = OUT_MAX };
	const char *in = (const char *)data;
	char domain[32];

	if (size > INPUT_MAX)
		return 0;
	canon_body(&whole, in, size, size + 1);
	must_be_relaxed(&whole);
	canon_body(&other, in, size, 1);
	must(out_is_same(&whole, &other));
	canon_body(&other, in, size, 7);
	must(out_is_same(&whole, &other));
	/* What is canonical stays as it is. */
	canon_body(&other, whole.data, whole.len, 3);
	must(out_is_same(&whole, &other));

	canon_field(&whole, in, size, size + 1);
	canon_field(&other, in, size, 1);
	must(out_is_same(&whole, &other));
	canon_field(&other, whole.data, whole.len, 3);
	must(out_is_same(&whole, &other));

	while (smtpd__mailbox_list_next(&in, &size, domain, sizeof(domain)))
		must(strlen(domain) < sizeof(domain));
	return 0;
}
