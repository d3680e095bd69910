/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "base/text.h"
#include "grammar/sts_record.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char id[SMTPD_STS_ID_SIZE];
	char *copy;

	copy = malloc(size + 1);
	must(copy != NULL);
	memcpy(copy, data, size);
	if (smtpd__sts_record_read(copy, size, id) == 0) {
		must(smtpd__sts_record_is(copy, size));
		must(id[0] != '\0');
		for (size_t i = 0; id[i] != '\0'; i++)
			must(smtpd__text_is_alnum((unsigned char)id[i]));
		must(is_printable(copy, size) || memchr(copy, '\t', size));
	}
	free(copy);
	return 0;
}
