/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "grammar/dot.h"
#include "grammar/dot_encode.h"

/* Longer inputs only take longer. */
#define INPUT_MAX 4096

#define OUTPUT_MAX (3 * INPUT_MAX + SMTPD_DOT_END_MAX)

/* Encode by pieces of input of CHUNK bytes and of output of SIZE. */
static size_t
encode(const char *in, size_t len, size_t chunk, size_t size, char *out,
    bool no_dots)
{
	struct smtpd_dot_encoder e = { .no_dots = no_dots };
	size_t used = 0;

	for (size_t at = 0; at < len; at += chunk) {
		const char *piece = in + at;
		size_t left = len - at < chunk ? len - at : chunk;

		while (left > 0) {
			size_t before = left;
			size_t n = smtpd__dot_encode(
			    &e, &piece, &left, out + used, size);

			must(n <= size && (n > 0 || left < before));
			used += n;
		}
	}
	return used + smtpd__dot_encode_end(&e, out + used);
}

/* What the message is once its lines end by CRLF; NUL, which the decoder leaves
 * out, left out as well. */
static size_t
normalise(const char *in, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bool lf = in[i] == '\n';

		if (in[i] == '\0' || (lf && i > 0 && in[i - 1] == '\r'))
			continue;
		if (lf || in[i] == '\r') {
			out[n++] = '\r';
			out[n++] = '\n';
		} else {
			out[n++] = in[i];
		}
	}
	return n;
}

/* On the wire there is no bare CR or LF, and one end. */
static void
must_be_safe(const char *wire, size_t len)
{
	must(len >= 3 && memcmp(wire + len - 3, ".\r\n", 3) == 0);
	for (size_t i = 0; i < len; i++) {
		must((wire[i] == '\n') == (i > 0 && wire[i - 1] == '\r'));
		if (i + 3 < len && (i == 0 || wire[i - 1] == '\n'))
			must(memcmp(wire + i, ".\r\n", 3) != 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char wire[OUTPUT_MAX], again[OUTPUT_MAX];
	static char plain[OUTPUT_MAX], decoded[OUTPUT_MAX];
	const char *in = (const char *)data;
	const char *at = wire;
	struct smtpd_dot d;
	size_t len, left, want, n;

	if (size > INPUT_MAX)
		return 0;
	len = left = encode(in, size, size + 1, OUTPUT_MAX - 5, wire, false);
	must_be_safe(wire, len);
	must(encode(in, size, 1, SMTPD_DOT_ROOM_MIN, again, false) == len);
	must(memcmp(wire, again, len) == 0);
	must(encode(in, size, 7, 5, again, false) == len);
	must(memcmp(wire, again, len) == 0);

	/* What BDAT sends is the same message. */
	n = encode(in, size, 3, 4, plain, true);
	must(encode(plain, n, n + 1, OUTPUT_MAX - 5, again, false) == len);
	must(memcmp(wire, again, len) == 0);

	want = normalise(in, size, plain);
	smtpd__dot_init(&d, UINT32_MAX);
	n = smtpd__dot_decode(&d, &at, &left, decoded, sizeof(decoded));
	must(d.done && left == 0);
	/* The last line has an end now. */
	if (n > want) {
		must(n == want + 2 && memcmp(decoded + want, "\r\n", 2) == 0);
		n = want;
	}
	must(n == want && memcmp(decoded, plain, n) == 0);
	return 0;
}
