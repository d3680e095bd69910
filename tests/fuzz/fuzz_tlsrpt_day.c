/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "policy/tlsrpt_day.h"
#include "policy/tlsrpt_json.h"

#define INPUT_MAX 16384

/* Read LEN bytes at DATA as a day, and write it to OUT. */
static void
read_and_write(const void *data, size_t len, struct smtpd_pack *out)
{
	static const struct smtpd_tlsrpt_reporter who = { "o", "c@d", "h" };
	struct smtpd_pack json = { .data = NULL };
	struct smtpd_tlsrpt_day d;
	char *copy = malloc(len + 1);

	must(copy != NULL && smtpd__tlsrpt_day_begin(&d, 1) == 0);
	memcpy(copy, data, len);
	copy[len] = '\0';
	smtpd__tlsrpt_day_read(&d, copy, len);
	smtpd__tlsrpt_day_write(&d, out);
	smtpd__tlsrpt_json_write(&who, &d, "a.example", &json);
	must(!json.failed);
	smtpd__pack_free(&json);
	smtpd__tlsrpt_day_finish(&d);
	free(copy);
}

/* What was read and written once stays as it is. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtpd_pack first = { .data = NULL }, second = { .data = NULL };

	if (size > INPUT_MAX)
		return 0;
	read_and_write(data, size, &first);
	read_and_write(
	    first.data != NULL ? first.data : data, first.len, &second);
	must(first.len == second.len &&
	    (first.len == 0 ||
		memcmp(first.data, second.data, first.len) == 0));
	smtpd__pack_free(&first);
	smtpd__pack_free(&second);
	return 0;
}
