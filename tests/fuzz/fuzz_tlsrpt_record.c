/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "grammar/tlsrpt_record.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct smtpd_tlsrpt_record record;
	char *copy;

	copy = malloc(size + 1);
	must(copy != NULL);
	memcpy(copy, data, size);
	if (smtpd__tlsrpt_record_read(copy, size, &record) == 0) {
		must(smtpd__tlsrpt_record_is(copy, size));
		must(record.count > 0 && record.count <= SMTPD_TLSRPT_RUA_MAX);
	}
	for (size_t i = 0; i < record.count; i++) {
		const struct smtpd_tlsrpt_rua *rua = &record.rua[i];

		must(is_printable(rua->to, strlen(rua->to)) &&
		    strchr(rua->to, ' ') == NULL);
		must(rua->https || strpbrk(rua->to, "<>,") == NULL);
		must(
		    rua->https == (strchr(rua->to, '@') == NULL) || rua->https);
	}
	free(copy);
	return 0;
}
