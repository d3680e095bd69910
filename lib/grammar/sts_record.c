/* SPDX-License-Identifier: MIT */
#include "grammar/sts_record.h"

#include <string.h>

#include "grammar/txt_fields.h"

#define VERSION "v=STSv1;"

bool
smtpd__sts_record_is(const char *text, size_t len)
{
	struct smtpd_cursor c;

	return smtpd__txt_fields_begin(text, len, VERSION, &c);
}

static bool
is_id(const struct smtpd_txt_field *f)
{
	if (f->value_len >= SMTPD_STS_ID_SIZE)
		return false;
	for (size_t i = 0; i < f->value_len; i++)
		if (!smtpd__text_is_alnum((unsigned char)f->value[i]))
			return false;
	return true;
}

int
smtpd__sts_record_read(const char *text, size_t len, char id[SMTPD_STS_ID_SIZE])
{
	struct smtpd_txt_field f;
	struct smtpd_cursor c;
	int more;

	id[0] = '\0';
	if (!smtpd__txt_fields_begin(text, len, VERSION, &c))
		return -1;
	while ((more = smtpd__txt_fields_next(&c, &f)) == 1) {
		const bool named = smtpd__txt_fields_is(&f, "id");

		if (named ? !is_id(&f) : !smtpd__txt_fields_is_extension(&f))
			return -1;
		/* The first one counts. */
		if (!named || id[0] != '\0')
			continue;
		memcpy(id, f.value, f.value_len);
		id[f.value_len] = '\0';
	}
	return more == 0 && id[0] != '\0' ? 0 : -1;
}
