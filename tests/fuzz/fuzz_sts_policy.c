/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "grammar/sts_policy.h"

#define INPUT_MAX 4096

/* Each host that a policy names without "*" it allows, and none that is not
 * below a name of it. */
static void
must_allow_its_own(const struct smtpd_sts_policy *p)
{
	size_t at = 0, len, name_len;
	const char *s;

	while ((s = smtpd__sts_policy_line(p, &at, &len)) != NULL) {
		const char *name = smtpd__sts_policy_mx(s, len, &name_len);
		char host[INPUT_MAX + 1];

		must(len <= p->len && at <= p->len);
		if (name == NULL || !is_printable(name, name_len) ||
		    name_len > 255)
			continue;
		for (size_t i = 0; i < name_len; i++)
			host[i] = name[i] >= 'A' && name[i] <= 'Z'
			    ? (char)(name[i] + 32)
			    : name[i];
		host[name_len] = '\0';
		if (host[0] == '*')
			host[0] = 'x';
		must(smtpd__sts_policy_allows(p, host));
	}
	must(!smtpd__sts_policy_allows(p, "") &&
	    !smtpd__sts_policy_allows(p, "a b") &&
	    !smtpd__sts_policy_allows(p, "*"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtpd_sts_policy p;
	char *copy;

	if (size > INPUT_MAX)
		return 0;
	copy = malloc(size + 1);
	must(copy != NULL);
	memcpy(copy, data, size);
	if (smtpd__sts_policy_read(copy, size, &p) == NULL) {
		must(p.max_age_s <= SMTPD_STS_AGE_MAX);
		must(smtpd__sts_policy_word(p.mode) != NULL);
		must_allow_its_own(&p);
	} else {
		smtpd__sts_policy_allows(&p, "mx.example");
	}
	free(copy);
	return 0;
}
